#include "proxyd/policy/cookies.hpp"

#include <gtest/gtest.h>

#include "fake_scope.hpp"

namespace proxyd::policy {
namespace {

using testing::lines;

struct Taken {
    std::string value;
    std::vector<std::string> left;
};

Taken take(std::vector<std::string> cookies) {
    http::HeaderMap fields;
    fields.add("Accept", "*/*");
    for (const std::string& cookie : cookies) fields.add("Cookie", cookie);
    Arena arena;
    Taken taken;
    taken.value = take_cookie(fields, "srv", arena);
    taken.left = lines(fields);
    taken.left.erase(taken.left.begin());
    return taken;
}

TEST(TakeCookie, TakesItsOwnAndLeavesTheOthers) {
    const auto taken = take({"a=1; srv=x; b=\"2 3\";c=4"});
    EXPECT_EQ(taken.value, "x");
    EXPECT_EQ(taken.left, std::vector<std::string>{"Cookie: a=1; b=\"2 3\"; c=4"});
}

TEST(TakeCookie, FieldsWithoutItStayByteForByte) {
    const auto taken = take({"a=1;  b=2;;", "srv=x"});
    EXPECT_EQ(taken.value, "x");
    EXPECT_EQ(taken.left, std::vector<std::string>{"Cookie: a=1;  b=2;;"});
}

TEST(TakeCookie, TheFirstOfSeveralCounts) {
    const auto taken = take({"srv=one; a=1; srv=two", "srv=three"});
    EXPECT_EQ(taken.value, "one");
    EXPECT_EQ(taken.left, std::vector<std::string>{"Cookie: a=1"});
}

TEST(TakeCookie, OnlyExactNames) {
    for (const std::string text : {"srv2=x", "SRV=x", "srv", "xsrv=x", "a=srv=x"}) {
        const auto taken = take({text});
        EXPECT_EQ(taken.value, "") << text;
        EXPECT_EQ(taken.left, std::vector<std::string>{"Cookie: " + text});
    }
}

}  // namespace
}  // namespace proxyd::policy
