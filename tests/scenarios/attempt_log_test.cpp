// Every try of a request is in the logs, also when a later one hid its failure from the client.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace proxyd::test {
namespace {

std::string two_servers(const std::string& first) {
    return "upstreams:\n  app:\n    servers: [\"127.0.0.1:@" + first +
           "@\", \"127.0.0.1:@UP2@\"]\n    retry: { on: [error, timeout, http_503] }\n"
           "    timeouts: { read: 200ms }\nhosts: { \"*\": app }\n";
}

// The line of the error log that has all of these words, or an empty text.
std::string line_with(const Daemon& daemon, const std::vector<std::string>& words) {
    std::string found;
    const auto search = [&] {
        std::istringstream log(daemon.log());
        for (std::string line; std::getline(log, line);) {
            bool all = true;
            for (const auto& word : words) all = all && line.find(word) != std::string::npos;
            if (all) found = line;
        }
        return !found.empty();
    };
    static_cast<void>(eventually(search, Duration(3000)));
    return found;
}

void expect_warning(const Daemon& daemon, const std::string& reason, const std::string& port) {
    const auto line = line_with(daemon, {"warn", reason, "127.0.0.1:" + port});
    EXPECT_NE(line, "") << "no warning of " << reason << " in\n" << daemon.log();
}

TEST(AttemptLog, RefusedServerBehindAGoodAnswerIsAWarning) {
    FakeUpstream unused;
    FakeUpstream good;
    Daemon daemon(two_servers("DEAD"), ups(unused, good));
    ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
    expect_warning(daemon, "upstream_refused", daemon.marks().value("DEAD"));
}

TEST(AttemptLog, OtherFailuresBehindAGoodAnswerAreWarningsToo) {
    struct Case {
        const char* reason;
        FakeUpstream::Script script;
    };
    const Case cases[] = {
        {"upstream_closed",
         [](UpstreamConnection& connection) {
             Request request;
             connection.read_request(request);
         }},
        {"upstream_reset",
         [](UpstreamConnection& connection) {
             Request request;
             if (connection.read_request(request)) connection.reset();
         }},
        {"upstream_timeout_read",
         [](UpstreamConnection& connection) {
             Request request;
             if (connection.read_request(request)) connection.wait_for_close();
         }},
        {"upstream_status",
         [](UpstreamConnection& connection) {
             Request request;
             if (connection.read_request(request)) connection.reply(text_reply("no", 503));
         }},
    };
    for (const auto& [reason, script] : cases) {
        SCOPED_TRACE(reason);
        const auto bad = FakeUpstream::scripted(script);
        FakeUpstream good;
        Daemon daemon(two_servers("UP1"), ups(*bad, good));
        ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
        expect_warning(daemon, reason, std::to_string(bad->port()));
    }
}

TEST(AttemptLog, AccessLineListsEveryTry) {
    FakeUpstream unused;
    FakeUpstream good;
    Daemon daemon(two_servers("DEAD"), ups(unused, good));
    ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
    const auto line = daemon.access(0);
    EXPECT_EQ(line["upstream_status"].text(), "502, 200");
    EXPECT_EQ(line["upstream_addr"].text(), "127.0.0.1:" + daemon.marks().value("DEAD") +
                                                ", 127.0.0.1:" + std::to_string(good.port()));
    EXPECT_NE(line["upstream_response_time"].text(), "");
}

TEST(AttemptLog, AccessLineListsRetriedStatuses) {
    FakeUpstream bad([](const Request&) { return text_reply("no", 503); });
    FakeUpstream good;
    Daemon daemon(two_servers("UP1"), ups(bad, good));
    ASSERT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_EQ(daemon.access(0)["upstream_status"].text(), "503, 200");
}

TEST(AttemptLog, AnswerOfOurOwnHasTheStatusAndTimeOfItsTry) {
    Daemon daemon("hosts: { \"*\": \"127.0.0.1:@DEAD@\" }\n");
    ASSERT_EQ(get_once(daemon.http(), "/").status, 502);
    const auto line = daemon.access(0);
    EXPECT_EQ(line["upstream_status"].text(), "502");
    EXPECT_NE(line["upstream_response_time"].text(), "");
    EXPECT_NE(line["upstream_response_time"].text(), "-");
    EXPECT_EQ(line["upstream_addr"].text(), "127.0.0.1:" + daemon.marks().value("DEAD"));
}

}  // namespace
}  // namespace proxyd::test
