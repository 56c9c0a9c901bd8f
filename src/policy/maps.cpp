#include "proxyd/policy/maps.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "proxyd/base/text.hpp"
#include "proxyd/http/fields/host.hpp"

namespace proxyd::policy {
namespace {

using Kind = config::Map::Value::Kind;
using Texts =
    std::unordered_map<std::string_view, const vars::Template*, http::HostHash, http::HostEqual>;

constexpr int kMaxDepth = 8;

struct Mask {
    std::string_view text;
    const vars::Template* value;
};
struct Regex {
    std::unique_ptr<RE2> regex;
    const vars::Template* value;
};

bool starts_with(std::string_view text, std::string_view mask) noexcept {
    return text.size() >= mask.size() && text::iequals(text.substr(0, mask.size()), mask);
}
bool ends_with(std::string_view text, std::string_view mask) noexcept {
    return text.size() >= mask.size() &&
           text::iequals(text.substr(text.size() - mask.size()), mask);
}

struct CompiledMap {
    const config::Map* config = nullptr;
    Texts exact;
    std::vector<Mask> leading_star, trailing_star;  ///< longest first
    std::vector<Regex> regexes;

    Result<void> add(const config::Map::Value& value);
    void sort();
    [[nodiscard]] const vars::Template& find(std::string_view source) const;
};

Result<void> CompiledMap::add(const config::Map::Value& value) {
    switch (value.kind) {
        case Kind::exact:
            exact.emplace(value.pattern, &value.value);
            return {};
        case Kind::suffix:
            leading_star.push_back({value.pattern, &value.value});
            return {};
        case Kind::prefix:
            trailing_star.push_back({value.pattern, &value.value});
            return {};
        case Kind::regex:
            break;
    }
    RE2::Options options;
    options.set_case_sensitive(value.case_sensitive_regex);
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_dot_nl(true);
    options.set_log_errors(false);
    auto regex = std::make_unique<RE2>(value.pattern, options);
    if (!regex->ok()) {
        return Error(Reason::internal_error, Source::internal, Retry::no,
                     "regular expression '" + value.pattern + "': " + regex->error());
    }
    regexes.push_back({std::move(regex), &value.value});
    return {};
}

void CompiledMap::sort() {
    const auto longer = [](const Mask& a, const Mask& b) { return a.text.size() > b.text.size(); };
    std::ranges::stable_sort(leading_star, longer);
    std::ranges::stable_sort(trailing_star, longer);
}

const vars::Template& CompiledMap::find(std::string_view source) const {
    if (const auto found = exact.find(source); found != exact.end()) return *found->second;
    if (source.empty()) return config->default_value;
    for (const Mask& mask : leading_star) {
        if (ends_with(source, mask.text)) return *mask.value;
    }
    for (const Mask& mask : trailing_star) {
        if (starts_with(source, mask.text)) return *mask.value;
    }
    for (const Regex& row : regexes) {
        if (RE2::PartialMatch(re2::StringPiece(source.data(), source.size()), *row.regex)) {
            return *row.value;
        }
    }
    return config->default_value;
}

}  // namespace

struct Maps::Impl {
    std::unordered_map<std::string_view, CompiledMap> maps;
};

Maps::Maps(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Maps::~Maps() = default;

Result<std::unique_ptr<const Maps>> Maps::build(const config::Snapshot& snapshot) {
    auto impl = std::make_unique<Impl>();
    for (const config::Map& map : snapshot.maps) {
        CompiledMap& compiled = impl->maps[map.name];
        compiled.config = &map;
        for (const config::Map::Value& value : map.values) {
            if (auto added = compiled.add(value); !added) return std::move(added).error();
        }
        compiled.sort();
    }
    return std::unique_ptr<const Maps>(new Maps(std::move(impl)));
}

const vars::Template* Maps::find(std::string_view name, std::string_view source) const {
    const auto map = impl_->maps.find(name);
    return map == impl_->maps.end() ? nullptr : &map->second.find(source);
}

void Maps::append(std::string_view name, const vars::Scope& scope, std::string& out) const {
    thread_local int depth = 0;
    const auto map = impl_->maps.find(name);
    if (map == impl_->maps.end() || depth == kMaxDepth) return;
    ++depth;
    std::string source;
    map->second.config->from.expand(scope, source);
    map->second.find(source).expand(scope, out);
    --depth;
}

}  // namespace proxyd::policy
