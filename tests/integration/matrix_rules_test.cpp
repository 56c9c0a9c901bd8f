// Limits, local answers, header rules and error pages, for every pair of versions.
#include "support/protocol/matrix.hpp"

namespace proxyd::test::protocol {
namespace {

class MatrixRules : public Matrix {};

TEST_P(MatrixRules, BodyAboveTheLimitIs413) {
    auto& upstream = serve();
    start({.host = "max_body_size: 10k"});
    for (const bool sized : {true, false}) {
        auto request = post(std::string(20'000, 'x'));
        if (!sized) request.length.reset();
        request.chunked = !sized;
        const auto answer = ask(request);
        EXPECT_EQ(answer.status, 413);
        EXPECT_EQ(answer.end, End::whole);
    }
    EXPECT_TRUE(upstream.requests().empty());
    EXPECT_EQ(ask(post(std::string(10'240, 'x'))).status, 200);
    EXPECT_EQ(daemon().access(0)["reason"].text(), "body_too_large");
}

TEST_P(MatrixRules, HeadAboveTheLimitIs431) {
    auto& upstream = serve();
    start({.client = "max_header_size: 4k\nmax_headers: 20"});
    EXPECT_EQ(get("/", {{"X-Large", std::string(4200, 'x')}}).status, 431);
    Headers many;
    for (int number = 0; number < 30; ++number) many.add("X-" + std::to_string(number), "1");
    EXPECT_EQ(get("/", many).status, 431);
    EXPECT_EQ(upstream.heads(), 0);
    EXPECT_EQ(get("/", {{"X-Fits", std::string(3000, 'x')}}).status, 200);
}

TEST_P(MatrixRules, UnknownHostIsNotServed) {
    auto& upstream = serve();
    start();
    auto request = ask_for("/");
    request.authority = "nobody.test";
    const auto answer = ask(request);
    EXPECT_EQ(answer.status, down_is(Version::h1) ? 404 : 421);
    EXPECT_EQ(answer.end, End::whole);
    EXPECT_EQ(upstream.heads(), 0);
    EXPECT_EQ(get("/").status, 200);
}

TEST_P(MatrixRules, AnotherHostOfTheSameCertificateIsServed) {
    serve();
    start({.second_host = "return: { status: 200, body: other }"});
    auto request = ask_for("/");
    request.authority = "other.test";
    EXPECT_EQ(ask(request).body, "other");
    EXPECT_EQ(get("/").body, "ok");
    EXPECT_EQ(client().connections(), 1);
}

TEST_P(MatrixRules, LocalAnswers) {
    auto& upstream = serve();
    start({.host = R"(locations:
  /: {}
  = /health: { return: { status: 200, body: "fine", type: text/plain } }
  /gone: { return: 410 }
  /old/: { redirect: "https://new.example.com$request_uri" }
  /kept/: { redirect: { to: "/elsewhere$request_uri", status: 308 } }
  /slash/: { upstream: app }
  /read: { methods: [GET, HEAD] }
)"});
    EXPECT_EQ(get("/health").body, "fine");
    EXPECT_EQ(get("/gone").status, 410);
    const auto old = get("/old/a?b=c");
    EXPECT_EQ(old.status, 301);
    EXPECT_EQ(old.fields.value("Location"), "https://new.example.com/old/a?b=c");
    const auto kept = ask(post("body", "/kept/x"));
    EXPECT_EQ(kept.status, 308);
    EXPECT_EQ(kept.fields.value("Location"), "/elsewhere/kept/x");
    EXPECT_EQ(get("/slash?q=1").fields.value("Location"), "/slash/?q=1");
    const auto refused = ask(post("x", "/read"));
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.fields.value("Allow"), "GET, HEAD");
    EXPECT_EQ(upstream.heads(), 0);
    // None of the bodies was taken for a request.
    EXPECT_EQ(get("/read").status, 200);
    EXPECT_EQ(upstream.heads(), 1);
}

TEST_P(MatrixRules, UnreadBodyOfALocalAnswerIsNeverARequest) {
    auto& upstream = serve();
    start({.host = "locations:\n  /: {}\n  /gone: { return: 410 }"});
    for (int round = 0; round < 3; ++round) {
        EXPECT_EQ(ask(post("GET /smuggled HTTP/1.1\r\nHost: app.test\r\n\r\n", "/gone")).status,
                  410);
        EXPECT_EQ(get("/after").status, 200);
    }
    for (const auto& request : upstream.requests()) {
        EXPECT_EQ(request.path, "/after");
    }
}

TEST_P(MatrixRules, HeaderRulesActOnBothSides) {
    auto& upstream = serve_handled([](const Incoming& request) {
        Give answer = give("x", request.path == "/missing" ? 404 : 200);
        answer.fields = {{"X-Powered-By", "app"}, {"X-Replaced", "theirs"}, {"Server", "app/1"}};
        return answer;
    });
    start(
        {.host = R"(request_headers: { set: { X-Tenant: blue, Host: inner.test }, remove: [Cookie] }
response_headers: { set: { X-Replaced: ours }, add: { X-Added: "$host" }, remove: [X-Powered-By] }
security_headers: true
)"});
    for (const auto* path : {"/", "/missing"}) {
        const auto answer = get(path, {{"X-Tenant", "red"}, {"Cookie", "a=b"}});
        const auto seen = upstream.last_request();
        EXPECT_EQ(seen.fields.all("X-Tenant"), std::vector<std::string>{"blue"});
        EXPECT_FALSE(seen.fields.has("Cookie"));
        EXPECT_EQ(seen.authority, "inner.test");
        EXPECT_EQ(answer.fields.all("X-Replaced"), std::vector<std::string>{"ours"});
        EXPECT_EQ(answer.fields.value("X-Added"), "app.test");
        EXPECT_FALSE(answer.fields.has("X-Powered-By"));
        EXPECT_EQ(answer.fields.value("Server"), "app/1");
        EXPECT_EQ(answer.fields.value("X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(answer.fields.value("X-Frame-Options"), "DENY");
        EXPECT_EQ(answer.fields.value("Strict-Transport-Security"),
                  GetParam().down_tls ? "max-age=63072000" : "");
    }
}

TEST_P(MatrixRules, ErrorPagesReplaceOurErrorsAndInterceptedOnes) {
    serve_handled([](const Incoming&) { return give("of the app", 503); });
    const TempDir pages;
    pages.write("5xx.html", "<p>sorry</p>");
    start({.host = "error_pages: { 5xx: " + (pages.path() / "5xx.html").string() +
                   " }\nlocations:\n  /: {}\n  /taken: { intercept_errors: true }\n"
                   "  /dead: { upstream: \"127.0.0.1:@DEAD@\" }"});
    EXPECT_EQ(get("/").body, "of the app");
    for (const auto* path : {"/taken", "/dead"}) {
        const auto answer = get(path);
        EXPECT_GE(answer.status, 502);
        EXPECT_EQ(answer.body, "<p>sorry</p>");
        EXPECT_EQ(answer.end, End::whole);
    }
}

TEST_P(MatrixRules, PrefixesAreStrippedOnTheWay) {
    auto& upstream = serve();
    start({.host = "locations:\n  /api/: { strip_prefix: true }\n"
                   "  /v1/: { replace_prefix: /v2/ }"});
    get("/api/users?x=1");
    EXPECT_EQ(upstream.last_request().path, "/users?x=1");
    get("/v1/a%2Fb");
    EXPECT_EQ(upstream.last_request().path, "/v2/a%2Fb");
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixRules, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
