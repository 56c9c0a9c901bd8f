// Many requests on few connections to a server that speaks HTTP/2, and what happens when it
// refuses, leaves or dies.
#include "support/daemon.hpp"
#include "support/frozen.hpp"
#include "support/h2_upstream.hpp"
#include "support/load.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

std::string config(const std::string& more = "", const std::string& servers = "@UP1@") {
    return "workers: 1\nupstreams:\n  app:\n    servers: [" + servers + "]\n    http2: true\n" +
           more + "hosts: { \"*\": { upstream: app, request_buffering: off } }\n";
}

// So many clients send a GET at the same time and get their answers; how many were a 200.
int ask_at_once(std::uint16_t port, int count, const std::string& path = "/") {
    std::vector<RawClient> clients;
    for (int number = 0; number < count; ++number) clients.emplace_back(port);
    for (auto& client : clients) client.send(get_request(path));
    int good = 0;
    for (auto& client : clients) good += client.read_response().status == 200 ? 1 : 0;
    return good;
}

TEST(H2Pool, ManyClientsShareOneConnection) {
    Gate gate;
    H2Upstream upstream([&](const H2Request&) {
        H2Reply reply = h2_text("ok");
        reply.when = opened(gate);
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    std::vector<RawClient> clients;
    for (int count = 0; count < 200; ++count) clients.emplace_back(daemon.http());
    for (auto& client : clients) client.send(get_request("/"));
    ASSERT_TRUE(upstream.wait_for_requests(200));
    gate.open();
    for (auto& client : clients) {
        EXPECT_EQ(client.read_response().status, 200);
    }
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(upstream.most_streams(), 200);
}

TEST(H2Pool, TheServersLimitOfStreamsIsKept) {
    for (const std::uint32_t limit : {1U, 10U}) {
        SCOPED_TRACE(limit);
        H2UpstreamOptions options;
        options.max_streams = limit;
        H2Upstream upstream([](const H2Request&) { return h2_text("ok"); }, options);
        Daemon daemon(config(), ups(upstream));
        for (int turn = 0; turn < 3; ++turn) {
            EXPECT_EQ(ask_at_once(daemon.http(), 100), 100);
        }
        EXPECT_LE(upstream.most_streams(), static_cast<int>(limit));
        EXPECT_GE(upstream.connections(), 2);
        EXPECT_LE(upstream.connections(), limit == 1 ? 300 : 60);
    }
}

TEST(H2Pool, LoadOnFewConnections) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    Load::Options options;
    options.threads = 16;
    Load load(daemon.http(), options);
    ASSERT_TRUE(load.wait_for_answers(3000));
    load.stop();
    EXPECT_TRUE(load.failures().empty()) << load.failures().front();
    EXPECT_LE(upstream.connections(), 2);
}

TEST(H2Pool, AServerThatLeavesUnderLoadFailsNoRequest) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    Load::Options options;
    options.threads = 8;
    Load load(daemon.http(), options);
    for (int turn = 1; turn <= 10; ++turn) {
        ASSERT_TRUE(load.wait_for_answers(turn * 200));
        upstream.go_away(turn % 2 == 0);
    }
    ASSERT_TRUE(load.wait_for_answers(2500));
    load.stop();
    EXPECT_TRUE(load.failures().empty()) << load.failures().front();
    EXPECT_GE(upstream.connections(), 5);
}

TEST(H2Pool, StreamsInFlightFinishOnAConnectionThatIsLeft) {
    Gate gate;
    H2Upstream upstream([&](const H2Request& request) {
        H2Reply reply = h2_text("slow");
        if (request.path == "/wait") reply.when = opened(gate);
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    RawClient waits(daemon.http());
    waits.send(get_request("/wait"));
    ASSERT_TRUE(upstream.wait_for_requests(1));
    upstream.go_away();
    ASSERT_TRUE(eventually([&] {
        static_cast<void>(get_once(daemon.http(), "/"));
        return upstream.connections() == 2;
    }));
    gate.open();
    EXPECT_EQ(waits.read_response().body, "slow");
    EXPECT_TRUE(upstream.wait_for_open(1));
}

// Never processed (RFC 9113 8.7): even a POST goes again.
TEST(H2Pool, ARefusedStreamIsSentAgain) {
    std::atomic<int> count = 0;
    H2Upstream upstream([&](const H2Request&) {
        H2Reply reply = h2_text("done");
        if (++count == 1) {
            reply.no_answer = true;
            reply.reset = 7;
        }
        return reply;
    });
    Daemon daemon("upstreams: { app: { servers: [@UP1@], http2: true } }\nhosts: { \"*\": app }\n",
                  ups(upstream));
    const auto response = RawClient(daemon.http()).exchange(body_request("POST", "/", "x"), "POST");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "done");
    EXPECT_EQ(count, 2);
}

TEST(H2Pool, AServerThatRefusesEverythingIsABadGateway) {
    H2Upstream upstream([&](const H2Request&) {
        H2Reply reply;
        reply.no_answer = true;
        reply.reset = 7;
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_reset");
    EXPECT_LE(upstream.request_count(), 5);
}

TEST(H2Pool, AResetStreamFailsAloneAndIsNotSentTwice) {
    H2Upstream upstream([&](const H2Request& request) {
        H2Reply reply = h2_text("ok");
        if (request.path == "/bad") {
            reply.no_answer = true;
            reply.reset = 2;
        }
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    EXPECT_EQ(get_once(daemon.http(), "/bad").status, 502);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_reset");
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_EQ(upstream.request_count(), 2);
}

TEST(H2Pool, AnAnswerThatIsResetNeverLooksComplete) {
    H2Upstream upstream([&](const H2Request&) {
        H2Reply reply = h2_text("half an answer");
        reply.reset = 2;
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    EXPECT_GT(get_once(daemon.http(), "/").end, MessageEnd::ConnectionClose);
    EXPECT_EQ(daemon.access(0)["reason"].text(), "upstream_body_cut");
}

TEST(H2Pool, AConnectionThatDiesFailsNoGet) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    for (int turn = 0; turn < 10; ++turn) {
        EXPECT_EQ(client.get("/").status, 200);
        upstream.drop_connections();
    }
}

TEST(H2Pool, ADeadIdleConnectionIsNotUsedForAPost) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    for (int turn = 0; turn < 10; ++turn) {
        EXPECT_EQ(client.exchange(body_request("POST", "/", "x"), "POST").status, 200);
        upstream.drop_connections();
        ASSERT_TRUE(upstream.wait_for_open(0));
    }
    EXPECT_EQ(upstream.request_count(), 10);
}

// What is sent fails before it is read that the server never took it.
TEST(H2Pool, AGoawayIsReadAlthoughSendingFailed) {
    Gate first_here, leave;
    std::atomic<int> posts = 0;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        if (!h2raw::greet(connection.wire())) return;
        const auto stream = h2raw::next_request(connection.wire());
        if (connection.number() != 1) {
            ++posts;
            connection.send(h2raw::answer(stream, h2raw::kEndHeaders | h2raw::kEndStream));
            static_cast<void>(connection.wait_for_close());
            return;
        }
        first_here.open();
        static_cast<void>(leave.wait());
        connection.send(h2raw::frame(h2raw::kGoaway, 0, 0, h2raw::number(stream) +
                                                               h2raw::number(0)));
        connection.reset();
    });
    Daemon daemon(config("    retry: off\n"), ups(*upstream));
    RawClient waiting(daemon.http()), posting(daemon.http());
    waiting.send(get_request("/"));
    ASSERT_TRUE(first_here.wait());
    {
        const Frozen frozen(daemon);
        posting.send(body_request("POST", "/", ""));
        ASSERT_TRUE(delivered(posting.wire()));
        leave.open();
        ASSERT_TRUE(upstream->wait_for_open(0));
    }
    EXPECT_EQ(posting.read_response("POST").status, 200);
    EXPECT_EQ(posts, 1);
}

TEST(H2Pool, ARestartUnderLoadFailsNoRequestWhereThereIsAnother) {
    auto first = std::make_unique<H2Upstream>();
    H2Upstream second;
    Daemon daemon(config("", "@UP1@, @UP2@"), ups(*first, second));
    H2UpstreamOptions again;
    again.port = first->port();
    Load::Options options;
    options.threads = 8;
    Load load(daemon.http(), options);
    ASSERT_TRUE(load.wait_for_answers(500));
    first.reset();
    ASSERT_TRUE(load.wait_for_answers(1000));
    first = std::make_unique<H2Upstream>([](const H2Request&) { return h2_text("ok"); }, again);
    ASSERT_TRUE(load.wait_for_answers(2000));
    load.stop();
    EXPECT_TRUE(load.failures().empty()) << load.failures().front();
}

TEST(H2Pool, RequestsThatWaitForAConnectionFailTogether) {
    Daemon daemon(config("    retry: off\n", "@DEAD@"));
    EXPECT_EQ(ask_at_once(daemon.http(), 20), 0);
    for (std::size_t index = 0; index < 20; ++index) {
        EXPECT_EQ(daemon.access(index)["status"].text(), "502");
    }
}

// A backlog that is never accepted from, and a server that says nothing: nobody hangs.
TEST(H2Pool, AServerThatSaysNothingIsATimeout) {
    H2UpstreamOptions options;
    options.silent = true;
    H2Upstream upstream([](const H2Request&) { return h2_text("never"); }, options);
    Daemon daemon(config("    timeouts: { connect: 300ms, read: 300ms }\n    retry: off\n"),
                  ups(upstream));
    EXPECT_EQ(ask_at_once(daemon.http(), 10), 0);
    for (std::size_t index = 0; index < 10; ++index) {
        EXPECT_EQ(daemon.access(index)["status"].text(), "504");
    }
}

TEST(H2Pool, TheFirstRequestMayGiveUpTheConnectionThatOthersWaitFor) {
    H2Upstream upstream;
    Daemon daemon(config(), ups(upstream));
    for (int turn = 0; turn < 20; ++turn) {
        RawClient leaves(daemon.http());
        RawClient stays(daemon.http());
        leaves.send(get_request("/"));
        stays.send(get_request("/"));
        leaves.reset();
        EXPECT_EQ(stays.read_response().status, 200);
    }
}

TEST(H2Pool, KeepaliveRequestsAndTimeoutEndConnectionsWithGoaway) {
    H2Upstream upstream;
    Daemon daemon(config("    keepalive_requests: 5\n    keepalive_timeout: 200ms\n"),
                  ups(upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 12; ++count) {
        EXPECT_EQ(client.get("/").status, 200);
    }
    EXPECT_EQ(upstream.connections(), 3);
    EXPECT_TRUE(upstream.wait_for_goaways(3));
    EXPECT_TRUE(upstream.wait_for_open(0));
}

TEST(H2Pool, KeepaliveZeroKeepsNone) {
    H2Upstream upstream;
    Daemon daemon(config("    keepalive: 0\n"), ups(upstream));
    RawClient client(daemon.http());
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(client.get("/").status, 200);
    }
    EXPECT_EQ(upstream.connections(), 3);
    EXPECT_TRUE(upstream.wait_for_open(0));
}

// Nobody says that the connection is dead: it is found out with the next request.
TEST(H2Pool, AConnectionThatWasSilentIsAskedForASignOfLife) {
    std::atomic<int> connections = 0;
    const auto upstream = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        const bool dies = ++connections == 1;
        if (!h2raw::greet(connection.wire())) return;
        while (const std::uint32_t stream = h2raw::next_request(connection.wire())) {
            connection.send(h2raw::answer(stream, h2raw::kEndHeaders | h2raw::kEndStream));
            if (dies) static_cast<void>(connection.wait_for_close(Duration(40'000)));
        }
    });
    Daemon daemon(config(), ups(*upstream));
    ClientOptions patient;
    patient.limit = Duration(30'000);
    RawClient client(daemon.http(), patient);
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_TRUE(client.silent_for(Duration(10'500)));
    client.send(get_request("/"));
    ReadOptions wait;
    wait.limit = patient.limit;
    EXPECT_EQ(client.read_response("GET", wait).status, 200);
    EXPECT_EQ(connections, 2);
}

TEST(H2Pool, ASlowAnswerOnAConnectionThatLivesIsWaitedFor) {
    H2Upstream upstream([&](const H2Request& request) {
        H2Reply reply = h2_text("ok");
        const auto since = Clock::now();
        if (request.path == "/slow") {
            reply.when = [since] { return Clock::now() - since > Duration(6'000); };
        }
        return reply;
    });
    Daemon daemon(config(), ups(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_TRUE(client.silent_for(Duration(10'500)));
    EXPECT_EQ(client.get("/slow").status, 200);
    EXPECT_EQ(upstream.connections(), 1);
    EXPECT_GE(upstream.pings(), 1);
}

TEST(H2Pool, AReloadChangesWhatIsSpoken) {
    H2Upstream upstream;
    FakeUpstream other;
    auto marks = ups(upstream, other);
    Daemon daemon(config(), marks);
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(upstream.request_count(), 1);
    daemon.reload("workers: 1\nupstreams: { app: { servers: [@UP2@] } }\nhosts: { \"*\": app }\n");
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(other.request_count(), 1);
    daemon.reload(config());
    EXPECT_EQ(client.get("/").status, 200);
    EXPECT_EQ(upstream.request_count(), 2);
}

TEST(H2Pool, ProxyProtocolConnectionsServeOneClientOnly) {
    // The header in front of the preface is more than this backend understands: it closes.
    const auto upstream = FakeUpstream::scripted([](UpstreamConnection& connection) {
        const Deadline deadline(kLimit);
        auto& wire = connection.wire();
        while (wire.view().find("\r\n") == std::string_view::npos) {
            if (wire.fill(deadline) != IoStatus::Ok) return;
        }
        wire.consume(wire.view().find("\r\n") + 2);
        if (!h2raw::greet(wire)) return;
        while (const std::uint32_t stream = h2raw::next_request(wire)) {
            wire.send(h2raw::answer(stream, h2raw::kEndHeaders | h2raw::kEndStream));
        }
    });
    Daemon daemon(config("    proxy_protocol: v1\n"), ups(*upstream));
    RawClient one(daemon.http()), other(daemon.http());
    for (int turn = 0; turn < 3; ++turn) {
        EXPECT_EQ(one.get("/").status, 200);
        EXPECT_EQ(other.get("/").status, 200);
    }
    EXPECT_EQ(upstream->connections(), 2);
}

}  // namespace
}  // namespace proxyd::test
