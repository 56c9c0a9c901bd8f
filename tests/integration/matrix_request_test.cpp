// What of a request arrives at the upstream, for every pair of versions.
#include "support/protocol/matrix.hpp"

#include <algorithm>

namespace proxyd::test::protocol {
namespace {

class MatrixRequest : public Matrix {};

std::string joined(const Headers& fields, std::string_view name, const std::string& by) {
    std::string text;
    for (const auto& value : fields.all(name)) text += (text.empty() ? "" : by) + value;
    return text;
}

TEST_P(MatrixRequest, MethodPathAndQueryArriveAsSent) {
    auto& upstream = serve();
    start();
    const std::string paths[] = {"/",        "/a/b.c",       "/?", "/q?a=1&b=%20&c",
                                 "/%2Fx%41", "/a//b/./c/../"};
    for (const auto* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
        for (const auto& path : paths) {
            auto request = ask_for(path);
            request.method = method;
            EXPECT_EQ(ask(request).status, 200) << method << " " << path;
            EXPECT_EQ(upstream.last_request().method, method);
            EXPECT_EQ(upstream.last_request().path, path);
        }
    }
}

TEST_P(MatrixRequest, AsteriskIsForOptions) {
    auto& upstream = serve();
    start();
    auto request = ask_for("*");
    request.method = "OPTIONS";
    EXPECT_EQ(ask(request).status, 200);
    EXPECT_EQ(upstream.last_request().path, "*");
}

TEST_P(MatrixRequest, AuthorityIsKept) {
    auto& upstream = serve();
    start();
    for (const auto& authority : {std::string("app.test"), "app.test:" + port_text()}) {
        auto request = ask_for("/");
        request.authority = authority;
        EXPECT_EQ(ask(request).status, 200);
        EXPECT_EQ(upstream.last_request().authority, authority);
    }
    EXPECT_EQ(upstream.last_request().scheme, up_is(Version::h1)  ? ""
                                              : GetParam().up_tls ? "https"
                                                                  : "http");
}

TEST_P(MatrixRequest, FieldsArriveInOrderWithTheirValues) {
    auto& upstream = serve();
    start();
    const std::string long_value(6000, 'v');
    get("/", {{"X-One", "1"},
              {"X-Two", "a, b"},
              {"X-Two", "c"},
              {"X-Empty", ""},
              {"X-Long", long_value},
              {"Accept", "text/html;q=0.9, */*"},
              {"User-Agent", "matrix/1.0 (\"quoted\")"}});
    const auto seen = upstream.last_request().fields;
    EXPECT_EQ(seen.value("X-One"), "1");
    EXPECT_EQ(joined(seen, "X-Two", ", "), "a, b, c");
    EXPECT_TRUE(seen.has("X-Empty"));
    EXPECT_EQ(seen.value("X-Empty"), "");
    EXPECT_EQ(seen.value("X-Long"), long_value);
    EXPECT_EQ(seen.value("Accept"), "text/html;q=0.9, */*");
    EXPECT_EQ(seen.value("User-Agent"), "matrix/1.0 (\"quoted\")");
}

TEST_P(MatrixRequest, AnswerFieldsArriveInOrderWithTheirValues) {
    serve_handled([](const Incoming&) {
        Give answer = give("x");
        answer.fields = {{"Set-Cookie", "a=1; Path=/"},
                         {"Set-Cookie", "b=2, with comma"},
                         {"ETag", "\"abc\""},
                         {"X-Long", std::string(6000, 'w')},
                         {"Cache-Control", "no-store"}};
        return answer;
    });
    start();
    const auto answer = get("/");
    EXPECT_EQ(answer.fields.all("Set-Cookie"),
              (std::vector<std::string>{"a=1; Path=/", "b=2, with comma"}));
    EXPECT_EQ(answer.fields.value("ETag"), "\"abc\"");
    EXPECT_EQ(answer.fields.value("X-Long").size(), 6000U);
    EXPECT_EQ(answer.fields.value("Cache-Control"), "no-store");
    EXPECT_EQ(answer.fields.value("Content-Length"), "1");
    EXPECT_EQ(answer.fields.count("Date"), 1U);
    for (const auto& [name, value] : answer.fields.fields()) {
        EXPECT_TRUE(down_is(Version::h1) || name == to_lower(name)) << name;
    }
}

TEST_P(MatrixRequest, CookiesAreOneFieldForHttp1) {
    auto& upstream = serve();
    start();
    // A client of HTTP/2 may split them (RFC 9113 8.2.3), one of HTTP/1.1 sends one field.
    if (down_is(Version::h2)) {
        get("/", {{"cookie", "a=1"}, {"cookie", "b=2"}, {"cookie", "c=3"}});
    } else {
        get("/", {{"Cookie", "a=1; b=2; c=3"}});
    }
    const auto seen = upstream.last_request().fields;
    EXPECT_TRUE(up_is(Version::h2) || seen.count("Cookie") == 1);
    EXPECT_EQ(joined(seen, "Cookie", "; "), "a=1; b=2; c=3");
}

TEST_P(MatrixRequest, ForwardedFieldsSayWhoAskedAndHow) {
    auto& upstream = serve();
    start();
    get("/", {{"X-Forwarded-For", "9.9.9.9"},
              {"X-Forwarded-Proto", "gopher"},
              {"X-Real-IP", "9.9.9.9"},
              {"Forwarded", "for=9.9.9.9"}});
    const auto seen = upstream.last_request().fields;
    const std::string scheme = GetParam().down_tls ? "https" : "http";
    EXPECT_EQ(seen.all("X-Forwarded-For"), std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ(seen.all("X-Real-IP"), std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ(seen.all("X-Forwarded-Proto"), std::vector<std::string>{scheme});
    EXPECT_EQ(seen.all("X-Forwarded-Host"), std::vector<std::string>{"app.test"});
    EXPECT_EQ(seen.all("X-Forwarded-Port"), std::vector<std::string>{port_text()});
    EXPECT_FALSE(seen.has("Forwarded"));
}

TEST_P(MatrixRequest, ViaNamesTheVersionThatCame) {
    auto& upstream = serve();
    start();
    get("/");
    EXPECT_EQ(upstream.last_request().fields.value("Via"),
              down_is(Version::h1) ? "1.1 proxyd" : "2 proxyd");
}

TEST_P(MatrixRequest, FieldsOfOneConnectionEndHere) {
    auto& upstream = serve_handled([](const Incoming&) {
        Give answer = give("x");
        answer.fields.add("X-Outer", "1");
        return answer;
    });
    start();
    // They are an error in HTTP/2 (RFC 9113 8.2.2), so only HTTP/1.1 clients can send them.
    const Headers fields = down_is(Version::h1) ? Headers{{"Connection", "keep-alive, X-Named"},
                                                          {"Keep-Alive", "timeout=5"},
                                                          {"Proxy-Connection", "keep-alive"},
                                                          {"X-Named", "1"},
                                                          {"TE", "gzip, trailers"},
                                                          {"X-Kept", "2"}}
                                                : Headers{{"te", "trailers"}, {"x-kept", "2"}};
    const auto answer = get("/", fields);
    const auto seen = upstream.last_request().fields;
    for (const auto* name :
         {"Keep-Alive", "Proxy-Connection", "X-Named", "Upgrade", "Transfer-Encoding"}) {
        EXPECT_FALSE(seen.has(name)) << name;
    }
    EXPECT_FALSE(up_is(Version::h2) && seen.has("Connection"));
    const auto te = seen.value("TE");
    EXPECT_TRUE(te.empty() || te == "trailers") << te;
    EXPECT_EQ(seen.value("X-Kept"), "2");
    EXPECT_EQ(answer.fields.value("X-Outer"), "1");
    EXPECT_FALSE(down_is(Version::h2) && answer.fields.has("Connection"));
}

TEST_P(MatrixRequest, UnderscoreNamesAreDropped) {
    auto& upstream = serve();
    start();
    get("/", {{"X_Forwarded_For", "6.6.6.6"}, {"X-Stays", "1"}});
    EXPECT_FALSE(upstream.last_request().fields.has("X_Forwarded_For"));
    EXPECT_EQ(upstream.last_request().fields.value("X-Stays"), "1");
}

TEST_P(MatrixRequest, UnsoundPathsAreRefused) {
    auto& upstream = serve();
    start();
    for (const auto* path : {"/a%00b", "/%zz", "/../../x", "/x#y"}) {
        EXPECT_EQ(get(path).status, 400) << path;
    }
    EXPECT_EQ(upstream.heads(), 0);
    EXPECT_EQ(get("/sound").status, 200);
}

INSTANTIATE_TEST_SUITE_P(Pair, MatrixRequest, ::testing::ValuesIn(every_pair()), name_of);

}  // namespace
}  // namespace proxyd::test::protocol
