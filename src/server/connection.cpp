#include "connection.hpp"

#include "proxyd/proxy/exchange.hpp"
#include "worker.hpp"

namespace proxyd::server {

Connection::Connection(Worker& worker, net::TransportPtr transport, const Accepted& accepted,
                       std::uint64_t id, std::string local_address, std::uint16_t local_port)
    : worker_(worker), listener_(accepted.listener), local_address_(std::move(local_address)) {
    const bool is_unix = accepted.remote.is_unix();
    remote_address_ = is_unix ? "unix:" : accepted.remote.ip().text();
    facts_.remote_address = remote_address_;
    facts_.remote_port = accepted.remote.port();
    facts_.local_address = local_address_;
    facts_.local_port = local_port;
    facts_.listener = listener_->name;
    facts_.connection_id = id;
    facts_.loopback_client = is_unix || accepted.remote.ip().is_loopback();
    codec_ = codec::make_h1_server(worker.loop(), std::move(transport), listener_->limits, facts_);
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
