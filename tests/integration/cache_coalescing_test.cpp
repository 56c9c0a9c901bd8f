// cache.lock: one request for one key, whoever asks for it meanwhile.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr std::size_t kClients = 1000;

std::string cached(std::string_view keys = "valid: 1h", std::string_view memory = "16m") {
    return "workers: 4\ncaches: { pages: { memory: " + std::string(memory) +
           " } }\nhosts:\n  \"*\":\n    upstream: \"127.0.0.1:@UP1@\"\n    cache: { zone: pages, " +
           std::string(keys) + " }\n";
}

std::string status_of(const Response& response) {
    return response.headers.value("X-Cache-Status");
}

struct Crowd {
    std::vector<std::unique_ptr<RawClient>> clients;

    Crowd(std::uint16_t port, std::size_t count, std::string_view path = "/a") {
        for (std::size_t i = 0; i < count; ++i) {
            clients.push_back(std::make_unique<RawClient>(port));
            clients.back()->send(get_request(path));
        }
    }
};

/// A round trip through each worker: what was sent before has been read by then.
void settle(std::uint16_t port) {
    for (int i = 0; i < 16; ++i) get_once(port, "/other");
}

TEST(CacheCoalescing, AThousandClientsForOneColdKeyAreOneRequest) {
    Gate go;
    FakeUpstream app([&](const Request& request) {
        if (request.target == "/a") {
            EXPECT_TRUE(go.wait());
        }
        return text_reply(std::string(300'000, 'b'));
    });
    Daemon daemon(cached(), ups(app));
    get_once(daemon.http(), "/other");
    Crowd crowd(daemon.http(), kClients);
    ASSERT_TRUE(app.wait_for_heads(2));
    settle(daemon.http());
    go.open();
    std::size_t hits = 0;
    for (auto& client : crowd.clients) {
        const Response got = client->read_response();
        EXPECT_TRUE(got.complete());
        EXPECT_EQ(got.body_size, 300'000U);
        hits += status_of(got) == "HIT";
    }
    EXPECT_EQ(hits, kClients - 1);
    EXPECT_EQ(app.heads(), 2);
}

TEST(CacheCoalescing, AndForOneExpiredKey) {
    std::atomic<int> count = 0;
    Gate go;
    FakeUpstream app([&](const Request& request) {
        const bool ours = request.target == "/a";
        if (ours && ++count == 2) {
            EXPECT_TRUE(go.wait());
        }
        Reply reply = text_reply("answer " + std::to_string(count.load()));
        reply.headers = {{"Cache-Control", ours && count == 1 ? "max-age=1" : "max-age=100"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    get_once(daemon.http(), "/a");
    std::this_thread::sleep_for(Duration(1100));  // the entry's own second
    Crowd crowd(daemon.http(), kClients);
    ASSERT_TRUE(app.wait_for_heads(2));
    settle(daemon.http());
    go.open();
    for (auto& client : crowd.clients) {
        EXPECT_EQ(client->read_response().body, "answer 2");
    }
    EXPECT_EQ(count, 2);
}

TEST(CacheCoalescing, WaitersGetTheBodyAsItComes) {
    Gate second_half;
    const auto app = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (!connection.read_request(request)) return;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        EXPECT_TRUE(second_half.wait());
        connection.send("later");
        connection.wait_for_close();
    });
    Daemon daemon(cached(), ups(*app));
    Crowd crowd(daemon.http(), 20);
    for (auto& client : crowd.clients) {
        client->read_head();
        EXPECT_EQ(client->read_exactly(5), "first");
    }
    second_half.open();
    for (auto& client : crowd.clients) {
        EXPECT_EQ(client->read_exactly(5), "later");
    }
    EXPECT_EQ(app->heads(), 1);
}

TEST(CacheCoalescing, TheFirstClientMayLeave) {
    Gate go;
    FakeUpstream app([&](const Request&) {
        EXPECT_TRUE(go.wait());
        return text_reply("answer");
    });
    Daemon daemon(cached(), ups(app));
    RawClient first(daemon.http());
    first.send(get_request("/a"));
    ASSERT_TRUE(app.wait_for_heads(1));
    Crowd crowd(daemon.http(), 10);
    std::this_thread::sleep_for(Duration(100));  // until they wait: nothing shows it from outside
    first.close();
    ASSERT_TRUE(!daemon.wait_for_access(1).empty());
    go.open();
    for (auto& client : crowd.clients) {
        EXPECT_EQ(client->read_response().body, "answer");
    }
    EXPECT_EQ(app.heads(), 1);
}

TEST(CacheCoalescing, AFillThatNobodyWantsAnyMoreEnds) {
    Gate never;
    const auto app = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        if (connection.read_request(request)) connection.wait_for_close();
    });
    Daemon daemon(cached(), ups(*app));
    RawClient only(daemon.http());
    only.send(get_request("/a"));
    ASSERT_TRUE(app->wait_for_heads(1));
    only.close();
    EXPECT_TRUE(app->wait_for_aborted(1));
}

TEST(CacheCoalescing, AnAnswerThatIsNotSharedReleasesEverybody) {
    std::atomic<int> count = 0;
    Gate go;
    FakeUpstream app([&](const Request&) {
        if (++count == 1) {
            EXPECT_TRUE(go.wait());
        }
        Reply reply = text_reply("for you");
        reply.headers = {{"Cache-Control", "private"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    Crowd crowd(daemon.http(), 50);
    ASSERT_TRUE(app.wait_for_heads(1));
    go.open();
    for (auto& client : crowd.clients) {
        EXPECT_EQ(client->read_response().body, "for you");
    }
    EXPECT_EQ(count, 50);
    // And for a while nobody waits for anybody.
    Gate slow;
    const Response next = get_once(daemon.http(), "/a");
    EXPECT_NE(next.headers.value("Cache-Status").find("detail=pass"), std::string::npos);
}

TEST(CacheCoalescing, AFailedFillIsBegunAnewByAWaiter) {
    std::atomic<int> count = 0;
    Gate go;
    FakeUpstream app([&](const Request&) {
        if (++count == 1) {
            EXPECT_TRUE(go.wait());
            return raw_reply("nonsense\r\n\r\n", true);
        }
        return text_reply("answer");
    });
    Daemon daemon(cached(), ups(app));
    Crowd crowd(daemon.http(), 10);
    ASSERT_TRUE(app.wait_for_heads(1));
    std::this_thread::sleep_for(Duration(100));
    go.open();
    int failed = 0;
    for (auto& client : crowd.clients) failed += client->read_response().status == 502;
    EXPECT_LE(failed, 1);
    EXPECT_EQ(count, 2);
}

TEST(CacheCoalescing, ASlowClientDoesNotHoldTheOthers) {
    const std::string body(2'000'000, 'b');
    FakeUpstream app([&](const Request&) { return text_reply(body); });
    Daemon daemon(cached(), ups(app));
    ClientOptions small;
    small.receive_buffer = 4096;
    RawClient slow(daemon.http(), small);
    slow.send(get_request("/a"));
    slow.read_head();
    Crowd crowd(daemon.http(), 20);
    for (auto& client : crowd.clients) {
        EXPECT_EQ(client->read_response().body_size, body.size());
    }
    EXPECT_EQ(app.heads(), 1);
}

TEST(CacheCoalescing, WhatIsTooLargeIsPassedOnAndMemoryStaysBounded) {
    const std::string part(64 * 1024, 'b');
    const auto app = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < 320; ++i) {
                if (connection.send("10000\r\n" + part + "\r\n") != IoStatus::Ok) return;
            }
            connection.send("0\r\n\r\n");
        }
    });
    Daemon daemon(cached("valid: 1h", "2m"), ups(*app));
    for (int i = 0; i < 3; ++i) {
        const Response got = get_once(daemon.http(), "/a");
        EXPECT_TRUE(got.complete());
        EXPECT_EQ(got.body_size, 320U * 64 * 1024);
        EXPECT_EQ(status_of(got), "MISS");
    }
    EXPECT_EQ(app->heads(), 3);
}

TEST(CacheCoalescing, WhoSharedTheBeginningOfWhatIsTooLargeFetchesTheRest) {
    std::string body;
    for (int i = 0; i < 400'000; ++i) body += std::to_string(i) + ",";
    Gate second_half;
    const auto app = FakeUpstream::scripted([&](UpstreamConnection& connection) {
        Request request;
        while (connection.read_request(request)) {
            connection.send("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nTransfer-Encoding: chunked\r\n\r\n");
            const std::string wire = chunked(body);
            connection.send(wire.substr(0, 100'000));
            EXPECT_TRUE(second_half.wait());
            if (connection.send(wire.substr(100'000)) != IoStatus::Ok) return;
        }
    });
    Daemon daemon(cached("valid: 1h", "2m"), ups(*app));
    Crowd crowd(daemon.http(), 10);
    for (auto& client : crowd.clients) client->read_some();
    second_half.open();
    std::vector<std::string> ends;
    for (auto& client : crowd.clients) {
        std::string text;
        while (text.find("\r\n0\r\n\r\n") == std::string::npos) {
            const std::string more = client->read_some();
            ASSERT_FALSE(more.empty()) << "cut after " << text.size();
            text = text.substr(text.size() > 100 ? text.size() - 100 : 0) + more;
        }
        EXPECT_NE(text.find("399999,"), std::string::npos);
    }
}

TEST(CacheCoalescing, WithoutALockEverybodyAsks) {
    Gate go;
    FakeUpstream app([&](const Request&) {
        EXPECT_TRUE(go.wait());
        return text_reply("answer");
    });
    Daemon daemon(cached("valid: 1h, lock: off"), ups(app));
    Crowd crowd(daemon.http(), 5);
    ASSERT_TRUE(app.wait_for_heads(5));
    go.open();
    for (auto& client : crowd.clients) {
        EXPECT_EQ(client->read_response().body, "answer");
    }
}

TEST(CacheCoalescing, VariantsAreNotMixedUpWhileTheyAreFetched) {
    Gate go;
    FakeUpstream app([&](const Request& request) {
        EXPECT_TRUE(go.wait());
        Reply reply = text_reply(request.headers.value("Accept-Language"));
        reply.headers = {{"Vary", "Accept-Language"}};
        return reply;
    });
    Daemon daemon(cached(), ups(app));
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 40; ++i) {
        clients.push_back(std::make_unique<RawClient>(daemon.http()));
        clients.back()->send(
            get_request("/a", "Accept-Language: l" + std::to_string(i % 4) + "\r\n"));
    }
    ASSERT_TRUE(app.wait_for_heads(1));
    go.open();
    for (int i = 0; i < 40; ++i) {
        EXPECT_EQ(clients[static_cast<std::size_t>(i)]->read_response().body,
                  "l" + std::to_string(i % 4));
    }
    EXPECT_EQ(app.request_count(), 4);
}

}  // namespace
}  // namespace proxyd::test
