#include "proxyd/policy/maps.hpp"

#include <gtest/gtest.h>

#include "unit/policy/fake_scope.hpp"

namespace proxyd::policy {
namespace {

using testing::FakeScope;
using testing::parse;
using Kind = config::Map::Value::Kind;

config::Map tier() {
    config::Map map;
    map.name = "tier";
    map.from = parse("$http_x_api_key");
    map.default_value = parse("free");
    const auto add = [&](Kind kind, const char* pattern, const char* value, bool sensitive = true) {
        map.values.push_back({kind, sensitive, pattern, parse(value)});
    };
    add(Kind::regex, "^s-", "first regex");
    add(Kind::regex, "^s-2", "second regex");
    add(Kind::regex, "^UP$", "upper", false);
    add(Kind::regex, ".*", "any", true);
    add(Kind::prefix, "mail.", "short prefix");
    add(Kind::prefix, "mail.example.", "long prefix");
    add(Kind::suffix, ".com", "short suffix");
    add(Kind::suffix, ".example.com", "long suffix");
    add(Kind::exact, "mail.example.com", "exact $host");
    add(Kind::exact, "", "absent");
    return map;
}

std::string value_of(const config::Map& map, const char* key, std::string_view name = "tier") {
    config::Snapshot snapshot;
    snapshot.maps = {map};
    const auto maps = Maps::build(snapshot).value();
    FakeScope scope;
    scope.values[{vars::Var::http_field, "x_api_key"}] = key;
    scope.set(vars::Var::host, "h");
    std::string out;
    maps->append(name, scope, out);
    return out;
}

TEST(Maps, LooksUpInTheOrderOfKinds) {
    const struct {
        const char *key, *value;
    } rows[] = {
        {"mail.example.com", "exact h"},
        {"MAIL.Example.com", "exact h"},
        {"www.example.com", "long suffix"},
        {"mail.test.com", "short suffix"},
        {"mail.example.org", "long prefix"},
        {"mail.org", "short prefix"},
        {"s-2", "first regex"},
        {"up", "upper"},
        {"other", "any"},
        {"", "absent"},
    };
    for (const auto& row : rows) EXPECT_EQ(value_of(tier(), row.key), row.value) << row.key;
}

TEST(Maps, RegexesAreNotTriedOnAnEmptySource) {
    auto map = tier();
    map.values.pop_back();
    EXPECT_EQ(value_of(map, ""), "free");
    map.default_value = {};
    EXPECT_EQ(value_of(map, ""), "");
    EXPECT_EQ(value_of(map, "x", "unknown"), "");
}

struct MapScope : FakeScope {
    const Maps* maps = nullptr;
    void append(vars::Var var, std::string_view name, std::string& out) const override {
        if (var == vars::Var::map) return maps->append(name, *this, out);
        FakeScope::append(var, name, out);
    }
};

TEST(Maps, ACircleEnds) {
    config::Map loop;
    loop.name = "loop";
    loop.from = parse("x");
    loop.default_value = parse("<$loop>");
    config::Snapshot snapshot;
    snapshot.maps = {loop};
    const auto maps = Maps::build(snapshot).value();
    MapScope scope;
    scope.maps = maps.get();
    std::string out;
    maps->append("loop", scope, out);
    EXPECT_EQ(out, "<<<<<<<<>>>>>>>>");
}

TEST(Maps, ABrokenExpressionIsAnError) {
    config::Snapshot snapshot;
    snapshot.maps.emplace_back().values.push_back({Kind::regex, true, "(", {}});
    EXPECT_FALSE(Maps::build(snapshot).ok());
}

}  // namespace
}  // namespace proxyd::policy
