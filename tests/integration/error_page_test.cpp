// The pages of our own error answers, the operator's pages, and intercept_errors.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

TEST(ErrorPages, OwnOnesAreSmallAndNameTheStatus) {
    Daemon daemon("hosts: { app.test: { return: 200 } }\n");
    const auto response = get_once(daemon.http(), "/", "", "unknown.test");
    EXPECT_EQ(response.status, 404);
    EXPECT_TRUE(response.complete());
    EXPECT_NE(response.body.find("404"), std::string::npos);
    EXPECT_LT(response.body.size(), 8192U);
    EXPECT_TRUE(response.headers.has("Content-Type"));
}

TEST(ErrorPages, NothingOfTheClientIsEchoedUnescaped) {
    Daemon daemon("hosts: { app.test: 1 }\n");
    for (const std::string target : {"/<script>alert(1)</script>", "/?<script>"}) {
        const auto response = get_once(daemon.http(), target, "X: <script>\r\n", "other.test");
        EXPECT_EQ(response.status, 404);
        EXPECT_EQ(response.body.find("<script>"), std::string::npos);
    }
}

class OperatorPages : public ::testing::Test {
  protected:
    OperatorPages() {
        pages.write("502.html", "<p>five-oh-two</p>");
        pages.write("4xx.html", "<p>four something</p>");
        pages.write("404.html", "<p>not here</p>");
    }

    static std::string config(const std::string& host) {
        return "hosts:\n  app.test:\n"
               "    error_pages: { 502: @PAGES@/502.html, 4xx: @PAGES@/4xx.html, "
               "404: @PAGES@/404.html }\n" +
               host;
    }

    Marks marks(const FakeUpstream& upstream) const {
        auto result = ups(upstream);
        result.set("PAGES", pages.path().string());
        return result;
    }

    TempDir pages;
    FakeUpstream upstream{[](const Request& request) {
        return text_reply("of the app", std::stoi(request.target.substr(1)));
    }};
};

TEST_F(OperatorPages, ReplaceOurOwn) {
    Daemon daemon(config("    locations:\n"
                         "      /dead: { upstream: @DEAD@ }\n"
                         "      /post: { methods: [POST], return: 200 }\n"),
                  marks(upstream));
    const auto bad = get_once(daemon.http(), "/dead");
    EXPECT_EQ(bad.status, 502);
    EXPECT_EQ(bad.body, "<p>five-oh-two</p>");
    EXPECT_EQ(bad.headers.value("Content-Type").substr(0, 9), "text/html");
    EXPECT_EQ(get_once(daemon.http(), "/post").body, "<p>four something</p>");
    EXPECT_EQ(get_once(daemon.http(), "/none").body, "<p>not here</p>");
    RawClient client(daemon.http());
    const auto head = client.exchange("HEAD /none HTTP/1.1\r\nHost: app.test\r\n\r\n", "HEAD");
    EXPECT_EQ(head.status, 404);
    EXPECT_TRUE(client.silent_for(Duration(30)));
}

TEST_F(OperatorPages, LeaveTheUpstreamsAnswersAlone) {
    Daemon daemon(config("    upstream: @UP1@\n"), marks(upstream));
    for (const auto* path : {"/404", "/502", "/403"}) {
        EXPECT_EQ(get_once(daemon.http(), path).body, "of the app");
    }
}

TEST_F(OperatorPages, InterceptErrorsReplacesTheUpstreamsAnswers) {
    Daemon daemon(config("    upstream: @UP1@\n    intercept_errors: true\n"), marks(upstream));
    RawClient client(daemon.http());
    EXPECT_EQ(client.get("/404").body, "<p>not here</p>");
    EXPECT_EQ(client.get("/403").body, "<p>four something</p>");
    const auto bad = client.get("/502");
    EXPECT_EQ(bad.status, 502);
    EXPECT_EQ(bad.body, "<p>five-oh-two</p>");
    // No page is named for it, and a good answer is none of its business.
    EXPECT_EQ(client.get("/500").body, "of the app");
    EXPECT_EQ(client.get("/200").body, "of the app");
}

}  // namespace
}  // namespace proxyd::test
