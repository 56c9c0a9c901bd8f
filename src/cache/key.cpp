#include "proxyd/cache/key.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "proxyd/base/text.hpp"

namespace proxyd::cache {

Key key_of(std::string_view text) noexcept {
    const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
    return {hash.high64, hash.low64};
}

KeyText hex(const Key& key) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    KeyText text;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::uint64_t half = i < 16 ? key.high : key.low;
        text[i] = kDigits[(half >> (60 - 4 * (i % 16))) & 15];
    }
    return text;
}

void append_url(std::string& out, std::string_view scheme, std::string_view authority,
                std::string_view target) {
    const std::string_view usual = scheme == "https" ? ":443" : ":80";
    if (authority.ends_with(usual)) authority.remove_suffix(usual.size());
    out.reserve(out.size() + scheme.size() + 3 + authority.size() + target.size());
    out.append(scheme).append("://");
    for (const char c : authority) out += text::lower(c);
    out.append(target);
}

}  // namespace proxyd::cache
