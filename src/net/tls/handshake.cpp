#include "proxyd/net/tls/handshake.hpp"

#include <openssl/x509.h>

#include <optional>

#include "agreement.hpp"
#include "tls_error.hpp"
#include "tls_transport.hpp"

namespace proxyd::net::tls {
namespace {

Reason reason_of(long verdict) noexcept {
    switch (verdict) {
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return Reason::upstream_certificate_name;
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return Reason::upstream_certificate_expired;
        default:
            return Reason::upstream_certificate_untrusted;
    }
}

Error failed(const SSL* ssl, const ErrorCode& error, std::string_view server,
             std::string_view name) {
    const std::string where = std::string(server) + " as '" + std::string(name) + "': ";
    const long verdict = SSL_get_verify_result(ssl);
    if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && verdict != X509_V_OK) {
        return Error(reason_of(verdict), Source::upstream, Retry::yes,
                     where + X509_verify_cert_error_string(verdict));
    }
    return Error(Reason::upstream_tls_failed, Source::upstream, Retry::yes,
                 where + error.message());
}

}  // namespace

struct Handshake::Pending final : HandshakeListener {
    explicit Pending(async::Loop& loop) : deadline(loop.wheel(), &Pending::expired, this) {}

    static void expired(void* self) {
        static_cast<Pending*>(self)->end(
            Error(Reason::upstream_timeout_tls, Source::upstream, Retry::yes,
                  "the handshake was not complete within timeouts.connect"));
    }
    void on_handshake(const ErrorCode& code) override {
        outcome = code;
        done.set();
    }
    void end(Error why) {
        if (!error) error = std::move(why);
        done.set();
    }

    async::Deadline deadline;
    Event done;
    ErrorCode outcome;
    std::optional<Error> error;
};

Handshake::Handshake(async::Loop& loop) noexcept : loop_(loop) {}
Handshake::~Handshake() = default;

Task<Result<TransportPtr>> Handshake::connect(TransportPtr below, ClientContextPtr context,
                                              std::string_view server, std::string_view name,
                                              bool http2, std::chrono::milliseconds limit) {
    SslPtr ssl(context->open(server, name, http2));
    if (!ssl) {
        below->close();
        co_return Error(Reason::upstream_certificate_name, Source::upstream, Retry::no,
                        "no certificate can be for the name '" + std::string(name) + "'");
    }
    const boost::intrusive_ptr<TlsTransport> transport(
        new TlsTransport(loop_, std::move(below), std::move(ssl)));
    Pending pending(loop_);
    pending_ = &pending;
    pending.deadline.arm(limit);
    transport->handshake(pending);
    co_await pending.done.wait();
    pending_ = nullptr;
    pending.deadline.disarm();
    transport->forget_listener();
    if (pending.error) {
        transport->abort();
        co_return std::move(*pending.error);
    }
    if (pending.outcome) {
        Error why = failed(transport->ssl(), pending.outcome, server, name);
        transport->close();
        co_return why;
    }
    http2_ = application_of(transport->ssl()) == "h2";
    co_return TransportPtr(transport);
}

void Handshake::cancel(Error why) {
    if (pending_ != nullptr) pending_->end(std::move(why));
}

}  // namespace proxyd::net::tls
