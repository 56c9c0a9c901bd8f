#include "proxyd/policy/location_rewrite.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "proxyd/base/text.hpp"
#include "proxyd/http/fields/host.hpp"
#include "proxyd/http/uri.hpp"

namespace proxyd::policy {
namespace {

constexpr auto npos = std::string_view::npos;

/// A reference (RFC 3986 4.1) in the two forms that can name an upstream: with an authority, or an
/// absolute path. Views into it.
struct Reference {
    std::string_view front;      ///< "http://app:3000", "//app:3000" or nothing
    std::string_view authority;  ///< within `front`
    std::uint16_t default_port = 0;
    std::string_view path;
    std::string_view rest;  ///< "?query#fragment"
};

bool starts_with_word(std::string_view text, std::string_view word) noexcept {
    return text::iequals(text.substr(0, word.size()), word);
}

std::optional<Reference> parse(std::string_view text) {
    Reference reference;
    std::size_t start = npos;
    for (const auto& [scheme, port] : {std::pair{"http://", 80}, std::pair{"https://", 443}}) {
        if (!starts_with_word(text, scheme)) continue;
        start = std::string_view(scheme).size();
        reference.default_port = static_cast<std::uint16_t>(port);
    }
    if (start == npos && text.starts_with("//")) start = 2;
    if (start != npos) {
        const std::size_t end = std::min(text.find_first_of("/?#\\", start), text.size());
        reference.front = text.substr(0, end);
        reference.authority = text.substr(start, end - start);
    } else if (!text.starts_with('/') || text.starts_with("/\\")) {
        return std::nullopt;
    }
    const std::string_view behind = text.substr(reference.front.size());
    const std::size_t end = std::min(behind.find_first_of("?#"), behind.size());
    reference.path = behind.substr(0, end);
    reference.rest = behind.substr(end);
    if (!reference.path.empty() && reference.path.front() != '/') return std::nullopt;
    return reference;
}

enum class Whose : std::uint8_t { others, clients, upstreams };

std::uint16_t port_of(std::string_view digits, std::uint16_t otherwise) noexcept {
    std::from_chars(digits.data(), digits.data() + digits.size(), otherwise);
    return otherwise;
}

/// "app.test" and "app.test:80" are one authority to http.
bool is_authority(const Reference& reference, std::string_view host, std::string_view authority) {
    const std::uint16_t usual = reference.default_port;
    return text::iequals(host, http::host_of(authority)) &&
           port_of(http::port_of(reference.authority), usual) ==
               port_of(http::port_of(authority), usual);
}

Whose owner(const Reference& reference, const LocationFacts& facts) {
    const auto parts = http::parse_authority(reference.authority);
    if (!parts || parts->host.empty()) return Whose::others;
    const std::string_view host = http::host_of(reference.authority);
    if (is_authority(reference, host, facts.client_host)) return Whose::clients;
    const std::uint16_t usual = reference.default_port != 0 ? reference.default_port : 80;
    const std::uint16_t port = port_of(parts->port, usual);
    if (facts.own.contain(parts->host, port)) return Whose::upstreams;
    if (is_authority(reference, host, facts.sent_host)) return Whose::upstreams;
    // Its name for the world with the port that only we use.
    const bool hidden = port != 80 && port != 443 && facts.own.have_port(port);
    const bool known = text::iequals(host, http::host_of(facts.sent_host));
    return hidden && known ? Whose::upstreams : Whose::others;
}

/// A relative reference never begins with "//" or "/\": to a browser that is a host, also with tabs
/// between the two.
std::string_view on_this_host(std::string_view path, Arena& arena) {
    const std::size_t slashes = std::min(path.find_first_not_of("/\\\t"), path.size());
    if (slashes == 1) return path;
    std::string text("/");
    return arena.copy(text.append(path.substr(slashes)));
}

std::string_view join(std::string_view front, std::string_view path, std::string_view rest,
                      Arena& arena) {
    std::string text(front);
    return arena.copy(text.append(path).append(rest));
}

}  // namespace

std::string_view rewrite_reference(std::string_view text, const LocationFacts& facts,
                                   Arena& arena) {
    const auto reference = parse(text);
    if (!reference) return text;
    const bool relative = reference->front.empty();
    const Whose whose = relative ? Whose::clients : owner(*reference, facts);
    if (whose == Whose::others) return text;
    const std::string_view asked = reference->path.empty() ? "/" : reference->path;
    const std::string_view path = facts.client_path(facts.context, asked, arena);
    if (whose == Whose::clients && path == asked) return text;
    if (whose == Whose::clients && !relative) {
        return join(reference->front, path, reference->rest, arena);
    }
    return join("", on_this_host(path, arena), reference->rest, arena);
}

std::string_view rewrite_refresh(std::string_view value, const LocationFacts& facts, Arena& arena) {
    std::size_t at = value.find_first_of(";,");
    if (at == npos) return value;
    at = value.find_first_not_of(" \t", at + 1);
    if (at == npos || !starts_with_word(value.substr(at), "url")) return value;
    at = value.find_first_not_of(" \t", at + 3);
    if (at == npos || value[at] != '=') return value;
    at = value.find_first_not_of(" \t", at + 1);
    if (at == npos) return value;
    std::size_t end = value.size();
    if (value[at] == '"' || value[at] == '\'') {
        end = std::min(value.find(value[at], at + 1), value.size());
        ++at;
    }
    const std::string_view url = value.substr(at, end - at);
    const std::string_view rewritten = rewrite_reference(url, facts, arena);
    if (rewritten == url) return value;
    return join(value.substr(0, at), rewritten, value.substr(end), arena);
}

}  // namespace proxyd::policy
