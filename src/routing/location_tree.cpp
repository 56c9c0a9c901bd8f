#include "routing/location_tree.hpp"

#include <algorithm>
#include <memory>
#include <string>

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
    entry.size = static_cast<std::uint16_t>(matcher.text.size());
    entry.location = index;
    entry.kind = matcher.kind;
    entry.plain = location.path_rule.kind == config::PathRule::Kind::none &&
                  (!location.policy || location.policy->path == config::Policy::Path::raw);
    entry.redirects = (matcher.kind == Kind::prefix || matcher.kind == Kind::final_prefix) &&
                      location.action.kind == config::Action::Kind::upstream &&
                      matcher.text.size() > 1 && matcher.text.ends_with('/');
    return entry;
}

Result<void> LocationTree::build(std::span<const config::Location> locations, std::uint32_t first) {
    std::vector<Entry> prefixes;
    std::vector<Entry> exact;
    for (std::uint32_t i = 0; i < locations.size(); ++i) {
        const config::Matcher& matcher = locations[i].matcher;
        if (matcher.text.size() > UINT16_MAX) {
            return Error(Reason::internal_error, Source::internal, Retry::no,
                         "a location is longer than 65535 bytes");
        }
        if (matcher.kind == Kind::regex || matcher.kind == Kind::iregex) {
            if (regexes_ == nullptr) regexes_ = std::make_unique<RegexList>();
            regexes_->add(matcher.text, matcher.kind == Kind::iregex, i);
        } else {
            (matcher.kind == Kind::exact ? exact : prefixes).push_back(make_entry(locations[i], i));
        }
    }
    const Head head{.first = first, .has_regexes = regexes_ != nullptr};
    fill_block(locations, head, prefixes, exact);
    return regexes_ ? regexes_->build() : Result<void>();
}

void LocationTree::fill_block(std::span<const config::Location> locations, Head head,
                              std::vector<Entry>& prefixes, std::vector<Entry>& exact) {
    const auto source = [&](const Entry& entry) -> const std::string& {
        return locations[entry.location].matcher.text;
    };
    std::ranges::stable_sort(exact, {}, source);
    std::ranges::stable_sort(prefixes, [&](const Entry& a, const Entry& b) {
        const bool raw_first = a.kind == Kind::raw_prefix && b.kind != Kind::raw_prefix;
        return source(a) != source(b) ? source(a) < source(b) : raw_first;
    });
    for (std::size_t i = 1; i < prefixes.size(); ++i) {
        auto parent = static_cast<std::int32_t>(i) - 1;
        while (parent >= 0) {
            const Entry& candidate = prefixes[static_cast<std::size_t>(parent)];
            if (source(prefixes[i]).starts_with(source(candidate))) break;
            parent = candidate.parent;
        }
        prefixes[i].parent = parent;
    }

    head.prefix_count = static_cast<std::uint32_t>(prefixes.size());
    head.exact_count = static_cast<std::uint32_t>(exact.size());
    prefixes.insert(prefixes.end(), exact.begin(), exact.end());
    const std::size_t before_texts = sizeof(Head) + prefixes.size() * sizeof(Entry);
    std::string texts;
    for (Entry& entry : prefixes) {
        entry.offset = static_cast<std::uint32_t>(before_texts + texts.size());
        texts += source(entry);
    }
    const std::size_t bytes = before_texts + texts.size();
    block_.reset(static_cast<char*>(::operator new (bytes, std::align_val_t{kLine})));
    new (block_.get()) Head(head);
    void* const entries = block_.get() + sizeof(Head);
    std::uninitialized_copy(prefixes.begin(), prefixes.end(), static_cast<Entry*>(entries));
    std::ranges::copy(texts, block_.get() + before_texts);
}

const LocationTree::Entry* LocationTree::find_exact(std::string_view path) const {
    const auto all = exact();
    const auto at =
        std::ranges::lower_bound(all, path, {}, [this](const Entry& entry) { return text(entry); });
    return at != all.end() && text(*at) == path ? &*at : nullptr;
}

/// `last` is the greatest text that is not greater than the path.
const LocationTree::Entry* LocationTree::longest_prefix(std::string_view path,
                                                        const Entry* last) const {
    const std::size_t common = common_prefix(path, text(*last));
    for (const Entry* entry = last;; entry = prefixes().data() + entry->parent) {
        const bool bounded = entry->kind != Kind::raw_prefix;
        if (entry->size <= common && (!bounded || ends_element(path, entry->size))) return entry;
        if (entry->parent < 0) return nullptr;
    }
}

/// The location whose text is `path` plus a slash. `next` is the first text greater than the path:
/// all texts that begin with the path follow from there on.
const LocationTree::Entry* LocationTree::find_redirect(std::string_view path,
                                                       const Entry* next) const {
    const Entry* const end = prefixes().data() + head().prefix_count;
    if (next == end || !text(*next).starts_with(path)) return nullptr;
    const auto before_slash = [&](const Entry& entry) {
        const std::string_view own = text(entry);
        return own.starts_with(path) && static_cast<unsigned char>(own[path.size()]) < '/';
    };
    for (next = std::partition_point(next, end, before_slash); next != end; ++next) {
        const std::string_view own = text(*next);
        if (own.size() != path.size() + 1 || !own.starts_with(path) || own.back() != '/') break;
        if (next->redirects) return next;
    }
    return nullptr;
}

std::optional<LocationTree::Found> LocationTree::find(std::string_view path) const {
    // Of many hosts this one is not in the cache: its lines come all at once, not one by one.
    for (std::size_t line = 0; line < 4; ++line) __builtin_prefetch(block_.get() + line * kLine);
    const std::uint32_t first = head().first;
    if (head().exact_count != 0) {
        if (const Entry* entry = find_exact(path))
            return Found{first + entry->location, false, entry->plain};
    }
    const auto all = prefixes();
    const auto behind =
        std::ranges::upper_bound(all, path, {}, [this](const Entry& entry) { return text(entry); });
    const Entry* next = all.data() + (behind - all.begin());
    const Entry* best = next == all.data() ? nullptr : longest_prefix(path, next - 1);
    const bool whole = best != nullptr && best->size == path.size();
    if (!whole && !path.ends_with('/')) {
        if (const Entry* entry = find_redirect(path, next))
            return Found{first + entry->location, true, entry->plain};
    }
    if (head().has_regexes && (best == nullptr || best->kind != Kind::final_prefix)) {
        if (const auto found = regexes_->find(path)) {
            return Found{first + static_cast<std::uint32_t>(*found), false, false};
        }
    }
    if (best == nullptr) return std::nullopt;
    return Found{first + best->location, false, best->plain};
}

}  // namespace proxyd::routing
