// No input breaks a line of the access log, and no line is lost.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace proxyd::test {
namespace {

// Bytes of a client that try to leave their place in the line.
const char* const kNasty[] = {
    "/\"%22\\x22 - - [evil]",
    "/a\\\"b\\",
    "/{\"status\":200}",
};

TEST(AccessLog, JsonLinesStayValidWhateverComes) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    std::size_t sent = 0;
    for (const auto& agent :
         {std::string("quote \" backslash \\ end"), std::string("\xff\xfe bad \xc3\x28 utf-8"),
          std::string("tab\tinside"), std::string("{\"status\": 999}"), std::string(5000, '"')}) {
        get_once(daemon.http(), "/n", "User-Agent: " + agent + "\r\n");
        ++sent;
    }
    for (const auto& raw :
         {std::string("GET /\n{\"fake\":1} HTTP/1.1\r\n\r\n"), std::string("\x1b[31mred\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nUser-Agent: a\x1b[0m\r\nHost: x\r\n\r\n"),
          std::string("\xff\xff\xff\xff\r\n\r\n")}) {
        RawClient(daemon.http()).exchange(raw);
        ++sent;
    }
    for (const std::string path : kNasty) {
        RawClient(daemon.http()).exchange("GET " + path + " HTTP/1.1\r\nHost: a.test\r\n\r\n");
        ++sent;
    }
    const auto lines = daemon.wait_for_access(sent);
    EXPECT_EQ(lines.size(), sent);
    for (const auto& line : lines) {
        EXPECT_TRUE(Json::parse(line)) << line;
        EXPECT_EQ(line.find('\x1b'), std::string::npos);
    }
}

TEST(AccessLog, CombinedLinesKeepTheirQuotesWhateverComes) {
    FakeUpstream upstream;
    Daemon daemon(
        "log: { access: { path: @TMP@/access.log, buffer: 0 } }\n"
        "hosts: { \"*\": @UP1@ }\n",
        ups(upstream));
    get_once(daemon.http(), "/", "User-Agent: a\" \"b\" 200 5 \\\r\nReferer: \xff\x80\r\n");
    const auto lines = daemon.wait_for_access(1);
    ASSERT_EQ(lines.size(), 1U);
    // Three quoted texts, so six quotes that are not escaped.
    EXPECT_EQ(std::ranges::count(lines[0], '"'), 6) << lines[0];
    for (const unsigned char byte : lines[0]) EXPECT_TRUE(byte >= 0x20 && byte < 0x7f) << lines[0];
}

TEST(AccessLog, CanBeOffForAPlace) {
    FakeUpstream upstream;
    Daemon daemon(R"(
hosts:
  "*":
    upstream: @UP1@
    locations:
      /: {}
      /quiet: { access_log: off }
)",
                  ups(upstream));
    RawClient client(daemon.http());
    client.get("/quiet");
    client.get("/loud");
    EXPECT_EQ(daemon.access(0)["request_uri"].text(), "/loud");
    EXPECT_EQ(daemon.access_lines().size(), 1U);
}

TEST(AccessLog, BufferedLinesAppearWithinTheFlushTime) {
    FakeUpstream upstream;
    Daemon daemon(
        "log: { access: { path: @TMP@/access.log, buffer: 64k, flush: 300ms } }\n"
        "hosts: { \"*\": @UP1@ }\n",
        ups(upstream));
    get_once(daemon.http(), "/");
    EXPECT_EQ(daemon.wait_for_access(1, Duration(5000)).size(), 1U);
}

TEST(AccessLog, EveryRequestOfManyClientsHasItsWholeLine) {
    FakeUpstream upstream;
    Daemon daemon(
        "log: { access: { path: @TMP@/access.log, format: json, buffer: 4k, "
        "flush: 100ms } }\nhosts: { \"*\": @UP1@ }\n",
        ups(upstream));
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&] {
            RawClient client(daemon.http());
            for (int count = 0; count < 250; ++count) client.get("/" + std::string(100, 'p'));
        });
    }
    for (auto& thread : threads) thread.join();
    const auto lines = daemon.wait_for_access(1000);
    EXPECT_EQ(lines.size(), 1000U);
    for (const auto& line : lines) ASSERT_TRUE(Json::parse(line)) << line;
}

}  // namespace
}  // namespace proxyd::test
