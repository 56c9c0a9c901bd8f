#include "proxyd/net/tls/server_handshake.hpp"

#include <openssl/x509.h>

#include <array>
#include <boost/asio/error.hpp>
#include <optional>

#include "agreement.hpp"
#include "tls_error.hpp"
#include "tls_transport.hpp"

namespace proxyd::net::tls {
namespace {

namespace asio = boost::asio;

Error failed(std::string why) {
    return Error(Reason::tls_handshake_failed, Source::downstream, Retry::no, std::move(why));
}

bool is_failure(Reason reason) noexcept {
    return reason == Reason::tls_handshake_failed || reason == Reason::tls_handshake_timeout;
}

/// No TLS record begins with a letter, every request does.
bool is_plain_http(std::string_view input) noexcept {
    return !input.empty() && input.front() >= 'A' && input.front() <= 'Z';
}

constexpr std::string_view kPlainAnswer =
    "HTTP/1.1 400 Bad Request\r\n"
    "Server: proxyd\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 77\r\n"
    "Connection: close\r\n"
    "\r\n"
    "This port speaks HTTPS, and the request was plain HTTP. Ask for https://...\r\n";
static_assert(kPlainAnswer.size() - kPlainAnswer.find("\r\n\r\n") - 4 == 77);

/// What has come already is taken, so that the answer is not overtaken by a reset.
void answer_plainly(Transport& transport) {
    const iovec piece{const_cast<char*>(kPlainAnswer.data()), kPlainAnswer.size()};
    (void)transport.send({&piece, 1});
    transport.shutdown_send();
    std::array<char, 4096> rest{};
    for (int reads = 0; reads < 16; ++reads) {
        if (transport.read_now(rest.data(), rest.size()).bytes == 0) return;
    }
}

std::string cause_of(const SSL* ssl, const ErrorCode& error, const Hello& hello) {
    if (!hello.refusal.empty()) return hello.refusal;
    if (error == truncated()) return "the client closed the connection";
    const long verdict = SSL_get_verify_result(ssl);
    const bool verified = SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
    if (!verified || verdict == X509_V_OK) return error.message();
    return error.message() + ": " + X509_verify_cert_error_string(verdict);
}

}  // namespace

struct ServerHandshake::Pending final : HandshakeListener, HandshakeTurns::Member {
    Pending(async::Loop& loop, ServerContext& its_context, std::string_view listener, bool http2)
        : context(its_context),
          hello(listener, http2),
          deadline(loop.wheel(), &Pending::expired, this) {}

    static void expired(void* self) {
        auto& pending = *static_cast<Pending*>(self);
        pending.end(std::move(pending.late));
    }
    void on_handshake_input(TlsTransport&) override { context.turns().enqueue(*this); }
    void take_turn() override {
        const boost::intrusive_ptr<TlsTransport> self = transport;
        if (!std::exchange(heard, heard || !self->input().empty()) && judge_beginning()) return;
        ServerContext& shaker = context;
        shaker.shake(&hello);
        self->go_on();  // may be the last of us
        shaker.shake(nullptr);
    }
    /// True: it is over before it began.
    bool judge_beginning() {
        if (!heard) {
            end(Error(Reason::client_closed, Source::downstream));
            return true;
        }
        if (!is_plain_http(transport->input())) return false;
        answer_plainly(transport->below());
        end(failed("the client sent a plain HTTP request to a TLS port"));
        return true;
    }
    void on_handshake(const ErrorCode& code) override {
        outcome = code;
        done.set();
    }
    void end(Error why) {
        if (!error) error = std::move(why);
        done.set();
    }

    ServerContext& context;
    Hello hello;
    boost::intrusive_ptr<TlsTransport> transport;
    async::Deadline deadline;
    Event done;
    ErrorCode outcome;
    std::optional<Error> error;
    Error late{Reason::tls_handshake_timeout, Source::downstream, Retry::no,
               "the handshake was not complete within client.header_timeout"};
    bool heard = false;
};

ServerHandshake::ServerHandshake(async::Loop& loop, ServerContext& context) noexcept
    : loop_(loop), context_(context) {}
ServerHandshake::~ServerHandshake() = default;

Task<Result<SecuredTransport>> ServerHandshake::accept(TransportPtr below,
                                                       std::string_view listener, bool http2,
                                                       std::chrono::milliseconds limit) {
    Pending pending(loop_, context_, listener, http2);
    SslPtr ssl(context_.open());
    if (!ssl) {
        below->close();
        co_return Error(Reason::overloaded, Source::internal, Retry::no, "no memory for TLS");
    }
    TlsTransport* const transport = new TlsTransport(loop_, std::move(below), std::move(ssl));
    pending.transport = transport;
    pending_ = &pending;
    pending.deadline.arm(limit);
    transport->await_handshake(pending);
    co_await pending.done.wait();
    pending_ = nullptr;
    pending.deadline.disarm();
    transport->forget_listener();
    // Nothing of them is needed any more, and what was renewed is not kept by old connections.
    SSL_certs_clear(transport->ssl());
    HandshakeCounts& counts = context_.counts();
    if (!pending.error && pending.outcome) {
        pending.error = failed(cause_of(transport->ssl(), pending.outcome, pending.hello));
    }
    if (pending.error) {
        if (is_failure(pending.error->code)) ++counts.failed;
        transport->close();
        co_return std::move(*pending.error);
    }
    SecuredTransport secured;
    secured.agreement = agreement_of(transport->ssl(), pending.hello);
    secured.transport = std::move(pending.transport);
    ++(SSL_version(transport->ssl()) == TLS1_2_VERSION ? counts.tls12 : counts.tls13);
    if (secured.agreement.resumed) ++counts.resumed;
    co_return std::move(secured);
}

void ServerHandshake::end_within(std::chrono::milliseconds limit, Error why) {
    if (pending_ == nullptr) return;
    pending_->late = std::move(why);
    pending_->deadline.arm(limit);
}

void ServerHandshake::cancel(Error why) {
    if (pending_ != nullptr) pending_->end(std::move(why));
}

}  // namespace proxyd::net::tls
