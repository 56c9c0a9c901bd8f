#include "proxyd/cache/selector.hpp"

namespace proxyd::cache {
namespace {

bool has_word(std::string_view words, std::string_view wanted) noexcept {
    while (!words.empty()) {
        const std::size_t space = words.find(' ');
        if (words.substr(0, space) == wanted) return true;
        if (space == std::string_view::npos) return false;
        words.remove_prefix(space + 1);
    }
    return false;
}

}  // namespace

bool Selector::matches(const StoredHead& head) const noexcept {
    switch (kind) {
        case Kind::url:
            return head.the_url() == text;
        case Kind::prefix:
            return head.the_url().starts_with(text);
        case Kind::tag:
            return has_word(head.tags, text);
        case Kind::all:
            return true;
    }
    return false;
}

}  // namespace proxyd::cache
