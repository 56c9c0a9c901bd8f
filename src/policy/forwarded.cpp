#include "proxyd/policy/forwarded.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "proxyd/base/text.hpp"
#include "proxyd/http/fields/host.hpp"

namespace proxyd::policy {
namespace {

using http::FieldId;

constexpr http::FieldSet kClaims{FieldId::x_forwarded_for,  FieldId::x_forwarded_proto,
                                 FieldId::x_forwarded_host, FieldId::x_forwarded_port,
                                 FieldId::x_real_ip,        FieldId::forwarded};
constexpr std::string_view kClaimPrefix = "x-forwarded-";

/// X-Forwarded-Prefix, -Ssl, -Server, ... are believed by some backends just as well.
bool is_claim(const http::Field& field) noexcept {
    if (field.id != FieldId::other) return kClaims.contains(field.id);
    return field.name.size() > kClaimPrefix.size() && text::lower(field.name[0]) == 'x' &&
           text::iequals(field.name.substr(0, kClaimPrefix.size()), kClaimPrefix);
}

std::string_view lower_host(std::string_view authority, Arena& arena) {
    const std::string_view host = http::host_of(authority);
    if (std::ranges::none_of(host, [](char c) { return c >= 'A' && c <= 'Z'; })) return host;
    char* place = arena.allocate(host.size());
    std::ranges::transform(host, place, text::lower);
    return {place, host.size()};
}

std::string_view decimal(std::uint16_t value, Arena& arena) {
    char* place = arena.allocate(5);
    const auto end = std::to_chars(place, place + 5, value).ptr;
    return {place, static_cast<std::size_t>(end - place)};
}

std::string_view via_text(http::Version version) noexcept {
    switch (version) {
        case http::Version::http10:
            return "1.0 proxyd";
        case http::Version::http11:
            return "1.1 proxyd";
        case http::Version::http2:
            return "2 proxyd";
    }
    return {};
}

/// The peer as an element of Forwarded (RFC 7239 6).
std::string_view forwarded_element(std::string_view peer, Arena& arena) {
    if (peer.starts_with("unix:")) return "for=unknown";
    const bool ip6 = peer.find(':') != std::string_view::npos;
    std::string text("for=");
    return arena.copy(text.append(ip6 ? "\"[" : "").append(peer).append(ip6 ? "]\"" : ""));
}

void set(http::HeaderMap& fields, FieldId id, std::string_view value) {
    if (!fields.maybe(id)) return fields.add(id, value);
    fields.set(id, http::name_of(id), value);
}

/// A trusted proxy's word stands.
void set_unless_kept(http::HeaderMap& fields, FieldId id, std::string_view value, bool trusted) {
    if (trusted && fields.count(id) > 0) return;
    set(fields, id, value);
}

}  // namespace

std::string_view forwarded_for(const http::HeaderMap& fields, const ForwardedFacts& facts,
                               Arena& arena) {
    if (!facts.trusted || !fields.maybe(FieldId::x_forwarded_for)) return facts.peer;
    constexpr std::string_view kSeparator = ", ";
    std::size_t size = facts.peer.size();
    for (const http::Field& field : fields) {
        if (field.id == FieldId::x_forwarded_for) size += field.value.size() + kSeparator.size();
    }
    char* const place = arena.allocate(size);
    char* at = place;
    const auto put = [&at](std::string_view part) {
        if (!part.empty()) std::memcpy(at, part.data(), part.size());
        at += part.size();
    };
    for (const http::Field& field : fields) {
        if (field.id != FieldId::x_forwarded_for || field.value.empty()) continue;
        put(field.value);
        put(kSeparator);
    }
    put(facts.peer);
    return {place, static_cast<std::size_t>(at - place)};
}

void set_forwarded_fields(http::HeaderMap& fields, const ForwardedFacts& facts, Arena& arena) {
    const std::string_view for_value = forwarded_for(fields, facts, arena);
    if (!facts.trusted) std::erase_if(fields.raw(), is_claim);

    set(fields, FieldId::x_real_ip, facts.client);
    set(fields, FieldId::x_forwarded_for, for_value);
    set_unless_kept(fields, FieldId::x_forwarded_proto, http::scheme_text(facts.scheme),
                    facts.trusted);
    if (!facts.authority.empty()) {
        set_unless_kept(fields, FieldId::x_forwarded_host, lower_host(facts.authority, arena),
                        facts.trusted);
    }
    if (facts.local_port != 0) {
        set_unless_kept(fields, FieldId::x_forwarded_port, decimal(facts.local_port, arena),
                        facts.trusted);
    }
    // A chain that a trusted proxy keeps goes on; we begin none.
    if (facts.trusted && fields.maybe(FieldId::forwarded)) {
        fields.add(FieldId::forwarded, forwarded_element(facts.peer, arena));
    }
    // RFC 9110 7.6.3: appended, whoever sent the lines before.
    if (facts.via) fields.add(FieldId::via, via_text(facts.version));
}

}  // namespace proxyd::policy
