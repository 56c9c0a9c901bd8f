// The sizes and targets in the access log.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(LogSizes, RequestLengthCountsHeadAndBody) {
    FakeUpstream upstream;
    Daemon daemon(
        "log: { access: { path: @TMP@/access.log, format: \"$request_length\", buffer: 0 } }\n"
        "hosts: { app.test: @UP1@ }\n",
        ups(upstream));
    std::size_t asked = 0;
    const auto logged = [&](const std::string& bytes) {
        RawClient(daemon.http()).exchange(bytes);
        return daemon.wait_for_access(++asked).back();
    };
    const auto get = get_request("/a", "X-Field: value\r\n");
    EXPECT_EQ(logged(get), std::to_string(get.size()));
    for (const std::size_t size : {0U, 5U, 20'000U, 300'000U}) {
        const auto post = body_request("POST", "/b", std::string(size, 'x'));
        EXPECT_EQ(logged(post), std::to_string(post.size()));
    }
    const auto unknown = get_request("/", "", "unknown.test");
    EXPECT_EQ(logged(unknown), std::to_string(unknown.size()));
}

TEST(LogTargets, RefusedRequestsKeepThem) {
    struct Case {
        const char* status;
        std::string bytes;
        std::string target;  // begins so
    };
    const auto line = [](const std::string& target) { return "GET " + target + " HTTP/1.1\r\n"; };
    const Case cases[] = {
        {"414", line("/too-long" + std::string(40'000, 'a')) + "Host: app.test\r\n\r\n",
         "/too-long"},
        {"414", "GET /never-ends" + std::string(40'000, 'a'), "/never-ends"},
        {"400", line("/two-hosts?q=1") + "Host: a\r\nHost: b\r\n\r\n", "/two-hosts?q=1"},
        {"400", line("/no-host") + "\r\n", "/no-host"},
        {"400", line("/bad-field") + "Host: app.test\r\nA : b\r\n\r\n", "/bad-field"},
        {"400", line("/two-lengths") + "Host: a\r\nContent-Length: 1, 2\r\n\r\n", "/two-lengths"},
    };
    Daemon daemon("hosts: { \"*\": { return: 200 } }\n");
    std::size_t asked = 0;
    for (const auto& [status, bytes, target] : cases) {
        SCOPED_TRACE(target);
        RawClient client(daemon.http());
        client.try_send(bytes, Duration(1000));
        EXPECT_EQ(std::to_string(client.read_response().status), status);
        const auto logged = daemon.access(asked++);
        EXPECT_EQ(logged["status"].text(), status);
        EXPECT_EQ(logged["request_method"].text(), "GET");
        EXPECT_TRUE(logged["request_uri"].text().starts_with(target))
            << logged["request_uri"].text().substr(0, 200);
    }
}

}  // namespace
}  // namespace proxyd::test
