// The neutral client and the neutral upstream, against each other: what the matrix stands on.
#include "support/digest.hpp"
#include "support/protocol/backend.hpp"
#include "support/protocol/client.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace proxyd::test::protocol {
namespace {

struct Pair {
    Version version;
    bool tls;
};

class Protocol : public ::testing::TestWithParam<Pair> {
  protected:
    void serve(Backend::Script script) {
        Backend::Options options;
        if (GetParam().tls) options.certificate = Authority("ca").issue({{"app.test"}, {}});
        backend = make_backend(GetParam().version, std::move(script), options);
        ClientOptions to;
        to.port = backend->port();
        to.tls = GetParam().tls;
        client = make_client(GetParam().version, to);
    }
    std::unique_ptr<Backend> backend;
    std::unique_ptr<Client> client;
};

TEST_P(Protocol, RequestAndAnswerAreWhole) {
    serve(handled([](const Incoming& request) {
        Give answer = give("for " + request.path + " " + request.body);
        answer.fields.add("X-Answer", "1");
        return answer;
    }));
    auto request = post("body", "/p?q");
    request.fields.add("X-Ask", "2");
    const auto answer = client->ask(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "for /p?q body");
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(answer.fields.value("X-Answer"), "1");
    const auto seen = backend->last_request();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.authority, "app.test");
    EXPECT_EQ(seen.fields.value("X-Ask"), "2");
    EXPECT_EQ(client->get("/2").body, "for /2 ");
    EXPECT_EQ(client->connections(), 1);
    EXPECT_EQ(backend->connections(), 1);
}

TEST_P(Protocol, LargeBodiesAndTrailersPassBothWays) {
    const auto bytes = pattern(5U << 20U);
    serve(handled([&](const Incoming& request) {
        Give answer = give(bytes);
        answer.sized = false;
        answer.trailers.add("x-sum", std::to_string(request.digest));
        return answer;
    }));
    Ask request = post(bytes);
    request.length.reset();
    request.chunked = true;
    request.trailers.add("x-end", "yes");
    const auto answer = client->ask(request);
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(answer.digest, digest_of(bytes));
    EXPECT_EQ(answer.trailers.value("x-sum"), std::to_string(digest_of(bytes)));
    EXPECT_EQ(backend->last_request().trailers.value("x-end"), "yes");
}

TEST_P(Protocol, PiecesInterimAndNoBody) {
    serve([](Served& served) {
        served.interim(103, {{"Link", "</a>"}});
        served.answer_head(200, {}, {});
        for (;;) {
            const auto bytes = served.read();
            if (bytes.empty()) break;
            served.send(bytes);
        }
        served.finish();
    });
    auto request = ask_for("/");
    request.method = "POST";
    request.chunked = true;
    const auto sent = client->stream(request);
    auto answer = sent->read_head();
    EXPECT_EQ(answer.interim.size(), 1U);
    sent->send("one");
    EXPECT_EQ(sent->read_exactly(3), "one");
    sent->send("two");
    EXPECT_EQ(sent->read_exactly(3), "two");
    sent->finish();
    sent->read_rest(answer);
    EXPECT_EQ(answer.end, End::whole);
}

TEST_P(Protocol, BreaksAreSeen) {
    serve([](Served& served) {
        served.answer_head(200, {}, 100);
        served.send("part");
        if (served.head().path == "/cut") {
            served.cut();
        } else {
            static_cast<void>(served.wait_for_leave());
        }
    });
    const auto answer = client->get("/cut");
    EXPECT_EQ(answer.end, End::cut);
    EXPECT_EQ(answer.body, "part");
    const auto sent = client->open(ask_for("/stay"));
    EXPECT_EQ(sent->read_head().status, 200);
    sent->cancel();
    EXPECT_TRUE(backend->wait_for_left(1));
    const auto other = client->open(ask_for("/stay"));
    EXPECT_EQ(other->read_head().status, 200);
    other->vanish();
    EXPECT_TRUE(backend->wait_for_left(2));
}

TEST_P(Protocol, OverlappingRequestsAreServedAtTheSameTime) {
    Gate answer;
    serve([&](Served& served) {
        static_cast<void>(answer.wait());
        served.reply(give(served.head().path));
    });
    std::vector<std::unique_ptr<Sent>> all;
    for (int number = 0; number < 20; ++number) {
        all.push_back(client->open(ask_for("/" + std::to_string(number))));
    }
    EXPECT_TRUE(backend->wait_for_heads(20));
    answer.open();
    for (int number = 0; number < 20; ++number) {
        EXPECT_EQ(all[number]->answer().body, "/" + std::to_string(number));
    }
    EXPECT_EQ(backend->connections(), GetParam().version == Version::h1 ? 20 : 1);
}

std::ostream& operator<<(std::ostream& out, const Pair& pair) {
    return out << (pair.version == Version::h1 ? "h1" : "h2") << (pair.tls ? " over TLS" : "");
}

INSTANTIATE_TEST_SUITE_P(Each, Protocol,
                         ::testing::Values(Pair{Version::h1, false}, Pair{Version::h1, true},
                                           Pair{Version::h2, false}, Pair{Version::h2, true}),
                         [](const auto& info) {
                             return std::string(info.param.version == Version::h1 ? "h1" : "h2") +
                                    (info.param.tls ? "_tls" : "");
                         });

}  // namespace
}  // namespace proxyd::test::protocol
