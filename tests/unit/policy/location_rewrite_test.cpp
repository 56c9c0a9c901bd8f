#include "proxyd/policy/location_rewrite.hpp"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::policy {
namespace {

/// As strip_prefix on /api/ would.
std::string_view with_prefix(const void*, std::string_view path, Arena& arena) {
    std::string text("/api");
    return arena.copy(text.append(path));
}

std::string_view as_it_is(const void*, std::string_view path, Arena&) {
    return path;
}

class LocationRewrite : public ::testing::Test {
  protected:
    LocationRewrite() {
        for (const char* name : {"backend", "127.0.0.1:3001", "app.internal:3002", "[::1]:3003",
                                 "unix:/run/app.sock"}) {
            own_.add(name);
        }
    }

    std::string rewritten(std::string_view text, std::string_view sent = "app.example.com") {
        const LocationFacts facts{own_, "app.example.com", sent, path_, nullptr};
        return std::string(rewrite_reference(text, facts, arena_));
    }
    std::string refresh(std::string_view text) {
        const LocationFacts facts{own_, "app.example.com", "app.example.com", path_, nullptr};
        return std::string(rewrite_refresh(text, facts, arena_));
    }

    OwnNames own_;
    Arena arena_;
    std::string_view (*path_)(const void*, std::string_view, Arena&) = as_it_is;
};

TEST_F(LocationRewrite, TheUpstreamsOwnNamesBecomeTheClientsHost) {
    for (const char* front :
         {"http://127.0.0.1:3001", "https://127.0.0.1:3001", "HTTP://127.0.0.1:3001",
          "//127.0.0.1:3001", "http://localhost:3001", "http://APP.internal:3002",
          "http://[::1]:3003", "http://localhost:3003", "http://backend", "https://backend:443",
          "http://backend:80", "http://app.example.com:3001"}) {
        EXPECT_EQ(rewritten(std::string(front) + "/a/b?c=d#e"), "/a/b?c=d#e") << front;
    }
    EXPECT_EQ(rewritten("http://127.0.0.1:3001"), "/");
    EXPECT_EQ(rewritten("http://127.0.0.1:3001?a=/b"), "/?a=/b");
}

TEST_F(LocationRewrite, OthersStay) {
    for (const char* text : {"http://other.example/a",
                             "http://127.0.0.1/a",
                             "http://127.0.0.1:3009/a",
                             "http://127.0.0.1.evil.example:3001/",
                             "http://backend:8080/",
                             "//other.example/a",
                             "https://app.example.com/a",
                             "http://app.example.com:8443/",
                             "ftp://127.0.0.1:3001/",
                             "mailto:a@127.0.0.1:3001",
                             "a/b",
                             "?a",
                             "#a",
                             "",
                             "/a/b",
                             "../a",
                             "http://",
                             "http:///a",
                             "http://a b/",
                             "http://user@127.0.0.1:3001/",
                             "http://127.0.0.1:3001\\a",
                             "http://127.0.0.1:99999/",
                             "/\\evil.example",
                             "http:/127.0.0.1:3001/"}) {
        EXPECT_EQ(rewritten(text), text);
    }
}

TEST_F(LocationRewrite, AHostThatTheOperatorSetIsTheUpstreams) {
    EXPECT_EQ(rewritten("http://internal.example/a", "internal.example"), "/a");
    EXPECT_EQ(rewritten("http://internal.example:3001/a", "internal.example"), "/a");
    EXPECT_EQ(rewritten("http://internal.example:8080/a", "internal.example"),
              "http://internal.example:8080/a");
}

TEST_F(LocationRewrite, NeverBecomesAnotherHost) {
    EXPECT_EQ(rewritten("http://127.0.0.1:3001//evil.example/a"), "/evil.example/a");
    EXPECT_EQ(rewritten("http://127.0.0.1:3001/\\evil.example/a"), "/evil.example/a");
    EXPECT_EQ(rewritten("//127.0.0.1:3001///evil.example"), "/evil.example");
    // Browsers take tabs out before they look for an authority.
    EXPECT_EQ(rewritten("http://127.0.0.1:3001/\t/evil.example/a"), "/evil.example/a");
    EXPECT_EQ(rewritten("http://127.0.0.1:3001/\\\t\t/evil.example/a"), "/evil.example/a");
}

TEST_F(LocationRewrite, ThePathBecomesTheClients) {
    path_ = with_prefix;
    EXPECT_EQ(rewritten("/login?next=/a"), "/api/login?next=/a");
    EXPECT_EQ(rewritten("http://127.0.0.1:3001/login"), "/api/login");
    EXPECT_EQ(rewritten("http://127.0.0.1:3001"), "/api/");
    EXPECT_EQ(rewritten("https://app.example.com/login"), "https://app.example.com/api/login");
    EXPECT_EQ(rewritten("http://APP.example.com"), "http://APP.example.com/api/");
    EXPECT_EQ(rewritten("http://app.example.com:80/a"), "http://app.example.com:80/api/a");
    EXPECT_EQ(rewritten("https://app.example.com:443/a"), "https://app.example.com:443/api/a");
    EXPECT_EQ(rewritten("//app.example.com/a"), "//app.example.com/api/a");
    EXPECT_EQ(rewritten("http://app.example.com:443/a"), "http://app.example.com:443/a");
    EXPECT_EQ(rewritten("login"), "login");
    EXPECT_EQ(rewritten("http://other.example/login"), "http://other.example/login");
}

TEST_F(LocationRewrite, Refresh) {
    EXPECT_EQ(refresh("5; url=http://127.0.0.1:3001/a"), "5; url=/a");
    EXPECT_EQ(refresh("5;URL = 'http://127.0.0.1:3001/a;b'"), "5;URL = '/a;b'");
    EXPECT_EQ(refresh("0, url=\"http://backend/a\" "), "0, url=\"/a\" ");
    for (const char* text : {"5", "", ";", "5;", "5; url", "5; url=", "5; http://127.0.0.1:3001/",
                             "5; url=http://other.example/", "5; url='"}) {
        EXPECT_EQ(refresh(text), text);
    }
}

TEST_F(LocationRewrite, WhateverComesDoesNotHurt) {
    const std::string letters = "/\\:?#@[]%.ht p'\";,=u";
    std::uint32_t state = 1;
    for (int round = 0; round < 20'000; ++round) {
        std::string text = round % 2 == 0 ? "http://127.0.0.1:3001" : "";
        for (int i = 0; i < 8; ++i) {
            state = state * 1'664'525 + 1'013'904'223;
            text += letters[(state >> 16) % letters.size()];
        }
        const std::string out = rewritten(text);
        if (out != text && out != "/") {
            EXPECT_EQ(out.find_first_not_of("/\\"), 1U) << text << " " << out;
        }
        static_cast<void>(refresh(text));
    }
}

}  // namespace
}  // namespace proxyd::policy
