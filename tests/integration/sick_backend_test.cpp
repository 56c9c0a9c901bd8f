// Backends that are there and do not serve: the right status and reason in bounded time, for a
// group of their own and in one with a server that works; who asks elsewhere notices nothing.
#include "support/daemon.hpp"
#include "support/load.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Sickness {
    const char* name;
    FakeUpstream::Script script;
    int status;  // when there is nobody else to ask
    const char* reason;
    bool cut = false;  // the head came, the body does not
};

void send_after_request(UpstreamConnection& connection, std::string_view bytes) {
    Request request;
    if (connection.read_request(request)) (void)connection.send(bytes);
}

std::vector<Sickness> sicknesses() {
    return {
        {"never answers",
         [](UpstreamConnection& connection) {
             Request request;
             if (connection.read_request(request)) (void)connection.wait_for_close();
         },
         504, "upstream_timeout_read"},
        {"a byte at a time",
         [](UpstreamConnection& connection) {
             Request request;
             if (!connection.read_request(request)) return;
             (void)connection.drip("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", Duration(50));
         },
         504, "upstream_timeout_read"},
        {"closes after the head",
         [](UpstreamConnection& connection) {
             send_after_request(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
         },
         200, "upstream_body_cut", true},
        {"sends garbage",
         [](UpstreamConnection& connection) {
             send_after_request(connection, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
         },
         502, "upstream_bad_response"},
        {"hangs up", [](UpstreamConnection& connection) { send_after_request(connection, ""); },
         502, "upstream_closed"},
    };
}

constexpr auto kConfig = R"(
workers: 4
defaults: { timeouts: { read: 400ms } }
upstreams:
  alone: { servers: ["127.0.0.1:@UP1@"] }
  both:
    servers: [{ address: "127.0.0.1:@UP1@", max_fails: 0 }, "127.0.0.1:@UP2@"]
    retry: { on: [error, timeout, invalid_header] }
  good: { servers: ["127.0.0.1:@UP2@"] }
hosts:
  alone.test: alone
  both.test: both
  app.test: good
)";

TEST(SickBackend, HasItsStatusAndReasonInBoundedTime) {
    for (const Sickness& sick : sicknesses()) {
        SCOPED_TRACE(sick.name);
        auto one = FakeUpstream::scripted(sick.script);
        FakeUpstream good([](const Request&) { return text_reply("good"); });
        Daemon daemon(kConfig, ups(*one, good));
        const auto start = Clock::now();
        const auto response = get_once(daemon.http(), "/", "", "alone.test");
        EXPECT_LT(Clock::now() - start, Duration(3'000));
        EXPECT_EQ(response.status, sick.status);
        EXPECT_EQ(response.complete(), !sick.cut);
        EXPECT_EQ(daemon.access(0)["reason"].text(), sick.reason);
    }
}

TEST(SickBackend, TheServerBesideItAnswersWhereThatIsSafe) {
    for (const Sickness& sick : sicknesses()) {
        if (sick.cut) continue;  // an answer that began is not taken back
        SCOPED_TRACE(sick.name);
        auto one = FakeUpstream::scripted(sick.script);
        FakeUpstream good([](const Request&) { return text_reply("good"); });
        Daemon daemon(kConfig, ups(*one, good));
        for (int count = 0; count < 4; ++count) {
            EXPECT_EQ(get_once(daemon.http(), "/", "", "both.test").body, "good");
        }
        EXPECT_GE(one->connections(), 2);
    }
}

TEST(SickBackend, WhoAsksElsewhereNoticesNothing) {
    auto mute = FakeUpstream::scripted(sicknesses()[0].script);
    FakeUpstream good([](const Request&) { return text_reply("good"); });
    Daemon daemon(kConfig, ups(*mute, good));
    std::vector<std::unique_ptr<RawClient>> stuck;
    for (int count = 0; count < 100; ++count) {
        stuck.push_back(std::make_unique<RawClient>(daemon.http()));
        stuck.back()->send(get_request("/", "", "alone.test"));
    }
    ASSERT_TRUE(mute->wait_for_connections(50));
    Load::Options options;
    options.expected_body = "good";
    Load load(daemon.http(), options);
    ASSERT_TRUE(load.wait_for_answers(200, Duration(3'000)));
    load.stop();
    EXPECT_EQ(load.failures(), std::vector<std::string>());
    for (auto& client : stuck) EXPECT_EQ(client->read_response().status, 504);
}

}  // namespace
}  // namespace proxyd::test
