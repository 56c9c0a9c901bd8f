#include "proxyd/http/uri.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "http/uri_chars.hpp"

namespace proxyd::http {
namespace {

void append_escape(std::string& out, char c) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    const char escape[] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    out.append(escape, sizeof escape);
}

/// What a target may not hold raw: controls, space, 8-bit, and what would end or split a path.
constexpr bool must_escape(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || c == '\\' || c == '?' || c == '#';
}

constexpr bool is_dots(std::string_view element) noexcept {
    return element == "." || element == "..";
}

constexpr std::uint64_t kOnes = 0x0101010101010101;

std::uint64_t load(const char* from) noexcept {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return word;
}

/// The top bit of every byte of `word` that equals `c` is set in the result. Other top bits may be
/// set too, the lower bits are noise.
constexpr std::uint64_t equal_bytes(std::uint64_t word, char c) noexcept {
    const std::uint64_t x = word ^ (kOnes * static_cast<unsigned char>(c));
    return (x - kOnes) & ~x;
}

/// Marks every byte that may make a path not plain, and a few others. `slash_before`: bit 7 is set
/// when the byte before this word may be '/'; updated for the next word (earlier bytes lie lower).
std::uint64_t suspects(std::uint64_t word, std::uint64_t& slash_before) noexcept {
    const std::uint64_t slash = equal_bytes(word, '/') & (kOnes << 7);
    const std::uint64_t behind_slash =
        ((slash << 8) | slash_before) & (slash | equal_bytes(word, '.'));
    slash_before = slash >> 56;
    const std::uint64_t up_to_space = (word - kOnes * 0x21) & ~word;
    return behind_slash |
           ((word | up_to_space | equal_bytes(word, '%') | equal_bytes(word, '\\') |
             equal_bytes(word, '?') | equal_bytes(word, '#') | equal_bytes(word, 0x7f)) &
            (kOnes << 7));
}

/// The exact rule, for paths that hold "/." or another suspect.
bool is_plain_slow(std::string_view path) noexcept {
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '%' || must_escape(path[i])) return false;
        if (path[i] != '/') continue;
        const std::string_view rest = path.substr(i + 1);
        if (rest.starts_with('/')) return false;
        if (rest.starts_with('.') && is_dots(rest.substr(0, rest.find('/')))) return false;
    }
    return true;
}

/// One path element, read in both ways.
struct Element {
    std::string decoded, encoded;
    bool hides_separator = false;  ///< an encoded slash, or a backslash in any spelling
    bool ambiguous = false;
};

/// Cuts an element at the separators that some backends see in it.
template <class Each>
void for_each_part(std::string_view decoded, Each&& each) {
    while (true) {
        const std::size_t cut = decoded.find_first_of("/\\");
        each(decoded.substr(0, cut));
        if (cut == std::string_view::npos) return;
        decoded.remove_prefix(cut + 1);
    }
}

/// False: a NUL or a broken escape.
bool read_byte(std::string_view raw, std::size_t& at, Element& element) {
    if (raw[at] != '%') {
        const char c = raw[at++];
        element.decoded += c;
        if (c == '\\') element.hides_separator = true;
        must_escape(c) ? append_escape(element.encoded, c) : void(element.encoded += c);
        return c != '\0';
    }
    const int byte = escaped_byte(raw, at);
    if (byte <= 0) return false;
    at += 3;
    const char c = static_cast<char>(byte);
    element.decoded += c;
    if (c == '/' || c == '\\') element.hides_separator = true;
    if (c == '.') element.ambiguous = true;
    is(c, kUnreserved) ? void(element.encoded += c) : append_escape(element.encoded, c);
    return true;
}

/// False: the path cannot be accepted.
bool read_element(std::string_view raw, Element& element) {
    element.decoded.clear();
    element.encoded.clear();
    element.hides_separator = element.ambiguous = false;
    for (std::size_t at = 0; at < raw.size();) {
        if (!read_byte(raw, at, element)) return false;
    }
    if (element.hides_separator) element.ambiguous = true;
    bool accepted = true;
    for_each_part(element.decoded, [&](std::string_view part) {
        const std::size_t semicolon = part.find(';');
        if (semicolon != part.npos && is_dots(part.substr(0, semicolon))) element.ambiguous = true;
        if (element.hides_separator && is_dots(part)) accepted = false;
    });
    return accepted;
}

/// Builds both spellings element by element; each ends in '/' between elements.
class PathBuilder {
  public:
    PathBuilder() { path_.decoded = path_.encoded = "/"; }

    void append(const Element& element, bool slash_follows) {
        for (const char c : element.decoded) append_merged(c);
        path_.encoded += element.encoded;
        if (!slash_follows) return;
        append_merged('/');
        path_.encoded += '/';
    }

    /// Removes the last element. False: above the root, or the element reads as several.
    bool climb() {
        if (path_.encoded.size() < 2) return false;
        const std::size_t start = path_.encoded.rfind('/', path_.encoded.size() - 2) + 1;
        const std::string_view removed = std::string_view(path_.encoded).substr(start);
        if (removed.find("%2F") != removed.npos || removed.find("%5C") != removed.npos) {
            return false;
        }
        path_.encoded.resize(start);
        path_.decoded.resize(path_.decoded.rfind('/', path_.decoded.size() - 2) + 1);
        return true;
    }

    void mark_ambiguous() noexcept { path_.ambiguous = true; }
    NormalisedPath take() && { return std::move(path_); }

  private:
    void append_merged(char c) {
        if (c != '/' || path_.decoded.back() != '/') path_.decoded += c;
    }
    NormalisedPath path_;
};

Error bad_path(const char* why) {
    return Error(Reason::bad_path, Source::downstream, Retry::no, why);
}

}  // namespace

Target split_target(std::string_view target) noexcept {
    const auto* mark =
        target.empty() ? nullptr
                       : static_cast<const char*>(std::memchr(target.data(), '?', target.size()));
    if (mark == nullptr) return {target, {}, false};
    const auto cut = static_cast<std::size_t>(mark - target.data());
    return {target.substr(0, cut), target.substr(cut + 1), true};
}

bool is_plain_path(std::string_view path) noexcept {
    if (path.empty() || path.front() != '/') return false;
    if (std::endian::native != std::endian::little || path.size() < 8) return is_plain_slow(path);
    std::uint64_t slash_before = 0;
    std::uint64_t suspect = 0;
    const char* at = path.data();
    const char* const last = at + path.size() - 8;
    for (; at < last; at += 8) suspect |= suspects(load(at), slash_before);
    // The last eight bytes overlap the word before, unless the size is a multiple of eight.
    if (at > last) slash_before = 0;
    suspect |= suspects(load(last), slash_before);
    return suspect == 0 || is_plain_slow(path);
}

Result<NormalisedPath> normalise_path(std::string_view path) {
    if (!path.starts_with('/')) return bad_path("the path does not begin with '/'");
    PathBuilder builder;
    Element element;
    bool empty_element = false;
    bool climbed = false;
    for (std::size_t at = 1; at <= path.size();) {
        const std::size_t cut = std::min(path.find('/', at), path.size());
        const bool slash_follows = cut < path.size();
        const std::string_view raw = path.substr(at, cut - at);
        at = cut + 1;
        if (raw.empty()) {
            empty_element = empty_element || slash_follows;
            continue;
        }
        if (!read_element(raw, element)) {
            return bad_path("a NUL, a broken escape, or a dot segment next to an encoded slash");
        }
        if (element.ambiguous) builder.mark_ambiguous();
        if (element.decoded == "..") {
            climbed = true;
            if (!builder.climb()) return bad_path("'..' climbs above the root");
        } else if (element.decoded != ".") {
            builder.append(element, slash_follows);
        }
    }
    // "/a//../b" is "/b" with slashes merged first and "/a/b" without.
    if (empty_element && climbed) builder.mark_ambiguous();
    return std::move(builder).take();
}

bool has_dot_segment(std::string_view path) noexcept {
    std::size_t dots = 0;
    bool other = false;
    for (std::size_t at = 0; at < path.size();) {
        const int escaped = path[at] == '%' ? escaped_byte(path, at) : -1;
        const char c = escaped < 0 ? path[at] : static_cast<char>(escaped);
        at += escaped < 0 ? 1 : 3;
        if (c == '/' || c == '\\') {
            if (!other && (dots == 1 || dots == 2)) return true;
            dots = 0;
            other = false;
        } else {
            c == '.' ? void(++dots) : void(other = true);
        }
    }
    return !other && (dots == 1 || dots == 2);
}

void append_escaped(std::string_view text, std::string& out) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool plain = c == '?' || c == '#' || !must_escape(c);
        const bool escape = !plain || (c == '%' && escaped_byte(text, at) < 0);
        escape ? append_escape(out, c) : void(out += c);
    }
}

std::string encode_path(std::string_view decoded) {
    std::string out;
    out.reserve(decoded.size());
    for (const char c : decoded) is(c, kPathByte) ? void(out += c) : append_escape(out, c);
    return out;
}

}  // namespace proxyd::http
