// Fields that a status cannot do without stay when intercept_errors replaces the answer's page.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(InterceptErrors, KeepsTheFieldsThatAStatusNeeds) {
    TempDir pages;
    pages.write("4xx.html", "<p>page</p>");
    FakeUpstream upstream([](const Request& request) {
        auto reply = text_reply("of the app", std::stoi(request.target.substr(1)));
        reply.headers = {{"WWW-Authenticate", "Basic realm=\"one\""},
                         {"WWW-Authenticate", "Bearer"},
                         {"Allow", "GET, PUT"},
                         {"Set-Cookie", "a=b"},
                         {"Content-Encoding", "br"}};
        return reply;
    });
    auto marks = ups(upstream);
    marks.set("PAGES", pages.path().string());
    Daemon daemon(
        "hosts: { \"*\": { upstream: @UP1@, intercept_errors: on, "
        "error_pages: { 4xx: @PAGES@/4xx.html } } }\n",
        marks);
    const auto denied = get_once(daemon.http(), "/401");
    EXPECT_EQ(denied.status, 401);
    EXPECT_EQ(denied.body, "<p>page</p>");
    EXPECT_EQ(denied.headers.all("WWW-Authenticate"),
              (std::vector<std::string>{"Basic realm=\"one\"", "Bearer"}));
    EXPECT_FALSE(denied.headers.has("Content-Encoding"));
    const auto method = get_once(daemon.http(), "/405");
    EXPECT_EQ(method.status, 405);
    EXPECT_EQ(method.body, "<p>page</p>");
    EXPECT_EQ(method.headers.all("Allow"), std::vector<std::string>{"GET, PUT"});
}

}  // namespace
}  // namespace proxyd::test
