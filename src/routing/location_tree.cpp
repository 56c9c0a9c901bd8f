#include "routing/location_tree.hpp"

#include <algorithm>

namespace proxyd::routing {
namespace {

using Kind = config::Matcher::Kind;

std::size_t common_prefix(std::string_view a, std::string_view b) noexcept {
    return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

/// A bounded prefix of `size` bytes ends at the end of a path element.
bool ends_element(std::string_view path, std::size_t size) noexcept {
    return path.size() == size || path[size] == '/' || path[size - 1] == '/';
}

}  // namespace

LocationTree::Entry LocationTree::make_entry(const config::Location& location,
                                             std::uint32_t index) {
    const config::Matcher& matcher = location.matcher;
    Entry entry;
    entry.offset = static_cast<std::uint32_t>(texts_.size());
    entry.size = static_cast<std::uint32_t>(matcher.text.size());
    entry.location = index;
    entry.kind = matcher.kind;
    entry.redirects = (matcher.kind == Kind::prefix || matcher.kind == Kind::final_prefix) &&
                      location.action.kind == config::Action::Kind::upstream &&
                      matcher.text.size() > 1 && matcher.text.ends_with('/');
    texts_ += matcher.text;
    return entry;
}

Result<void> LocationTree::build(std::span<const config::Location> locations) {
    for (std::uint32_t i = 0; i < locations.size(); ++i) {
        const config::Matcher& matcher = locations[i].matcher;
        if (matcher.kind == Kind::regex || matcher.kind == Kind::iregex) {
            regexes_.add(matcher.text, matcher.kind == Kind::iregex, i);
            continue;
        }
        const Entry entry = make_entry(locations[i], i);
        (matcher.kind == Kind::exact ? exact_ : prefixes_).push_back(entry);
        has_redirects_ = has_redirects_ || entry.redirects;
    }
    const auto by_text = [this](const Entry& a, const Entry& b) { return text(a) < text(b); };
    const auto by_text_and_kind = [this](const Entry& a, const Entry& b) {
        const bool raw_a = a.kind == Kind::raw_prefix;
        const bool raw_b = b.kind == Kind::raw_prefix;
        return text(a) != text(b) ? text(a) < text(b) : raw_a && !raw_b;
    };
    std::ranges::stable_sort(exact_, by_text);
    std::ranges::stable_sort(prefixes_, by_text_and_kind);
    link_parents();
    texts_.shrink_to_fit();
    exact_.shrink_to_fit();
    prefixes_.shrink_to_fit();
    return regexes_.build();
}

void LocationTree::link_parents() {
    for (std::size_t i = 1; i < prefixes_.size(); ++i) {
        auto parent = static_cast<std::int32_t>(i) - 1;
        while (parent >= 0) {
            const Entry& candidate = prefixes_[static_cast<std::size_t>(parent)];
            if (text(prefixes_[i]).starts_with(text(candidate))) break;
            parent = candidate.parent;
        }
        prefixes_[i].parent = parent;
    }
}

const LocationTree::Entry* LocationTree::find_exact(std::string_view path) const {
    const auto at = std::ranges::lower_bound(exact_, path, {},
                                             [this](const Entry& entry) { return text(entry); });
    return at != exact_.end() && text(*at) == path ? &*at : nullptr;
}

const LocationTree::Entry* LocationTree::find_prefix(std::string_view path) const {
    const auto behind = std::ranges::upper_bound(
        prefixes_, path, {}, [this](const Entry& entry) { return text(entry); });
    if (behind == prefixes_.begin()) return nullptr;
    const Entry* entry = &*(behind - 1);
    const std::size_t common = common_prefix(path, text(*entry));
    while (true) {
        const bool bounded = entry->kind != Kind::raw_prefix;
        if (entry->size <= common && (!bounded || ends_element(path, entry->size))) return entry;
        if (entry->parent < 0) return nullptr;
        entry = &prefixes_[static_cast<std::size_t>(entry->parent)];
    }
}

/// The location whose text is `path` plus a slash.
const LocationTree::Entry* LocationTree::find_redirect(std::string_view path) const {
    const auto less = [this](const Entry& entry, std::string_view wanted) {
        const std::string_view own = text(entry);
        const int order = own.substr(0, wanted.size()).compare(wanted);
        if (order != 0) return order < 0;
        return own.size() == wanted.size() || static_cast<unsigned char>(own[wanted.size()]) < '/';
    };
    for (auto at = std::lower_bound(prefixes_.begin(), prefixes_.end(), path, less);
         at != prefixes_.end() && at->size == path.size() + 1; ++at) {
        if (!text(*at).starts_with(path) || text(*at).back() != '/') break;
        if (at->redirects) return &*at;
    }
    return nullptr;
}

std::optional<LocationTree::Found> LocationTree::find(std::string_view path) const {
    if (!exact_.empty()) {
        if (const Entry* entry = find_exact(path)) return Found{entry->location, false};
    }
    const Entry* best = find_prefix(path);
    const bool whole = best != nullptr && best->size == path.size();
    if (has_redirects_ && !whole && !path.ends_with('/')) {
        if (const Entry* entry = find_redirect(path)) return Found{entry->location, true};
    }
    if (!regexes_.empty() && (best == nullptr || best->kind != Kind::final_prefix)) {
        if (const auto found = regexes_.find(path)) {
            return Found{static_cast<std::uint32_t>(*found), false};
        }
    }
    if (best == nullptr) return std::nullopt;
    return Found{best->location, false};
}

}  // namespace proxyd::routing
