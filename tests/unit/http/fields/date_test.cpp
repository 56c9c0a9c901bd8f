#include "proxyd/http/fields/date.hpp"

#include <gtest/gtest.h>

namespace proxyd::http {
namespace {

constexpr UnixSeconds kExample = 784'111'777;  // the example of RFC 9110 5.6.7
constexpr UnixSeconds kNow = 1'700'000'000;    // 2023

TEST(Date, ReadsTheThreeForms) {
    for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                             "Sun Nov  6 08:49:37 1994"}) {
        EXPECT_EQ(parse_date(text, kNow), kExample) << text;
    }
    EXPECT_EQ(parse_date("Thu, 01 Jan 1970 00:00:00 GMT", kNow), 0);
    EXPECT_EQ(parse_date("Thu Nov 16 08:49:37 2023", kNow), 1'700'124'577);
}

TEST(Date, TwoDigitYearsLieAtMostFiftyYearsAhead) {
    const auto year_of = [](const char* text) {
        return 1970 + *parse_date(text, kNow) / 31'556'952;
    };
    EXPECT_EQ(year_of("Friday, 15-Jun-73 12:00:00 GMT"), 2073);
    EXPECT_EQ(year_of("Friday, 15-Jun-74 12:00:00 GMT"), 1974);
    EXPECT_EQ(year_of("Friday, 15-Jun-00 12:00:00 GMT"), 2000);
}

TEST(Date, RefusesOtherText) {
    for (const char* text :
         {"", "0", "-1", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT",
          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
          "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 CET", "unN, 06 Nov 1994",
          "Sun, 00 Nov 1994 08:49:37 GMT", "Someday, 06-Nov-94 08:49:37 GMT", "Sun Nov"}) {
        EXPECT_FALSE(parse_date(text, kNow)) << text;
    }
}

TEST(Date, WritesWhatItReads) {
    EXPECT_EQ(view(format_date(kExample)), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(view(format_date(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(view(format_date(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
    for (UnixSeconds time = 0; time < 4'000'000'000; time += 12'345'678) {
        EXPECT_EQ(parse_date(view(format_date(time)), kNow), time);
    }
}

}  // namespace
}  // namespace proxyd::http
