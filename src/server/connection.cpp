#include "connection.hpp"

#include <sys/socket.h>

#include "proxyd/proxy/exchange.hpp"
#include "worker.hpp"

namespace proxyd::server {

Connection::Connection(Worker& worker, net::TransportPtr transport, const Accepted& accepted,
                       std::uint64_t id, SecureFactsPtr secure)
    : worker_(worker), listener_(accepted.listener), secure_(std::move(secure)) {
    const bool is_unix = accepted.remote.is_unix();
    socket_address_ = is_unix ? "unix:" : accepted.remote.ip().text();
    facts_.socket_address = facts_.remote_address = socket_address_;
    facts_.remote_port = accepted.remote.port();
    facts_.loopback_client = is_unix || accepted.remote.ip().is_loopback();
    if (!accepted.proxy.local) take_proxy_header(accepted.proxy);
    take_local_address(accepted.descriptor);
    facts_.listener = listener_->name;
    facts_.connection_id = id;
    facts_.connected_at = accepted.at;
    if (secure_ != nullptr) {
        facts_.secure = true;
        facts_.tls = &secure_->facts();
    }
    codec_ = make_codec(std::move(transport));
}

std::unique_ptr<codec::ServerCodec> Connection::make_codec(net::TransportPtr transport) {
    const bool chosen = facts_.tls != nullptr && facts_.tls->alpn == "h2";
    const bool open = facts_.tls == nullptr && listener_->http2;
    const auto make = chosen ? codec::make_h2_server
                      : open ? codec::make_detecting_server
                             : codec::make_h1_server;
    return make(worker_.loop(), std::move(transport), listener_->limits, facts_);
}

Connection::OwnAddresses& Connection::own_addresses() {
    if (!own_addresses_) own_addresses_ = std::make_unique<OwnAddresses>();
    return *own_addresses_;
}

/// Behind a wildcard address only the socket knows.
void Connection::take_local_address(int descriptor) {
    facts_.local_address = listener_->local_address;
    facts_.local_port = listener_->endpoint.port();
    if (!listener_->any_address) return;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size);
    const net::Endpoint local = net::Endpoint::from(storage, size);
    std::string& address = own_addresses().local;
    address = local.ip().text();
    facts_.local_address = address;
    facts_.local_port = local.port();
}

/// From here on the client is whom the header names.
void Connection::take_proxy_header(const net::ProxyHeader& header) {
    std::string& address = own_addresses().proxied;
    address = header.source.text();
    facts_.remote_address = facts_.proxy_protocol_address = address;
    facts_.remote_port = facts_.proxy_protocol_port = header.source_port;
    facts_.loopback_client = facts_.loopback_client && header.source.is_loopback();
}

Task<void> Connection::run() {
    while (true) {
        auto stream = co_await codec_->accept();
        if (!stream) break;
        exchanges_.spawn(
            proxy::run_exchange(worker_.context(), worker_.generation(), std::move(stream)));
    }
    co_await exchanges_.join();
    worker_.remove(*this);
}

}  // namespace proxyd::server
