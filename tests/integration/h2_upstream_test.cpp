// HTTP/2 to the servers: what crosses, and how.
#include "support/h2_upstream.hpp"
#include "support/daemon.hpp"
#include "support/digest.hpp"
#include "support/raw_client.hpp"
#include "support/tls_front.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>

namespace proxyd::test {
namespace {

std::string config(const std::string& more = "", const std::string& location = "") {
    return "workers: 1\nupstreams:\n  app:\n    servers: [@UP1@]\n    http2: true\n" + more +
           "hosts: { \"*\": { upstream: app" + location + " } }\n";
}

TEST(H2Upstream, RequestsHavePseudoFieldsAndNoConnectionFields) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    const auto response = client.get("/a?b=c",
                                     "X-One: 1\r\nConnection: X-Two\r\nX-Two: 2\r\n"
                                     "TE: trailers\r\nKeep-Alive: 5\r\nCookie: a=b\r\n");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.path, "/a?b=c");
    EXPECT_EQ(request.authority, "app.test");
    EXPECT_EQ(request.scheme, "http");
    EXPECT_EQ(request.headers.value("x-one"), "1");
    EXPECT_EQ(request.headers.value("te"), "trailers");
    EXPECT_EQ(request.headers.value("cookie"), "a=b");
    for (const char* name : {"x-two", "connection", "keep-alive", "host", "transfer-encoding"}) {
        EXPECT_FALSE(request.headers.has(name)) << name;
    }
    EXPECT_TRUE(request.headers.has("x-forwarded-for"));
    for (const auto& [name, value] : request.headers.fields()) {
        EXPECT_EQ(name, to_lower(name));
    }
}

TEST(H2Upstream, TeIsNotInventedAndNothingElseOfItCrosses) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/", "TE: gzip\r\n").status, 200);
    EXPECT_FALSE(upstream.last_request().headers.has("te"));
    EXPECT_EQ(get_once(daemon.http(), "/", "TE: gzip, trailers\r\n").status, 200);
    EXPECT_EQ(upstream.last_request().headers.all("te"), std::vector<std::string>{"trailers"});
}

TEST(H2Upstream, OneConnectionServesManyRequests) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 20; ++count) {
        ASSERT_EQ(client.get("/").status, 200);
    }
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(upstream.request_count(), 20);
}

TEST(H2Upstream, BodiesAndLengthsOfRequests) {
    H2Upstream upstream;
    Daemon daemon(config("", ", request_buffering: off"), ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.exchange(body_request("POST", "/", "hello"), "POST").body, "ok");
    EXPECT_EQ(upstream.last_request().body, "hello");
    EXPECT_EQ(upstream.last_request().headers.value("content-length"), "5");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                chunked("in chunks", 4, "X-Trailer: t\r\n"));
    EXPECT_EQ(client.read_response("POST").body, "ok");
    EXPECT_EQ(upstream.last_request().body, "in chunks");
    EXPECT_FALSE(upstream.last_request().headers.has("content-length"));
    EXPECT_EQ(upstream.last_request().trailers.value("x-trailer"), "t");
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client.read_response("POST").body, "ok");
    EXPECT_EQ(upstream.last_request().body, "");
}

TEST(H2Upstream, LargeBodiesBothWays) {
    const std::string body = pattern(8U << 20U, 3);
    H2UpstreamOptions options;
    options.keep_body = 16U << 20U;
    H2Upstream upstream([&](const H2Request&) { return h2_text(body); }, options);
    Daemon daemon(config("", ", request_buffering: off"), ups(upstream));
    RawClient client(daemon.http());
    ReadOptions keep;
    keep.keep_body = 16U << 20U;
    client.send(body_request("PUT", "/", body));
    const auto response = client.read_response("PUT", keep);
    EXPECT_TRUE(response.body == body);
    EXPECT_TRUE(upstream.last_request().body == body);
}

TEST(H2Upstream, AnswersOfEveryKind) {
    H2Upstream upstream([](const H2Request& request) {
        H2Reply reply = h2_text("body");
        if (request.path == "/204") {
            reply.status = 204;
            reply.head_ends = true;
        }
        if (request.path == "/304") {
            reply.status = 304;
            reply.headers.add("content-length", "99");
            reply.head_ends = true;
        }
        if (request.path == "/length") reply.headers.add("content-length", "4");
        if (request.path == "/trailers") {
            reply.trailers.add("x-sum", "7");
            reply.trailers.add("authorization", "x");
        }
        if (request.path == "/only") {
            reply.head_ends = true;
            reply.headers.add("grpc-status", "12");
        }
        if (request.path == "/early") reply.interim = {103, 100, 102};
        if (request.method == "HEAD") {
            reply.head_ends = true;
            reply.headers.add("content-length", "1234");
        }
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/204").end, MessageEnd::NoBody);
    EXPECT_EQ(client.get("/304").end, MessageEnd::NoBody);
    const auto length = client.get("/length");
    EXPECT_EQ(length.end, MessageEnd::Length);
    EXPECT_EQ(length.body, "body");
    const auto trailers = client.get("/trailers", "TE: trailers\r\n");
    EXPECT_EQ(trailers.end, MessageEnd::LastChunk);
    EXPECT_EQ(trailers.trailers.value("x-sum"), "7");
    EXPECT_FALSE(trailers.trailers.has("authorization"));
    const auto only = client.get("/only");
    EXPECT_EQ(only.headers.value("grpc-status"), "12");
    EXPECT_EQ(only.headers.value("content-length"), "0");
    const auto early = client.get("/early");
    EXPECT_EQ(early.status, 200);
    ASSERT_EQ(early.interim.size(), 2U);
    EXPECT_EQ(early.interim[0].status, 103);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_response("HEAD").headers.value("content-length"), "1234");
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(upstream.connections(), 1);
}

TEST(H2Upstream, AFullLineOfAnswersDoesNotHoldTheOthersUp) {
    const std::string body = pattern(4U << 20U, 1);
    H2Upstream upstream([&](const H2Request& request) {
        return h2_text(request.path == "/large" ? body : "small");
    });
    Daemon daemon(config(), ups(upstream));
    ClientOptions slow;
    slow.receive_buffer = 4096;
    std::vector<RawClient> stalled;
    for (int count = 0; count < 8; ++count) {
        stalled.emplace_back(daemon.http(), slow).send(get_request("/large"));
    }
    ASSERT_TRUE(upstream.wait_for_requests(8));
    RawClient client(daemon.http());
    for (int count = 0; count < 20; ++count) {
        EXPECT_EQ(client.get("/").body, "small");
    }
    EXPECT_EQ(upstream.connections(), 1);
    ReadOptions keep;
    keep.keep_body = 8U << 20U;
    for (auto& each : stalled) {
        EXPECT_TRUE(each.read_response("GET", keep).body == body);
    }
}

TEST(H2Upstream, WindowsAndFrameSizesOfTheServerAreKept) {
    const std::string body = pattern(300'000, 2);
    H2UpstreamOptions options;
    options.window = 1000;
    options.header_table = 0;
    H2Upstream upstream([](const H2Request&) { return h2_text("ok"); }, options);
    Daemon daemon(config("", ", request_buffering: off"), ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").status, 200);  // now its settings are known
    for (int count = 0; count < 3; ++count) {
        client.send(body_request("POST", "/", body));
        EXPECT_EQ(client.read_response("POST").status, 200);
        EXPECT_TRUE(upstream.last_request().body == body);
    }
    EXPECT_EQ(upstream.connections(), 1);
}

TEST(H2Upstream, AClientThatLeavesResetsItsStreamOnly) {
    Gate gate;
    H2Upstream upstream([&](const H2Request& request) {
        H2Reply reply = h2_text("late");
        if (request.path == "/wait") reply.when = opened(gate);
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    RawClient stays(daemon.http());
    stays.send(get_request("/wait"));
    {
        RawClient leaves(daemon.http());
        leaves.send(get_request("/wait"));
        ASSERT_TRUE(upstream.wait_for_requests(2));
    }
    EXPECT_TRUE(upstream.wait_for_resets(1));
    gate.open();
    EXPECT_EQ(stays.read_response().body, "late");
    EXPECT_EQ(upstream.connections(), 1);
}

TEST(H2Upstream, AnEarlyAnswerEndsTheUpload) {
    H2UpstreamOptions options;
    options.at_head = true;
    H2Upstream upstream(
        [](const H2Request&) {
            H2Reply reply = h2_text("enough", 413);
            reply.reset = 0;
            return reply;
        },
        options);
    Daemon daemon(config("", ", request_buffering: off"), ups(upstream));
    RawClient client(daemon.http());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    const auto response = client.read_head();
    EXPECT_EQ(response.status, 413);
}

TEST(H2Upstream, AnswersComeThroughTls) {
    const Authority authority("the authority");
    TempDir temp;
    std::ofstream(temp.path() / "ca.pem") << authority.pem();
    H2UpstreamOptions options;
    options.pair = authority.issue({.names = {"app.internal"}, .addresses = {"127.0.0.1"}});
    H2Upstream upstream([](const H2Request&) { return h2_text("ok"); }, options);
    auto marks = ups(upstream);
    marks.set("CA", (temp.path() / "ca.pem").string());
    Daemon daemon(config("    tls: { enabled: true, ca: \"@CA@\", server_name: app.internal }\n"),
                  marks);
    RawClient client(daemon.http());
    for (int count = 0; count < 5; ++count) {
        EXPECT_EQ(client.get("/").body, "ok");
    }
    EXPECT_EQ(client.exchange(body_request("POST", "/", "x"), "POST").body, "ok");
    EXPECT_EQ(upstream.last_request().scheme, "https");
    EXPECT_EQ(upstream.connections(), 1);
}

// The server's TLS speaks HTTP/1.1 only: each request in flight has a connection of its own.
TEST(H2Upstream, FallsBackToHttp1WhereTheServerChoosesIt) {
    const Authority authority("the authority");
    TempDir temp;
    std::ofstream(temp.path() / "ca.pem") << authority.pem();
    FakeUpstream upstream;
    TlsFrontOptions options;
    options.pair = authority.issue({.names = {"app.internal"}, .addresses = {"127.0.0.1"}});
    TlsFront front(upstream.port(), options);
    auto marks = ups(front);
    marks.set("CA", (temp.path() / "ca.pem").string());
    Daemon daemon(config("    tls: { enabled: true, ca: \"@CA@\", server_name: app.internal }\n"),
                  marks);
    std::vector<RawClient> clients;
    for (int count = 0; count < 10; ++count) clients.emplace_back(daemon.http());
    for (int turn = 0; turn < 3; ++turn) {
        for (auto& client : clients) client.send(get_request("/", "TE: trailers\r\n"));
        for (auto& client : clients) {
            EXPECT_EQ(client.read_response().body, "ok");
        }
    }
    EXPECT_LE(front.seen().size(), 10U);
    EXPECT_FALSE(upstream.last_request().headers.has("te"));
}

TEST(H2Upstream, HealthChecksSpeakHttp2) {
    std::atomic<int> status = 200;
    H2Upstream upstream([&](const H2Request&) { return h2_text("fine", status); });
    Daemon daemon(config("    health_check: { path: /healthz, interval: 100ms, fall: 1, rise: 1, "
                         "body: fine }\n"),
                  ups(upstream));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    EXPECT_EQ(upstream.last_request().path, "/healthz");
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    status = 500;
    EXPECT_TRUE(daemon.wait_for_log("is unhealthy"));
}

TEST(H2Upstream, AServerThatSpeaksHttp1OnlyIsABadGateway) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        static_cast<void>(connection.wait_for_close());
    });
    Daemon daemon(config(), ups(*upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_bad_response");
}

}  // namespace
}  // namespace proxyd::test
