// A server that asks for new keys over and over and reads no answer costs a bounded amount of
// memory.
#include "support/certificates.hpp"
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <fstream>

namespace proxyd::test {
namespace {

constexpr std::size_t kMost = 32U << 20U;  // far above what the kernel holds for one connection
constexpr int kUpdates = 20'000;           // whose answers are more than proxyd queues

const Authority& authority() {
    static const Authority made("the authority");
    return made;
}

SSL_CTX* server_context() {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    use_pair(context, authority().issue({.names = {"app.internal"}, .addresses = {}}));
    return context;
}

// Reads the request's first bytes and no more; the number of bytes that could be sent.
std::size_t flood(int fd, SSL_CTX* context) {
    const timeval limit{2, 0};
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    char head[1024];
    bool good = SSL_accept(ssl) == 1 && SSL_read(ssl, head, sizeof head) > 0;
    std::this_thread::sleep_for(Duration(500));  // the upload fills the way to us
    for (int count = 0; good && count < kUpdates; ++count) {
        good = SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl) == 1;
    }
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n";
    good = good && SSL_write(ssl, answer.data(), static_cast<int>(answer.size())) > 0;
    const std::string piece(16'384, 'x');
    std::size_t sent = 0;
    while (good && sent < 2 * kMost) {
        good = SSL_write(ssl, piece.data(), static_cast<int>(piece.size())) > 0;
        if (good) sent += piece.size();
    }
    SSL_free(ssl);
    return sent;
}

TEST(TlsKeyUpdate, AServerThatReadsNoAnswersIsReadNoFurther) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    SSL_CTX* const context = server_context();
    std::atomic<bool> done = false;
    std::atomic<std::size_t> sent = 0;
    FakeUpstream::Options options;
    options.receive_buffer = 4096;
    const auto upstream = FakeUpstream::scripted(
        [&](UpstreamConnection& connection) {
            sent = flood(connection.wire().fd(), context);
            done = true;
        },
        options);
    const TempDir temp;
    const std::string ca = (temp.path() / "ca.pem").string();
    std::ofstream(ca) << authority().pem();
    auto files = ups(*upstream);
    files.set("CA", ca);
    Daemon daemon(R"(
workers: 1
upstreams:
  app:
    servers: ["https://127.0.0.1:@UP1@"]
    tls: { ca: "@CA@", server_name: app.internal }
hosts: { "*": { upstream: app, request_buffering: off } }
)",
                  files);
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000000\r\n\r\n");
    const std::string body(32U << 20U, 'y');
    static_cast<void>(client.try_send(body, Duration(3000)));
    EXPECT_TRUE(eventually([&] { return done.load(); }, Duration(60'000)));
    EXPECT_LT(sent.load(), kMost);
    EXPECT_GT(sent.load(), 0U);
    client.close();
    SSL_CTX_free(context);
}

}  // namespace
}  // namespace proxyd::test
