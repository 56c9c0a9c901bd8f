// Handshakes that come slowly, broken, in masses or not at all.
#include "support/gate.hpp"
#include "support/tls_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

namespace proxyd::test {
namespace {

class TlsHandshake : public ::testing::Test {
  protected:
    std::string config(const std::string& listener = "", int workers = 1) {
        return site("hosts:\n  \"*\": { upstream: @UP1@, redirect_http: false, tls: { " +
                        files.pair("a", {"app.test"}) + " } }\n",
                    listener, workers);
    }
    // The bytes with which a client begins.
    static std::string client_hello() {
        SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
        SSL* const ssl = SSL_new(context);
        BIO* const out = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
        SSL_set_tlsext_host_name(ssl, "app.test");
        SSL_connect(ssl);
        char* data = nullptr;
        const long size = BIO_get_mem_data(out, &data);
        std::string bytes(data, static_cast<std::size_t>(size));
        SSL_free(ssl);
        SSL_CTX_free(context);
        return bytes;
    }
    static Duration time_of_a_request(std::uint16_t port) {
        const auto start = Clock::now();
        EXPECT_EQ(get_once(port, "/").status, 200);
        return std::chrono::duration_cast<Duration>(Clock::now() - start);
    }

    FakeUpstream upstream;
    TlsFiles files;
};

TEST_F(TlsHandshake, ByteByByte) {
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.port("HTTPS"));
    for (const char byte : client_hello()) client.send({&byte, 1});
    // A handshake record with a ServerHello.
    EXPECT_EQ(client.read_exactly(6).substr(0, 6).back(), '\x02');
}

TEST_F(TlsHandshake, WhatNeverEndsIsCut) {
    Daemon daemon(config(", header_timeout: 300ms"), ups(upstream));
    const std::string hello = client_hello();
    for (const std::string& bytes : {std::string(), hello.substr(0, 50), hello}) {
        RawClient client(daemon.port("HTTPS"));
        if (!bytes.empty()) client.send(bytes);
        const auto start = Clock::now();
        EXPECT_TRUE(client.read_until_close().closed());
        EXPECT_LT(Clock::now() - start, Duration(5'000));
    }
    EXPECT_TRUE(daemon.wait_for_log("info tls_handshake_timeout: "));
    // The head that follows counts from the same moment.
    TlsClient idle(daemon.port("HTTPS"));
    const auto start = Clock::now();
    EXPECT_EQ(idle.read_until_close().end, IoStatus::Eof);
    EXPECT_LT(Clock::now() - start, Duration(5'000));
}

TEST_F(TlsHandshake, GarbageEndsIt) {
    Daemon daemon(config(), ups(upstream));
    for (const std::string& bytes :
         {std::string(200, '\x16'), std::string(1, '\0'), std::string("\x16\x03\x01\xff\xff", 5),
          std::string("\x80\x2e\x01\x00\x02", 5), std::string("\x15\x03\x01\x00\x02\x02\x28", 7)}) {
        RawClient client(daemon.port("HTTPS"));
        client.send(bytes);
        client.half_close();
        EXPECT_TRUE(client.read_until_close().closed());
    }
    EXPECT_TRUE(daemon.wait_for_log("tls_handshake_failed"));
    EXPECT_EQ(TlsClient(daemon.port("HTTPS")).get("/").status, 200);
}

TEST_F(TlsHandshake, WhoSaysNothingIsNotLogged) {
    Daemon daemon(config(), ups(upstream));
    RawClient(daemon.port("HTTPS")).half_close();
    RawClient(daemon.port("HTTPS")).reset();
    EXPECT_TRUE(RawClient(daemon.port("HTTPS")).silent_for(Duration(50)));
    EXPECT_EQ(TlsClient(daemon.port("HTTPS")).get("/").status, 200);
    EXPECT_EQ(daemon.log().find("tls_handshake"), std::string::npos) << daemon.log();
    RawClient leaving(daemon.port("HTTPS"));
    leaving.send(client_hello().substr(0, 20));
    leaving.half_close();
    EXPECT_TRUE(daemon.wait_for_log("the client closed the connection; client"));
}

TEST_F(TlsHandshake, StalledOnesDisturbNobody) {
    Daemon daemon(config(), ups(upstream));
    const std::string hello = client_hello();
    std::vector<std::unique_ptr<RawClient>> stalled;
    for (int count = 0; count < 1'000; ++count) {
        stalled.push_back(std::make_unique<RawClient>(daemon.port("HTTPS")));
        if (count % 2 == 0) stalled.back()->send(std::string_view(hello).substr(0, 100));
    }
    EXPECT_LT(time_of_a_request(daemon.http()), Duration(100));
    const auto start = Clock::now();
    EXPECT_EQ(TlsClient(daemon.port("HTTPS")).get("/").status, 200);
    EXPECT_LT(Clock::now() - start, Duration(100));
}

// A turn of handshakes is short: what a running connection asks for in the middle of a thousand is
// answered long before they are through.
TEST_F(TlsHandshake, AMassOfThemDoesNotStarveARunningConnection) {
    Daemon daemon(site("hosts:\n  \"*\": { upstream: @UP1@, redirect_http: false, tls: { " +
                       files.pair("a", {"app.test"}, "RSA") +
                       " } }\n  quick.test: { locations: { /: { return: 200 } } }\n"),
                  ups(upstream));
    RawClient running(daemon.http());
    EXPECT_EQ(running.get("/", "", "quick.test").status, 200);
    const std::string hello = client_hello();
    std::vector<std::unique_ptr<RawClient>> mass;
    for (int count = 0; count < 1'000; ++count) {
        mass.push_back(std::make_unique<RawClient>(daemon.port("HTTPS")));
    }
    EXPECT_EQ(running.get("/", "", "quick.test").status, 200);  // all are accepted
    daemon.signal(SIGSTOP);
    for (auto& client : mass) client->send(hello);
    running.send(get_request("/", "", "quick.test"));
    daemon.signal(SIGCONT);
    EXPECT_EQ(running.read_response().status, 200);
    const auto done =
        std::ranges::count_if(mass, [](auto& client) { return !client->silent_for(Duration(0)); });
    EXPECT_LT(done, 500);
    for (auto& client : mass) {
        EXPECT_FALSE(client->read_some().empty());
    }
}

TEST_F(TlsHandshake, ADrainWaitsShortlyForThem) {
    Daemon daemon(config(), ups(upstream));
    RawClient silent(daemon.port("HTTPS"));
    RawClient stuck(daemon.port("HTTPS"));
    stuck.send(client_hello().substr(0, 100));
    TlsClient served(daemon.port("HTTPS"));
    EXPECT_EQ(served.get("/").status, 200);
    daemon.signal(SIGQUIT);
    EXPECT_EQ(daemon.wait_exit().code, 0);
    EXPECT_TRUE(stuck.closed_by_peer());
    EXPECT_TRUE(silent.closed_by_peer());
    EXPECT_EQ(served.read_until_close().end, IoStatus::Eof);  // with close_notify
}

TEST_F(TlsHandshake, AStopCutsThem) {
    Daemon daemon(config(", proxy_protocol: on"), ups(upstream));
    RawClient silent(daemon.port("HTTPS"));
    RawClient stuck(daemon.port("HTTPS"));
    stuck.send("PROXY TCP4 203.0.113.7 10.0.0.1 12345 443\r\n" + client_hello().substr(0, 100));
    EXPECT_TRUE(stuck.silent_for(Duration(50)));
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait_exit().code, 0);
    EXPECT_TRUE(stuck.closed_by_peer());
}

TEST_F(TlsHandshake, ReloadsLoseNone) {
    const auto text = config("", 2);
    Daemon daemon(text, ups(upstream));
    const auto port = daemon.port("HTTPS");
    std::atomic<bool> stop = false;
    std::atomic<int> failed = 0, done = 0;
    std::thread load([&] {
        while (!stop) {
            TlsClient client(port);
            ++(client.secure() && client.get("/").status == 200 ? done : failed);
        }
    });
    TlsClient kept(port);
    for (int count = 0; count < 10; ++count) {
        daemon.reload(text);
        EXPECT_EQ(kept.get("/").status, 200);
    }
    stop = true;
    load.join();
    EXPECT_EQ(failed, 0);
    EXPECT_GT(done, 0);
}

}  // namespace
}  // namespace proxyd::test
