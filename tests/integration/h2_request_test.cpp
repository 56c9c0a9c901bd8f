// Requests over HTTP/2 and their answers, as the backend and the client see them.
#include "support/digest.hpp"
#include "support/h2_daemon.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

using namespace h2;

TEST(H2Request, IsForwardedAndAnswered) {
    FakeUpstream upstream([](const Request&) {
        Reply reply = text_reply("hello");
        reply.headers = {{"Content-Type", "text/plain"},
                         {"X-Custom-Name", "Value"},
                         {"Connection", "keep-alive, X-Gone"},
                         {"X-Gone", "1"},
                         {"Keep-Alive", "timeout=5"}};
        return reply;
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto response = client.response(client.get("/a/b?c=d", {{"x-mine", "yes"}}));
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.complete());
    EXPECT_EQ(response.body, "hello");
    bool found = false;
    for (const auto& [name, value] : response.headers.fields()) {
        EXPECT_EQ(name, to_lower(name));
        found = found || name == "x-custom-name";
    }
    EXPECT_TRUE(found);
    EXPECT_EQ(response.headers.value("content-length"), "5");
    for (const auto* name : {"connection", "keep-alive", "x-gone", "transfer-encoding"}) {
        EXPECT_FALSE(response.headers.has(name)) << name;
    }
    const auto request = upstream.last_request();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.target, "/a/b?c=d");
    EXPECT_EQ(request.headers.value("Host"), "app.test");
    EXPECT_EQ(request.headers.value("x-mine"), "yes");
    EXPECT_EQ(request.headers.count("Host"), 1U);
    const auto line = daemon.wait_for_access(1)[0];
    EXPECT_NE(line.find("HTTP/2.0"), std::string::npos) << line;
}

TEST(H2Request, HeadAndBodyOfAnAnswerLeaveTogether) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    ASSERT_TRUE(client.settle());
    client.get("/");
    std::string bytes;
    ASSERT_EQ(client.raw().wire().fill(Deadline(kLimit)), IoStatus::Ok);
    const auto response = client.response(1, Duration(0));
    EXPECT_TRUE(response.complete()) << "the first read must hold all of the answer";
}

TEST(H2Request, BodiesPassWithAndWithoutALength) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto body = pattern(300'000);
    const auto known = client.post("/", body, {{"content-length", std::to_string(body.size())}});
    EXPECT_EQ(client.response(known).status, 200);
    EXPECT_EQ(upstream.last_request().body_digest, digest_of(body));
    EXPECT_EQ(upstream.last_request().headers.value("Content-Length"), "300000");
    const auto unknown = client.post("/", body);
    EXPECT_EQ(client.response(unknown).status, 200);
    EXPECT_EQ(upstream.last_request().body_digest, digest_of(body));
}

TEST(H2Request, LargeAnswersKeepTheirBytes) {
    const auto body = pattern(8U << 20U);
    for (const auto framing : {Reply::Framing::Length, Reply::Framing::Chunked}) {
        FakeUpstream upstream([&](const Request&) {
            Reply reply = text_reply(body);
            reply.framing = framing;
            return reply;
        });
        Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
        H2Client client(daemon.http());
        const auto first = client.get("/1");
        const auto second = client.get("/2");
        EXPECT_EQ(digest_of(client.response(first).body), digest_of(body));
        EXPECT_EQ(digest_of(client.response(second).body), digest_of(body));
    }
}

TEST(H2Request, ManyStreamsRunAtTheSameTime) {
    Gate open;
    FakeUpstream upstream([&](const Request& request) {
        return text_reply(request.target == "/slow" && !open.wait() ? "late" : request.target);
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto slow = client.get("/slow");
    for (int i = 0; i < 50; ++i) {
        const auto path = "/" + std::to_string(i);
        EXPECT_EQ(client.response(client.get(path)).body, path);
    }
    open.open();
    EXPECT_EQ(client.response(slow).body, "/slow");
}

TEST(H2Request, TrailersPassBothWays) {
    FakeUpstream upstream([](const Request&) {
        Reply reply = text_reply("body");
        reply.framing = Reply::Framing::Chunked;
        reply.trailers = {{"X-Checksum", "abc"}};
        return reply;
    });
    Daemon daemon(with_http2("hosts: { \"*\": { upstream: @UP1@, request_buffering: off } }\n"),
                  ups(upstream));
    H2Client client(daemon.http());
    const auto stream = client.request(request_fields("POST", "/"), false);
    client.data(stream, "some bytes");
    client.send(frame(kHeaders, kEndHeaders | kEndStream, stream,
                      literals({{"x-sum", "123"}, {"authorization", "7"}})));
    const auto response = client.response(stream);
    EXPECT_EQ(response.body, "body");
    EXPECT_EQ(response.trailers.value("x-checksum"), "abc");
    const auto request = upstream.last_request();
    EXPECT_EQ(request.body, "some bytes");
    EXPECT_EQ(request.trailers.value("x-sum"), "123");
    EXPECT_FALSE(request.trailers.has("authorization"));
}

TEST(H2Request, PseudoFieldsInTrailersResetTheStream) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto stream = client.request(request_fields("POST", "/"), false);
    client.send(frame(kHeaders, kEndHeaders | kEndStream, stream, literals({{":path", "/x"}})));
    EXPECT_EQ(client.response(stream).reset, kProtocolError);
}

TEST(H2Request, ContinueIsSentWhenTheBodyIsWanted) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto stream =
        client.request(request_fields("POST", "/", {{"expect", "100-continue"}}), false);
    while (client.state(stream).interim.empty()) ASSERT_TRUE(client.read_frame());
    EXPECT_EQ(client.state(stream).interim[0].first, 100);
    client.data(stream, "hello", true);
    EXPECT_EQ(client.response(stream).status, 200);
    EXPECT_EQ(upstream.last_request().body, "hello");
    EXPECT_FALSE(upstream.last_request().headers.has("Expect"));
}

TEST(H2Request, EarlyHintsPassBeforeTheAnswer) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
        connection.reply(text_reply("done"));
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    const auto response = client.response(client.get("/"));
    ASSERT_EQ(response.interim.size(), 1U);
    EXPECT_EQ(response.interim[0].first, 103);
    EXPECT_EQ(response.interim[0].second.value("link"), "</a.css>");
    EXPECT_EQ(response.body, "done");
}

TEST(H2Request, AnswersWithoutABodyEndWithTheirHead) {
    FakeUpstream upstream([](const Request& request) {
        if (request.method == "HEAD")
            return raw_reply("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
        const auto status = request.target.substr(1);
        return raw_reply("HTTP/1.1 " + status + " X\r\nETag: \"a\"\r\n\r\n");
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto head = client.response(client.request(request_fields("HEAD", "/")));
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.value("content-length"), "7");
    EXPECT_TRUE(head.ended);
    EXPECT_EQ(client.response(client.get("/204")).status, 204);
    EXPECT_EQ(client.response(client.get("/304")).status, 304);
    EXPECT_EQ(client.received(kData), 0U);
}

TEST(H2Request, CutAnswersAreReset) {
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send(request.target == "/length"
                            ? "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
                            : "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    });
    Daemon daemon(with_http2(kEveryHostH2), ups(*upstream));
    H2Client client(daemon.http());
    for (const auto* path : {"/length", "/chunked"}) {
        const auto response = client.response(client.get(path));
        EXPECT_EQ(response.status, 200);
        EXPECT_FALSE(response.ended) << path;
        EXPECT_EQ(response.reset, kInternalError) << path;
    }
}

TEST(H2Request, CookieCrumbsAreJoined) {
    FakeUpstream upstream;
    Daemon daemon(with_http2(kEveryHostH2), ups(upstream));
    H2Client client(daemon.http());
    const auto stream =
        client.get("/", {{"cookie", "a=1"}, {"x-a", "b"}, {"cookie", "b=2"}, {"cookie", "c=3"}});
    EXPECT_EQ(client.response(stream).status, 200);
    EXPECT_EQ(upstream.last_request().headers.count("Cookie"), 1U);
    EXPECT_EQ(upstream.last_request().headers.value("Cookie"), "a=1; b=2; c=3");
}

TEST(H2Request, LocalAnswersToAnUploadEndTheStream) {
    Daemon daemon(with_http2("hosts: { app.test: { return: 403 } }\n"));
    H2Client client(daemon.http());
    const auto stream = client.request(request_fields("POST", "/"), false);
    client.data(stream, "GET /smuggled HTTP/1.1\r\n\r\n");
    const auto response = client.response(stream);
    EXPECT_EQ(response.status, 403);
    EXPECT_TRUE(response.ended);
    while (!client.state(stream).reset) ASSERT_TRUE(client.read_frame());
    EXPECT_EQ(client.state(stream).reset, kNoError);
    EXPECT_EQ(client.response(client.get("/")).status, 403);
}

TEST(H2Request, HostOfAnOlderSpellingCountsToo) {
    FakeUpstream upstream;
    Daemon daemon(with_http2("hosts: { app.test: @UP1@ }\n"), ups(upstream));
    H2Client client(daemon.http());
    const auto stream = client.request(
        {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "app.test"}});
    EXPECT_EQ(client.response(stream).status, 200);
    EXPECT_EQ(client.response(client.request(request_fields("GET", "/", {}, "other.test"))).status,
              421);
}

}  // namespace
}  // namespace proxyd::test
