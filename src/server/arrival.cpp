#include "arrival.hpp"

#include "proxyd/net/socket_transport.hpp"
#include "worker.hpp"

namespace proxyd::server {
namespace {

using std::chrono::milliseconds;

/// How long what is on its way at a drain is waited for; the codec's grace follows.
constexpr milliseconds kGrace{500};

Error shutting_down() {
    return Error(Reason::shutting_down);
}

}  // namespace

Arrival::Arrival(Worker& worker, Accepted accepted)
    : worker_(worker), accepted_(std::move(accepted)) {}

milliseconds Arrival::time_left() const {
    const milliseconds limit = accepted_.listener->limits.header_timeout;
    if (draining_) return kGrace;
    if (limit.count() == 0) return limit;
    const milliseconds used(worker_.loop().now() - accepted_.at);
    return std::max(limit - used, milliseconds{1});
}

Task<void> Arrival::run() {
    Result<void> outcome;
    net::tls::SecuredTransport secured;
    if (accepted_.listener->proxy_protocol) outcome = co_await read_header();
    if (outcome && accepted_.listener->tls) {
        auto shaken = co_await shake_hands();
        if (shaken) {
            secured = std::move(*shaken);
        } else {
            outcome = std::move(shaken).error();
        }
    }
    if (outcome) {
        worker_.take(accepted_, std::move(secured));
    } else {
        worker_.log_refusal(accepted_, outcome.error());
    }
    worker_.remove(*this, static_cast<bool>(outcome));
}

/// What follows begins where the PROXY header ends.
Task<Result<void>> Arrival::read_header() {
    net::ProxyPreface preface(worker_.loop(), Descriptor(accepted_.descriptor));
    preface_ = &preface;
    auto header = co_await preface.read(time_left());
    preface_ = nullptr;
    if (!header) co_return std::move(header).error();
    accepted_.proxy = *header;
    accepted_.descriptor = preface.release().release();
    co_return Result<void>{};
}

Task<Result<net::tls::SecuredTransport>> Arrival::shake_hands() {
    auto socket = net::make_socket_transport(worker_.loop(), accepted_.descriptor);
    if (!socket) co_return std::move(socket).error();
    const ListenerContext& listener = *accepted_.listener;
    net::tls::ServerHandshake handshake(worker_.loop(), worker_.tls());
    handshake_ = &handshake;
    auto secured =
        co_await handshake.accept(std::move(*socket), listener.name, listener.http2, time_left());
    handshake_ = nullptr;
    co_return std::move(secured);
}

void Arrival::drain() {
    draining_ = true;
    if (preface_ != nullptr) preface_->end_within(kGrace, shutting_down());
    if (handshake_ != nullptr) handshake_->end_within(kGrace, shutting_down());
}

void Arrival::cancel(const Error& why) {
    if (preface_ != nullptr) return preface_->cancel(why);
    if (handshake_ != nullptr) handshake_->cancel(why);
}

}  // namespace proxyd::server
