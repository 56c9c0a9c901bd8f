#include "proxyd/net/tls/server_context.hpp"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <atomic>
#include <thread>

#include "proxyd/net/tls/certificate.hpp"
#include "support/certificates.hpp"

namespace proxyd::net::tls {
namespace {

struct OneHost final : HostChooser {
    [[nodiscard]] ServedHost choose(std::string_view, std::string_view) const override {
        ServedHost host;
        host.policy = policy.get();
        host.certificates = slot.get();
        host.identity = "host";
        return host;
    }
    std::shared_ptr<const ServerPolicy> policy = ServerPolicy::make({}).value();
    std::unique_ptr<CertificateSlot> slot;
};

class ServerContextTest : public testing::Test {
  protected:
    ServerContextTest() { host.slot = std::make_unique<CertificateSlot>(fresh()); }
    ~ServerContextTest() override { SSL_CTX_free(clients); }

    [[nodiscard]] CertificateSlot::Set fresh() const {
        return {Certificate::make(pair.certificate, pair.key).value()};
    }
    // Both ends, over a pair of buffers.
    bool shake_hands() {
        BIO *near = nullptr, *far = nullptr;
        BIO_new_bio_pair(&near, 0, &far, 0);
        SSL* const server = context.open();
        SSL* const client = SSL_new(clients);
        SSL_set_bio(server, near, near);
        SSL_set_bio(client, far, far);
        SSL_set_connect_state(client);
        Hello hello("https", false);
        for (int turn = 0; turn < 10 && SSL_is_init_finished(server) == 0; ++turn) {
            SSL_do_handshake(client);
            context.shake(&hello);
            SSL_do_handshake(server);
            context.shake(nullptr);
        }
        const bool good = SSL_is_init_finished(server) != 0;
        SSL_free(client);
        SSL_free(server);
        return good;
    }

    test::Pair pair = test::Authority("test").issue({.names = {"a.test"}, .addresses = {}});
    OneHost host;
    async::Loop loop;
    ServerContext context{loop, host, std::make_shared<TicketKeys>()};
    SSL_CTX* clients = SSL_CTX_new(TLS_client_method());
};

// A handshake keeps the certificate that it began with, whoever drops it meanwhile.
TEST_F(ServerContextTest, CertificatesAreReplacedUnderHandshakes) {
    std::atomic<bool> over = false;
    std::thread renewal([&] {
        while (!over) host.slot->replace(fresh());
    });
    int good = 0;
    for (int i = 0; i < 500; ++i) good += shake_hands() ? 1 : 0;
    over = true;
    renewal.join();
    EXPECT_EQ(good, 500);
}

}  // namespace
}  // namespace proxyd::net::tls
