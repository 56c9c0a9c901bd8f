#include "codec/h2/response_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::codec::h2 {
namespace {

using http::Framing;
using Fields = std::vector<std::pair<std::string, std::string>>;

class ResponseReaderTest : public ::testing::Test {
  protected:
    ErrorCode block(const Fields& fields, bool end = false) {
        for (const auto& [name, value] : fields) {
            const ErrorCode code = reader.add(name, value);
            if (code != ErrorCode::no_error) return code;
        }
        return reader.finish(end);
    }
    std::string reason() const {
        return reader.refused() ? std::string(word(reader.refused()->code)) : "";
    }

    ClientLimits limits;
    ResponseReader reader{limits};
};

TEST_F(ResponseReaderTest, AFinalHead) {
    EXPECT_FALSE(reader.has_head());
    ASSERT_EQ(block({{":status", "404"}, {"server", "x"}, {"x-own", "1"}}), ErrorCode::no_error);
    ASSERT_TRUE(reader.has_head());
    const http::ResponseHead& head = *reader.take_head();
    EXPECT_EQ(head.status, 404);
    EXPECT_EQ(head.reason_phrase, "Not Found");
    EXPECT_EQ(head.version, http::Version::http2);
    EXPECT_EQ(head.framing, Framing::chunked);
    EXPECT_EQ(head.fields.get(http::FieldId::server), "x");
    EXPECT_EQ(head.fields.get("x-own"), "1");
    EXPECT_FALSE(reader.has_head());
}

TEST_F(ResponseReaderTest, FramingFollowsStatusMethodAndLength) {
    struct Row {
        const char* status;
        const char* length;
        bool head, end;
        Framing framing;
    };
    const Row rows[] = {
        {"200", "5", false, false, Framing::length},  {"200", "", false, false, Framing::chunked},
        {"200", "", false, true, Framing::none},      {"200", "5", true, false, Framing::none},
        {"204", "", false, false, Framing::none},     {"304", "5", false, false, Framing::none},
        {"200", "0", false, false, Framing::chunked},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(std::string(row.status) + " " + row.length);
        ResponseReader each(limits);
        if (row.head) each.answers_head();
        ASSERT_EQ(each.add(":status", row.status), ErrorCode::no_error);
        if (*row.length != '\0') {
            ASSERT_EQ(each.add("content-length", row.length), ErrorCode::no_error);
        }
        ASSERT_EQ(each.finish(row.end), ErrorCode::no_error);
        EXPECT_EQ(each.take_head()->framing, row.framing);
    }
}

TEST_F(ResponseReaderTest, InformationalHeadsComeFirstAndAreCounted) {
    ASSERT_EQ(block({{":status", "103"}, {"link", "a"}}), ErrorCode::no_error);
    ASSERT_EQ(block({{":status", "200"}}), ErrorCode::no_error);
    EXPECT_EQ(reader.take_head()->status, 103);
    EXPECT_EQ(reader.take_head()->status, 200);
    EXPECT_FALSE(reader.has_head());
    ResponseReader many(limits);
    ErrorCode code = ErrorCode::no_error;
    unsigned count = 0;
    while (code == ErrorCode::no_error && ++count < 100) {
        static_cast<void>(many.add(":status", "103"));
        code = many.finish(false);
    }
    EXPECT_EQ(count, limits.max_informational + 1);
}

TEST_F(ResponseReaderTest, WhatIsNotValidIsRefused) {
    const Fields bad[] = {
        {{":status", "101"}},
        {{":status", "99"}},
        {{":status", "600"}},
        {{":status", "200"}, {"connection", "close"}},
        {{":status", "200"}, {"transfer-encoding", "chunked"}},
        {{":status", "200"}, {"content-length", "1x"}},
        {{":status", "200"}, {"content-length", "18446744073709551615"}},
    };
    for (const Fields& fields : bad) {
        SCOPED_TRACE(fields.back().second);
        ResponseReader each(limits);
        ErrorCode code = ErrorCode::no_error;
        for (const auto& [name, value] : fields) {
            if (code == ErrorCode::no_error) code = each.add(name, value);
        }
        if (code == ErrorCode::no_error) code = each.finish(false);
        EXPECT_NE(code, ErrorCode::no_error);
        ASSERT_TRUE(each.refused());
        EXPECT_EQ(each.refused()->code, Reason::upstream_bad_response);
    }
}

TEST_F(ResponseReaderTest, HeadsAreBounded) {
    limits.max_header_size = 100;
    EXPECT_NE(block({{":status", "200"}, {"x", std::string(100, 'a')}}), ErrorCode::no_error);
    EXPECT_EQ(reason(), "header_too_large");
}

TEST_F(ResponseReaderTest, FieldsAreCounted) {
    limits.max_headers = 2;
    EXPECT_NE(block({{":status", "200"}, {"a", ""}, {"b", ""}, {"c", ""}}), ErrorCode::no_error);
    EXPECT_EQ(reason(), "header_too_large");
}

TEST_F(ResponseReaderTest, TrailersAreFilteredAndBounded) {
    ASSERT_EQ(block({{":status", "200"}}), ErrorCode::no_error);
    EXPECT_EQ(reader.trailers(), nullptr);
    ASSERT_EQ(block({{"grpc-status", "0"}, {"authorization", "x"}}, true), ErrorCode::no_error);
    ASSERT_NE(reader.trailers(), nullptr);
    EXPECT_EQ(reader.trailers()->size(), 1U);
    EXPECT_NE(block({{"x", std::string(kMaxTrailerBytes, 'a')}}, true), ErrorCode::no_error);
}

}  // namespace
}  // namespace proxyd::codec::h2
