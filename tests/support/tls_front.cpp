#include "support/tls_front.hpp"

#include "support/ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace proxyd::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// No operation may hang for ever.
void set_limits(int fd) {
    const timeval limit{20, 0};
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void require_clients(SSL_CTX* context, const std::string& pem) {
    BIO* const bio = BIO_new_mem_buf(pem.data(), -1);
    X509* const ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_free(ca);
    BIO_free(bio);
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offer, unsigned offer_size, void* wanted) {
    const auto& name = *static_cast<const std::string*>(wanted);
    for (unsigned at = 0; at < offer_size; at += 1U + offer[at]) {
        if (std::string_view(reinterpret_cast<const char*>(offer + at + 1), offer[at]) == name) {
            *chosen = offer + at + 1;
            *size = offer[at];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

bool send_all(int fd, const char* data, std::size_t size) {
    while (size > 0) {
        const auto sent = ::send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        data += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

}  // namespace

void use_pair(SSL_CTX* context, const Pair& pair) {
    BIO* const certificate = BIO_new_mem_buf(pair.certificate.data(), -1);
    BIO* const key = BIO_new_mem_buf(pair.key.data(), -1);
    X509* const x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
    EVP_PKEY* const pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, x509);
    SSL_CTX_use_PrivateKey(context, pkey);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    BIO_free(certificate);
    BIO_free(key);
}

TlsFront::TlsFront(std::uint16_t behind, TlsFrontOptions options)
    : behind_(behind), options_(std::move(options)), context_(SSL_CTX_new(TLS_server_method())) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    use_pair(context_, options_.pair);
    if (options_.version != 0) {
        SSL_CTX_set_min_proto_version(context_, options_.version);
        SSL_CTX_set_max_proto_version(context_, options_.version);
    }
    if (!options_.alpn.empty()) {
        SSL_CTX_set_alpn_select_cb(context_, &choose_protocol,
                                   const_cast<std::string*>(&options_.alpn));
    }
    if (!options_.client_ca.empty()) require_clients(context_, options_.client_ca);
    SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>("t"), 1);
    port_ = claim_port();
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listen_fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(port_);
    if (::bind(listen_fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("TLS front: bind: " + std::string(std::strerror(errno)));
    }
    ::listen(listen_fd_, 1024);
    acceptor_ = std::thread([this] { accept_loop(); });
}

TlsFront::~TlsFront() {
    stopping_ = true;
    ::shutdown(listen_fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(listen_fd_);
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (auto& thread : threads_) thread.join();
    SSL_CTX_free(context_);
}

std::vector<TlsSeen> TlsFront::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

void TlsFront::accept_loop() {
    while (!stopping_) {
        const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const std::lock_guard lock(mutex_);
        open_.push_back(fd);
        threads_.emplace_back([this, fd] { run(fd); });
    }
}

void TlsFront::note(SSL* ssl) {
    TlsSeen seen;
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) seen.name = name;
    seen.version = SSL_get_version(ssl);
    seen.resumed = SSL_session_reused(ssl) == 1;
    X509* const peer = SSL_get1_peer_certificate(ssl);
    seen.client_certificate = peer != nullptr;
    X509_free(peer);
    const std::lock_guard lock(mutex_);
    seen_.push_back(std::move(seen));
}

void TlsFront::run(int client) {
    set_limits(client);
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, client);
    if (SSL_accept(ssl) == 1) {
        note(ssl);
        const int plain = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        set_limits(plain);
        const auto address = loopback(behind_);
        if (::connect(plain, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
            copy(ssl, client, plain);
        }
        ::close(plain);
    }
    SSL_free(ssl);
    const std::lock_guard lock(mutex_);
    std::erase(open_, client);
    ::close(client);
    changed_.notify_all();
}

bool TlsFront::wait_for_none(Duration limit) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return open_.empty(); });
}

void TlsFront::end(SSL* ssl, int client) const {
    if (options_.close_notify) SSL_shutdown(ssl);
    ::shutdown(client, SHUT_WR);
}

// Until both directions have ended.
void TlsFront::copy(SSL* ssl, int client, int plain) {
    char data[16'384];
    bool from_client = true, from_plain = true;
    while (from_client || from_plain) {
        pollfd entries[2] = {{from_client ? client : -1, POLLIN, 0},
                             {from_plain ? plain : -1, POLLIN, 0}};
        const bool pending = from_client && SSL_pending(ssl) > 0;
        if (!pending && ::poll(entries, 2, 20'000) <= 0) return;
        if (pending || entries[0].revents != 0) {
            const int got = SSL_read(ssl, data, sizeof data);
            if (got > 0) {
                if (!send_all(plain, data, static_cast<std::size_t>(got))) return;
            } else {
                from_client = false;
                if (SSL_get_error(ssl, got) != SSL_ERROR_ZERO_RETURN) return;
                ::shutdown(plain, SHUT_WR);
            }
        }
        if (entries[1].revents == 0) continue;
        const auto got = ::recv(plain, data, sizeof data, 0);
        if (got < 0) return;
        if (got == 0) {
            from_plain = false;
            end(ssl, client);
            continue;
        }
        const auto all = static_cast<std::size_t>(got);
        const std::size_t piece = options_.piece != 0 ? options_.piece : all;
        for (std::size_t at = 0; at < all; at += piece) {
            const auto size = static_cast<int>(std::min(piece, all - at));
            if (SSL_write(ssl, data + at, size) <= 0) return;
        }
    }
}

}  // namespace proxyd::test
