#include "proxyd/policy/cookie_rules.hpp"

#include <gtest/gtest.h>

#include "fake_scope.hpp"

namespace proxyd::policy {
namespace {

class CookieRewrite : public ::testing::Test {
  protected:
    void domain(std::string from, const char* to) { add(policy_.cookie_domain, from, to); }
    void path(std::string from, const char* to) { add(policy_.cookie_path, from, to); }

    std::string rewritten(std::string_view text) {
        testing::FakeScope scope;
        scope.set(vars::Var::host, host_);
        return std::string(CookieRules(policy_).rewrite(text, scope, arena_));
    }

    std::string host_ = "app.example.com";

  private:
    static void add(std::vector<config::CookieRule>& rules, std::string from, const char* to) {
        config::CookieRule rule;
        rule.from = std::move(from);
        rule.remove = to == nullptr;
        if (to != nullptr) rule.to = testing::parse(to);
        rules.push_back(std::move(rule));
    }

    config::Policy policy_;
    Arena arena_;
};

TEST_F(CookieRewrite, Domain) {
    domain("backend.internal", "$host");
    domain("old.example", nullptr);
    EXPECT_EQ(rewritten("a=b; Domain=backend.internal; Path=/"),
              "a=b; Domain=app.example.com; Path=/");
    EXPECT_EQ(rewritten("a=b;domain=.Backend.Internal"), "a=b;domain=app.example.com");
    EXPECT_EQ(rewritten("a=b; Domain=old.example; Secure"), "a=b; Secure");
    for (const char* text : {"a=b; Domain=x.backend.internal", "a=b", "domain=backend.internal",
                             "a=b; Domain", "a=b; Domain=", "", ";;", "=", "a=\"Domain=x\""}) {
        EXPECT_EQ(rewritten(text), text);
    }
}

TEST_F(CookieRewrite, Path) {
    path("/app/", "/");
    path("/gone", nullptr);
    path("/", "/api/");
    EXPECT_EQ(rewritten("a=b; Path=/app/x"), "a=b; Path=/x");
    EXPECT_EQ(rewritten("a=b; Path=/app/"), "a=b; Path=/");
    EXPECT_EQ(rewritten("a=b; Path=/"), "a=b; Path=/api/");
    EXPECT_EQ(rewritten("a=b; path=/admin; HttpOnly"), "a=b; path=/api/admin; HttpOnly");
    EXPECT_EQ(rewritten("a=b; Path=/gone/x; Secure"), "a=b; Secure");
    EXPECT_EQ(rewritten("a=b; Path=/goner"), "a=b; Path=/api/goner");
    EXPECT_EQ(rewritten("a=/app/x; Path=relative"), "a=/app/x; Path=relative");
}

TEST_F(CookieRewrite, JoinsWithOneSlash) {
    path("/app", "/v1");
    EXPECT_EQ(rewritten("a=b; Path=/app"), "a=b; Path=/v1");
    EXPECT_EQ(rewritten("a=b; Path=/app/x/"), "a=b; Path=/v1/x/");
    EXPECT_EQ(rewritten("a=b; Path=/apple"), "a=b; Path=/apple");
}

TEST_F(CookieRewrite, WhatARequestPutsInCannotAddAttributes) {
    domain("backend.internal", "$host");
    for (const char* bad : {"x; Secure", "x\r\nSet-Cookie: y"}) {
        host_ = bad;
        EXPECT_EQ(rewritten("a=b; Domain=backend.internal"), "a=b; Domain=backend.internal");
    }
}

}  // namespace
}  // namespace proxyd::policy
