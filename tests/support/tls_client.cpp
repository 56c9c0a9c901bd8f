#include "support/tls_client.hpp"

#include "support/tls_front.hpp"

#include <openssl/err.h>
#include <poll.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

namespace proxyd::test {
namespace {

class TlsLayer final : public WireLayer {
  public:
    TlsLayer(SSL_CTX* context, int fd) : context_(context), ssl_(SSL_new(context)) {
        SSL_set_fd(ssl_, fd);
    }
    ~TlsLayer() override {
        SSL_set_quiet_shutdown(ssl_, 1);
        SSL_shutdown(ssl_);  // otherwise the session counts as attacked
        SSL_free(ssl_);
        SSL_CTX_free(context_);
    }
    TlsLayer(const TlsLayer&) = delete;
    TlsLayer& operator=(const TlsLayer&) = delete;

    ssize_t receive(char* into, std::size_t most) override {
        ERR_clear_error();
        const int got = SSL_read(ssl_, into, static_cast<int>(most));
        if (got > 0) return got;
        return judge(got);
    }
    ssize_t send(std::string_view bytes) override {
        ERR_clear_error();
        const int sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        if (sent > 0) return sent;
        return judge(sent);
    }
    void finish() override { SSL_shutdown(ssl_); }
    [[nodiscard]] SSL* ssl() const { return ssl_; }

  private:
    ssize_t judge(int result) const {
        switch (SSL_get_error(ssl_, result)) {
            case SSL_ERROR_ZERO_RETURN:
                return 0;
            case SSL_ERROR_WANT_READ:
            case SSL_ERROR_WANT_WRITE:
                errno = EAGAIN;
                return -1;
            default:
                errno = ECONNRESET;
                return -1;
        }
    }

    SSL_CTX* context_;
    SSL* ssl_;
};

SSL_CTX* context_of(const TlsOptions& options) {
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // Those kept inside are of no use any more when the context goes.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (options.version != 0) {
        SSL_CTX_set_min_proto_version(context, options.version);
        SSL_CTX_set_max_proto_version(context, options.version);
    }
    if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
    if (!options.signatures.empty()) SSL_CTX_set1_sigalgs_list(context, options.signatures.c_str());
    if (!options.certificate.key.empty()) use_pair(context, options.certificate);
    return context;
}

void offer(SSL* ssl, const std::vector<std::string>& protocols) {
    std::string list;
    for (const auto& each : protocols) list.append(1, static_cast<char>(each.size())).append(each);
    if (list.empty()) return;
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
}

std::string last_error() {
    const char* text = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    return text != nullptr ? text : "the connection ended";
}

std::string shake_hands(SSL* ssl, int fd, Duration limit) {
    const Deadline deadline(limit);
    while (true) {
        ERR_clear_error();
        const int result = SSL_connect(ssl);
        if (result == 1) return "";
        const int why = SSL_get_error(ssl, result);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return last_error();
        pollfd entry{fd, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
        if (::poll(&entry, 1, deadline.left_ms()) == 0) return "time limit";
    }
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const TlsOptions& options)
    : RawClient(port, options.socket) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    if (!options.before.empty()) send(options.before);
    auto layer = std::make_unique<TlsLayer>(context_of(options), wire().fd());
    ssl_ = layer->ssl();
    if (!options.name.empty()) SSL_set_tlsext_host_name(ssl_, options.name.c_str());
    offer(ssl_, options.protocols);
    if (options.session) {  // a copy: OpenSSL lets a session of TLS 1.3 be used once
        SSL_SESSION* const copy = SSL_SESSION_dup(options.session.get());
        SSL_set_session(ssl_, copy);
        SSL_SESSION_free(copy);
    }
    wire().set_layer(std::move(layer));
    error_ = shake_hands(ssl_, wire().fd(), options.socket.limit);
}

std::string TlsClient::cipher() const {
    return SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_));
}

std::string TlsClient::protocol() const {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &data, &size);
    return {reinterpret_cast<const char*>(data), size};
}

std::string TlsClient::server_certificate() const {
    const X509* const shown = SSL_get0_peer_certificate(ssl_);
    BIO* const bio = BIO_new(BIO_s_mem());
    if (shown != nullptr) PEM_write_bio_X509(bio, shown);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
}

TlsSession TlsClient::session() {
    const Deadline deadline(kLimit);
    while (true) {
        SSL_SESSION* const now = SSL_get1_session(ssl_);
        if (now != nullptr && SSL_SESSION_is_resumable(now) == 1 &&
            SSL_SESSION_has_ticket(now) == 1) {
            return {now, &SSL_SESSION_free};
        }
        SSL_SESSION_free(now);
        // A ticket of TLS 1.3 comes behind the handshake.
        if (wire().wait_for_event(Duration(20)) == IoStatus::Eof || deadline.passed()) return {};
    }
}

void TlsClient::say_goodbye() {
    SSL_shutdown(ssl_);
}

Response get_tls(std::uint16_t port, std::string_view path, const TlsOptions& options,
                 std::string_view host) {
    TlsClient client(port, options);
    if (!client.secure()) throw std::runtime_error("TLS: " + client.handshake_error());
    return client.get(path, "Connection: close\r\n", host.empty() ? options.name : host);
}

}  // namespace proxyd::test
