// One id for a request everywhere: ours, or a sound one of a trusted proxy.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

constexpr auto kConfig = R"(
trusted_proxies: [127.0.0.7]
hosts:
  app.test:
    upstream: @UP1@
    locations:
      /: {}
      /text: { return: { status: 200, body: "$request_id" } }
      /gone: { return: 404 }
      /dead: { upstream: "127.0.0.1:@DEAD@" }
)";

class RequestId : public ::testing::Test {
  protected:
    Response ask(const std::string& path, const std::string& id, const std::string& source,
                 std::string_view host = "app.test") {
        ClientOptions options;
        options.source = source;
        ++asked;
        const auto response =
            RawClient(daemon.http(), options).get(path, "X-Request-ID: " + id + "\r\n", host);
        logged = daemon.access(asked - 1)["request_id"].text();
        return response;
    }

    FakeUpstream upstream;
    Daemon daemon{kConfig, ups(upstream)};
    std::size_t asked = 0;
    std::string logged;  // the id in the line of the last request
};

TEST_F(RequestId, OfAnUntrustedClientIsReplaced) {
    EXPECT_EQ(ask("/", "of-the-client", "127.0.0.8").status, 200);
    const auto ids = upstream.last_request().headers.all("X-Request-ID");
    ASSERT_EQ(ids.size(), 1U);
    EXPECT_NE(ids[0], "of-the-client");
    EXPECT_EQ(ids[0], logged);
    EXPECT_FALSE(logged.empty());
    const auto page = ask("/", "of-the-client", "127.0.0.8", "unknown.test");
    EXPECT_EQ(page.body.find("of-the-client"), std::string::npos) << page.body;
    EXPECT_NE(page.body.find(logged), std::string::npos) << page.body;
}

TEST_F(RequestId, OfATrustedProxyIsKeptTowardsTheUpstream) {
    EXPECT_EQ(ask("/", "of-the-edge", "127.0.0.7").status, 200);
    EXPECT_EQ(upstream.last_request().headers.all("X-Request-ID"),
              std::vector<std::string>{"of-the-edge"});
    EXPECT_EQ(logged, "of-the-edge");
}

TEST_F(RequestId, OfATrustedProxyIsKeptOnAnswersOfOurOwn) {
    EXPECT_EQ(ask("/text", "edge-1", "127.0.0.7").body, "edge-1");
    EXPECT_EQ(logged, "edge-1");
    EXPECT_EQ(ask("/gone", "edge-2", "127.0.0.7").status, 404);
    EXPECT_EQ(logged, "edge-2");
    const auto bad = ask("/dead", "edge-3", "127.0.0.7");
    EXPECT_EQ(bad.status, 502);
    EXPECT_NE(bad.body.find("edge-3"), std::string::npos) << bad.body;
    EXPECT_EQ(logged, "edge-3");
    const auto unknown = ask("/", "edge-4", "127.0.0.7", "unknown.test");
    EXPECT_EQ(unknown.status, 404);
    EXPECT_NE(unknown.body.find("edge-4"), std::string::npos) << unknown.body;
    EXPECT_EQ(logged, "edge-4");
}

TEST_F(RequestId, AnUnsoundOneOfATrustedProxyIsReplaced) {
    for (const auto& id : {std::string(), std::string(5000, 'a'), std::string("two words"),
                           std::string("a\tb"), std::string("a\xe4z")}) {
        SCOPED_TRACE(id.substr(0, 20));
        EXPECT_EQ(ask("/", id, "127.0.0.7").status, 200);
        EXPECT_FALSE(logged.empty());
        EXPECT_NE(logged, id);
        EXPECT_LE(logged.size(), 128U);
        EXPECT_EQ(logged.find_first_of(" \t"), std::string::npos) << logged;
        EXPECT_EQ(upstream.last_request().headers.all("X-Request-ID"),
                  std::vector<std::string>{logged});
    }
}

TEST_F(RequestId, IsEscapedOnThePage) {
    for (const auto* host : {"app.test", "unknown.test"}) {
        const auto page = ask("/dead", "<b>&\"bold\"", "127.0.0.7", host);
        EXPECT_EQ(page.body.find("<b>"), std::string::npos) << page.body;
        EXPECT_NE(page.body.find("&lt;b&gt;&amp;"), std::string::npos) << page.body;
    }
}

}  // namespace
}  // namespace proxyd::test
