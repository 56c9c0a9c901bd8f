#include <gtest/gtest.h>

#include <string>

#include "proxyd/http/uri.hpp"

namespace proxyd::http {
namespace {

TEST(Authority, SplitsHostAndPort) {
    const struct {
        const char *text, *host, *port;
    } rows[] = {
        {"example.com", "example.com", ""},
        {"Example.com:8080", "Example.com", "8080"},
        {"a:", "a", ""},
        {"[::1]", "[::1]", ""},
        {"[::1]:80", "[::1]", "80"},
        {"127.0.0.1:65535", "127.0.0.1", "65535"},
        {"a_b.c", "a_b.c", ""},
        {"a.", "a.", ""},
    };
    for (const auto& row : rows) {
        const auto result = parse_authority(row.text);
        ASSERT_TRUE(result.ok()) << row.text;
        EXPECT_EQ(result->host, row.host);
        EXPECT_EQ(result->port, row.port);
    }
}

TEST(Authority, RefusesTheRest) {
    for (const char* text : {"",
                             ":80",
                             "a:b",
                             "a:65536",
                             "a:000080",
                             "a:80:80",
                             "a:+80",
                             "user@a",
                             "a/b",
                             "a b",
                             "a\tb",
                             "::1",
                             "[::1",
                             "[]",
                             "[1.2.3.4]",
                             "[::1]x",
                             "[fe80::1%25eth0]",
                             "[v1.x]",
                             "a..b",
                             ".",
                             "..",
                             ".a",
                             "a%zz",
                             "a%00",
                             "a\\b",
                             "a\"b",
                             "a\xc3\xbc",
                             "a?b",
                             "a#b",
                             "<a>",
                             "a|b"}) {
        EXPECT_FALSE(parse_authority(text).ok()) << text;
    }
    EXPECT_FALSE(parse_authority(std::string(256, 'a')).ok());
    EXPECT_FALSE(parse_authority(std::string_view("a\0", 2)).ok());
}

}  // namespace
}  // namespace proxyd::http
