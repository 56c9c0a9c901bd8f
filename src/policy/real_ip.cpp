#include "proxyd/policy/real_ip.hpp"

#include <algorithm>
#include <optional>

#include "proxyd/http/fields/forwarded.hpp"

namespace proxyd::policy {
namespace {

bool contains(std::span<const Cidr> networks, const IpAddress& address) noexcept {
    return std::ranges::any_of(networks,
                               [&](const Cidr& network) { return network.contains(address); });
}

std::optional<http::ForwardedNode> read_node(std::string_view element, bool rfc7239) noexcept {
    if (!rfc7239) return http::parse_forwarded_node(element);
    const auto parsed = http::parse_forwarded_element(element);
    return parsed ? http::parse_forwarded_node(parsed->for_) : std::nullopt;
}

}  // namespace

RealIp::RealIp(const config::Snapshot& snapshot)
    : networks_(snapshot.trusted_proxies),
      field_(snapshot.real_ip_header),
      rfc7239_(http::classify(snapshot.real_ip_header) == http::FieldId::forwarded) {}

bool RealIp::trusts(std::string_view address) const noexcept {
    if (networks_.empty()) return false;
    const auto parsed = IpAddress::parse(address);
    return parsed && contains(networks_, *parsed);
}

ClientAddress RealIp::resolve(std::string_view peer, std::uint16_t peer_port,
                              const http::HeaderMap& fields, Arena& arena) const {
    ClientAddress client{peer, peer_port, trusts(peer)};
    if (!client.trusted) return client;
    http::ReverseElements elements(fields, field_);
    std::optional<http::ForwardedNode> last;
    while (const auto element = elements.next()) {
        const auto node = read_node(*element, rfc7239_);
        if (!node) break;
        last = node;
        if (!contains(networks_, node->address)) break;
    }
    if (!last) return client;
    client.text = arena.copy(last->address.text());  // one spelling for logs, limits and hashes
    client.port = last->port;
    return client;
}

}  // namespace proxyd::policy
