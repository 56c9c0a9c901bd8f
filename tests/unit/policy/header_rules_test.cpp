#include "proxyd/policy/header_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policy/fake_scope.hpp"

namespace proxyd::policy {
namespace {

using ::testing::ElementsAre;
using testing::FakeScope;
using testing::lines;
using Op = config::HeaderRule::Op;

config::HeaderRule rule(Op op, std::string name, std::string_view value = {}) {
    return {op, http::classify(name), name, testing::parse(value)};
}

class HeaderRulesTest : public ::testing::Test {
  protected:
    std::vector<std::string> apply(const std::vector<config::HeaderRule>& rules) {
        HeaderRules(rules).apply(fields_, scope_, arena_);
        return lines(fields_);
    }
    http::HeaderMap fields_;
    FakeScope scope_;
    Arena arena_;
};

TEST_F(HeaderRulesTest, DoesWhatEachRuleSays) {
    fields_.add("Cookie", "a");
    fields_.add("X-Set", "1");
    fields_.add("x-set", "2");
    fields_.add("Server", "nginx");
    fields_.add("X-Frame-Options", "SAMEORIGIN");
    scope_.set(vars::Var::hostname, "box");
    EXPECT_THAT(apply({rule(Op::set_if_absent, "X-Frame-Options", "DENY"),
                       rule(Op::set_if_absent, "X-Content-Type-Options", "nosniff"),
                       rule(Op::remove, "cookie"), rule(Op::remove, "X-Nothing"),
                       rule(Op::set, "X-Set", "new"), rule(Op::add, "X-Served-By", "on $hostname"),
                       rule(Op::set, "server", "proxyd")}),
                ElementsAre("X-Set: new", "server: proxyd", "X-Frame-Options: SAMEORIGIN",
                            "X-Content-Type-Options: nosniff", "X-Served-By: on box"));
}

TEST_F(HeaderRulesTest, AddKeepsWhatIsThere) {
    fields_.add("X-A", "1");
    EXPECT_THAT(apply({rule(Op::add, "X-A", "2")}), ElementsAre("X-A: 1", "X-A: 2"));
}

TEST_F(HeaderRulesTest, AnEmptyExpansionSendsNoField) {
    fields_.add("X-Tenant", "forged");
    EXPECT_THAT(
        apply({rule(Op::set, "X-Tenant", "$remote_user"), rule(Op::add, "X-B", "$remote_user"),
               rule(Op::set_if_absent, "X-C", " $remote_user ")}),
        ElementsAre());
}

TEST_F(HeaderRulesTest, NothingBreaksTheMessage) {
    for (const char* value : {"a\r\nX-Evil: 1", "a\nb", "a\rb", "\x01", "\x7f"}) {
        fields_.clear();
        scope_.set(vars::Var::uri, value);
        EXPECT_THAT(apply({rule(Op::add, "X-Path", "p $uri")}), ElementsAre()) << value;
    }
    fields_.clear();
    scope_.set(vars::Var::uri, std::string("a\0b", 3));
    EXPECT_THAT(apply({rule(Op::set, "X-Path", "$uri")}), ElementsAre());
    scope_.set(vars::Var::uri, " a\tb ");
    EXPECT_THAT(apply({rule(Op::set, "X-Path", "$uri")}), ElementsAre("X-Path: a\tb"));
}

TEST_F(HeaderRulesTest, SomeAreForTlsOnly) {
    config::HeaderRule hsts = rule(Op::set_if_absent, "Strict-Transport-Security", "max-age=1");
    hsts.over_tls = true;
    EXPECT_THAT(apply({hsts}), ElementsAre());
    scope_.set(vars::Var::https, "on");
    EXPECT_THAT(apply({hsts}), ElementsAre("Strict-Transport-Security: max-age=1"));
}

}  // namespace
}  // namespace proxyd::policy
