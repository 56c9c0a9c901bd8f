#include "proxyd/vars/template.hpp"

#include <gtest/gtest.h>

#include <map>

#include "proxyd/vars/registry.hpp"

namespace proxyd::vars {
namespace {

struct FakeScope : Scope {
    std::map<std::pair<Var, std::string>, std::string> values;
    void append(Var var, std::string_view name, std::string& out) const override {
        const auto found = values.find({var, std::string(name)});
        if (found != values.end()) out += found->second;
    }
};

std::string expand(std::string_view text, const Scope& scope = FakeScope{}) {
    const auto result = Template::parse(text, {"tier"}, true);
    if (!result) return "error: " + result.error().message;
    std::string out;
    result->expand(scope, out);
    return out;
}

TEST(Template, ExpandsNamesAndFamilies) {
    FakeScope scope;
    scope.values = {{{Var::host, ""}, "h"},
                    {{Var::http_field, "x_api_key"}, "k"},
                    {{Var::cookie, "Sid"}, "c"},
                    {{Var::arg, "q"}, "a"},
                    {{Var::map, "tier"}, "gold"},
                    {{Var::capture, "1"}, "one"},
                    {{Var::http_host, ""}, "hh"},
                    {{Var::sent_http_field, "etag"}, "e"},
                    {{Var::upstream_http_field, "server"}, "s"}};
    EXPECT_EQ(expand("a $host b", scope), "a h b");
    EXPECT_EQ(expand("$http_X_API_Key|$cookie_Sid|$arg_q|$tier|$http_host", scope),
              "k|c|a|gold|hh");
    EXPECT_EQ(expand("$sent_http_etag$upstream_http_server", scope), "es");
    EXPECT_EQ(expand("${host}name/$1x/${1}0", scope), "hname/onex/one0");
    EXPECT_EQ(expand("/$10", scope), "/one0");
    EXPECT_EQ(expand("$$host $$", scope), "$host $");
    EXPECT_EQ(expand("[$remote_user]", scope), "[]");
    EXPECT_EQ(expand(""), "");
}

TEST(Template, ConstantKeepsOneLiteral) {
    const auto text = Template::parse("5 $$ a $$");
    ASSERT_TRUE(text.ok());
    EXPECT_TRUE(text->constant());
    EXPECT_EQ(text->literal(), "5 $ a $");
    EXPECT_EQ(text->source(), "5 $$ a $$");
    EXPECT_EQ(Template("plain $x").literal(), "plain $x");
    EXPECT_TRUE(Template().constant());
    EXPECT_TRUE(Template().empty());
    EXPECT_FALSE(Template::parse("$host")->constant());
    EXPECT_EQ(Template::parse("$host")->literal(), "");
}

TEST(Template, ErrorsNamePlaceAndNeighbour) {
    const struct {
        const char *text, *message, *suggestion;
        std::size_t offset;
    } rows[] = {
        {"ab $remote_adr", "unknown variable '$remote_adr'", "$remote_addr", 3},
        {"$tiers", "unknown variable '$tiers'", "$tier", 0},
        {"${hots}", "unknown variable '$hots'", "$host", 0},
        {"$zzzzzzzzzzz", "unknown variable '$zzzzzzzzzzz'", "", 0},
        {"a$", "'$' without a name", "$$ for a dollar sign", 1},
        {"a$ b", "'$' without a name", "$$ for a dollar sign", 1},
        {"x${host", "'${' without '}'", "", 1},
        {"$http_", "unknown variable '$http_'", "$https", 0},
    };
    for (const auto& row : rows) {
        const auto result = Template::parse(row.text, {"tier"});
        ASSERT_FALSE(result.ok()) << row.text;
        EXPECT_EQ(result.error().message, row.message);
        EXPECT_EQ(result.error().suggestion, row.suggestion);
        EXPECT_EQ(result.error().offset, row.offset);
    }
    EXPECT_FALSE(Template::parse("$1").ok());
    EXPECT_FALSE(Template::parse("$0", {}, true).ok());
}

TEST(Registry, KnowsReservedNames) {
    EXPECT_TRUE(is_reserved("host"));
    EXPECT_TRUE(is_reserved("http_anything"));
    EXPECT_FALSE(is_reserved("tier"));
    EXPECT_EQ(name_of(Var::remote_addr), "remote_addr");
    EXPECT_EQ(name_of(Var::pid), "pid");
    EXPECT_EQ(name_of(Var::map), "");
}

TEST(Registry, ReadsFieldsCookiesAndArguments) {
    http::HeaderMap fields;
    fields.add("X-Api-Key", "1");
    fields.add("x-api-key", "2");
    fields.add("Cookie", "a=1; sid=abc=d;b=2");
    fields.add("Cookie", "sid=second; last=z");
    const auto text = [](auto&& append) {
        std::string out;
        append(out);
        return out;
    };
    EXPECT_EQ(text([&](auto& out) { append_field(fields, "x_api_key", out); }), "1, 2");
    EXPECT_EQ(text([&](auto& out) { append_field(fields, "cookie", out); }),
              "a=1; sid=abc=d;b=2; sid=second; last=z");
    EXPECT_EQ(text([&](auto& out) { append_cookie(fields, "sid", out); }), "abc=d");
    EXPECT_EQ(text([&](auto& out) { append_cookie(fields, "last", out); }), "z");
    EXPECT_EQ(text([&](auto& out) { append_cookie(fields, "si", out); }), "");
    EXPECT_EQ(text([&](auto& out) { append_argument("x=1&Name=v%20w&name=2", "name", out); }),
              "v%20w");
    EXPECT_EQ(text([&](auto& out) { append_argument("&&=&name", "name", out); }), "");
}

}  // namespace
}  // namespace proxyd::vars
