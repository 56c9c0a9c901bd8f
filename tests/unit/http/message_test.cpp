#include "proxyd/http/message.hpp"

#include <gtest/gtest.h>

namespace proxyd::http {
namespace {

TEST(Message, MethodsAreCaseSensitive) {
    const struct {
        const char* text;
        Method method;
    } rows[] = {
        {"GET", Method::get},         {"HEAD", Method::head},      {"POST", Method::post},
        {"PUT", Method::put},         {"DELETE", Method::delete_}, {"CONNECT", Method::connect},
        {"OPTIONS", Method::options}, {"TRACE", Method::trace},    {"PATCH", Method::patch},
        {"get", Method::other},       {"QUERY", Method::other},    {"", Method::other},
        {"PROPFIND", Method::other},  {"POSX", Method::other},
    };
    for (const auto& row : rows) EXPECT_EQ(parse_method(row.text), row.method) << row.text;
}

TEST(Message, Words) {
    EXPECT_EQ(version_text(Version::http10), "1.0");
    EXPECT_EQ(version_text(Version::http11), "1.1");
    EXPECT_EQ(version_text(Version::http2), "2");
    EXPECT_EQ(scheme_text(Scheme::https), "https");
    EXPECT_EQ(reason_phrase(404), "Not Found");
    EXPECT_EQ(reason_phrase(299), "");
}

}  // namespace
}  // namespace proxyd::http
