#include "dial.hpp"

#include "proxyd/net/proxy_protocol.hpp"

namespace proxyd::upstream {
namespace {

using std::chrono::milliseconds;

/// The addresses of the client's connection; without them, of nobody's.
std::string proxy_header(config::ProxyProtocol version, const AttemptSettings& settings) {
    net::ProxyHeader header;
    const auto source = IpAddress::parse(settings.client);
    if (source) {
        const auto unspecified = source->is_v6() ? IpAddress::v6({}) : IpAddress::v4({});
        header.local = false;
        header.source = *source;
        header.source_port = settings.client_port;
        header.destination = IpAddress::parse(settings.local).value_or(unspecified);
        header.destination_port = settings.local_port;
    }
    std::string text;
    if (version == config::ProxyProtocol::v1) net::append_proxy_v1(text, header);
    if (version == config::ProxyProtocol::v2) net::append_proxy_v2(text, header);
    return text;
}

/// The template's where there is one, else the server's own name, else what the client asked for,
/// else the address.
std::string tls_name(const Peer& peer, const AttemptSettings& settings) {
    if (!settings.server_name.empty()) return std::string(settings.server_name);
    if (!peer.host.empty()) return peer.host;
    if (!settings.asked_host.empty()) return std::string(settings.asked_host);
    return peer.endpoint->is_unix() ? std::string() : peer.endpoint->ip().text();
}

}  // namespace

net::tls::ClientContextPtr ClientContexts::of(
    const std::shared_ptr<const net::tls::ClientPolicy>& policy) {
    Entry& entry = contexts_[policy->id()];
    entry.policy = policy;
    if (!entry.context) entry.context = new net::tls::ClientContext(*policy);
    return entry.context;
}

void ClientContexts::forget_unused() {
    std::erase_if(contexts_, [](const auto& item) { return item.second.policy.expired(); });
}

Opening opening_of(const config::Upstream& upstream, const Peer& peer,
                   const AttemptSettings& settings) {
    Opening opening;
    opening.http2 = upstream.http2 && !(settings.upgrade && peer.tls);
    if (opening.http2) opening.tag.append("2");
    if (upstream.proxy_protocol != config::ProxyProtocol::off) {
        opening.header = proxy_header(upstream.proxy_protocol, settings);
        opening.tag.append("p").append(opening.header);
    }
    if (peer.tls) {
        opening.name = tls_name(peer, settings);
        opening.name_is_asked = upstream.tls.server_name.empty()
                                    ? peer.host.empty()
                                    : !upstream.tls.server_name.constant();
        opening.tag.append("t").append(upstream.tls.policy->id()).append(opening.name);
    }
    return opening;
}

Dial::Dial(async::Loop& loop, ClientContexts& contexts) noexcept
    : loop_(loop), contexts_(contexts), connector_(loop), handshake_(loop) {}

Task<Result<net::TransportPtr>> Dial::open(const config::Upstream& upstream, const Peer& peer,
                                           const Opening& opening, milliseconds limit) {
    const async::Milliseconds start = loop_.now();
    auto transport = co_await connector_.connect(*peer.endpoint, limit);
    if (!transport) co_return transport;
    connected_ = true;
    if (!opening.header.empty()) {
        // A new connection's buffer has room for it.
        const iovec piece{const_cast<char*>(opening.header.data()), opening.header.size()};
        const net::SendResult sent = (*transport)->send({&piece, 1});
        if (sent.bytes != opening.header.size()) {
            (*transport)->close();
            co_return Error(Reason::upstream_reset, Source::upstream, Retry::yes,
                            "the PROXY header could not be sent");
        }
    }
    http2_ = opening.http2;
    if (!peer.tls) co_return transport;
    milliseconds left = limit;
    if (limit.count() != 0)
        left = std::max(limit - milliseconds(loop_.now() - start), milliseconds(1));
    auto context = contexts_.of(upstream.tls.policy);
    auto secured = co_await handshake_.connect(std::move(*transport), std::move(context),
                                               peer.address, opening.name, opening.http2, left);
    http2_ = handshake_.http2();
    co_return secured;
}

void Dial::cancel(const Error& why) {
    // Whoever waits goes on at once, and this object with it.
    if (connected_) return handshake_.cancel(why);
    connector_.cancel(why);
}

}  // namespace proxyd::upstream
