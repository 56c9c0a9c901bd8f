#include "proxyd/http/fields/forwarded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxyd::http {
namespace {

using testing::ElementsAre;

TEST(ForwardedNode, ToleratesPortsBracketsAndQuotes) {
    const struct {
        const char *text, *address;
        int port;
    } rows[] = {
        {"1.2.3.4", "1.2.3.4", 0},
        {"1.2.3.4:5678", "1.2.3.4", 5678},
        {"::1", "::1", 0},
        {"[::1]", "::1", 0},
        {"[2001:db8::1]:443", "2001:db8::1", 443},
        {"\"[::1]:80\"", "::1", 80},
        {" 1.2.3.4 ", "1.2.3.4", 0},
    };
    for (const auto& row : rows) {
        const auto node = parse_forwarded_node(row.text);
        ASSERT_TRUE(node) << row.text;
        EXPECT_EQ(node->address.text(), row.address);
        EXPECT_EQ(node->port, row.port);
    }
    for (const char* text : {"", "unknown", "_hidden", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:70000",
                             "[::1", "[::1]x", "[::1]:", "[]", "a.b", "1.2.3.4 5", "\""}) {
        EXPECT_FALSE(parse_forwarded_node(text)) << text;
    }
}

TEST(ForwardedElement, ReadsPairsOfRfc7239) {
    const auto element =
        parse_forwarded_element("For=\"[2001:db8::1]:4711\"; Proto=https;by=_x ;host=\"a.b:80\"");
    ASSERT_TRUE(element);
    EXPECT_EQ(element->for_, "[2001:db8::1]:4711");
    EXPECT_EQ(element->proto, "https");
    EXPECT_EQ(element->by, "_x");
    EXPECT_EQ(element->host, "a.b:80");
    EXPECT_EQ(parse_forwarded_element("for=1.2.3.4;ext=\"a;b\\\"c\"")->for_, "1.2.3.4");
    EXPECT_EQ(parse_forwarded_element("for=\"a\\b\"")->for_, "");
    EXPECT_TRUE(parse_forwarded_element(""));
    EXPECT_FALSE(parse_forwarded_element("for"));
    EXPECT_FALSE(parse_forwarded_element("for=\"x"));
    EXPECT_FALSE(parse_forwarded_element("for=\"x\"y"));
}

std::vector<std::string> reversed(const HeaderMap& fields, std::string_view name) {
    std::vector<std::string> out;
    ReverseElements walk(fields, name);
    while (const auto element = walk.next()) out.emplace_back(*element);
    return out;
}

TEST(ReverseElements, WalksAllLinesFromTheRight) {
    HeaderMap fields;
    fields.add("X-Forwarded-For", "1.1.1.1, 2.2.2.2 ,");
    fields.add("Host", "x");
    fields.add("x-forwarded-for", "");
    fields.add("X-FORWARDED-FOR", ", ,3.3.3.3");
    EXPECT_THAT(reversed(fields, "X-Forwarded-For"), ElementsAre("3.3.3.3", "2.2.2.2", "1.1.1.1"));
    EXPECT_THAT(reversed(fields, "Forwarded"), ElementsAre());
}

TEST(ReverseElements, CommasInQuotesDoNotSeparate) {
    HeaderMap fields;
    fields.add("Forwarded", "for=a, for=\"b,\\\"c\";by=d");
    fields.add("X-Client", "x,\"y");
    EXPECT_THAT(reversed(fields, "Forwarded"), ElementsAre("for=\"b,\\\"c\";by=d", "for=a"));
    EXPECT_THAT(reversed(fields, "X-Client"), ElementsAre("\"y", "x"));
}

}  // namespace
}  // namespace proxyd::http
