#include "proxyd/base/units.hpp"

#include <gtest/gtest.h>

namespace proxyd::units {
namespace {

using std::chrono::milliseconds;

TEST(Units, DurationsAsOperatorsWriteThem) {
    EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(parse_duration("60s"), milliseconds(60'000));
    EXPECT_EQ(parse_duration("10m"), milliseconds(600'000));
    EXPECT_EQ(parse_duration("1h30m"), milliseconds(5'400'000));
    EXPECT_EQ(parse_duration("1d"), milliseconds(86'400'000));
    EXPECT_EQ(parse_duration("0"), milliseconds(0));
    EXPECT_EQ(parse_duration("0s"), milliseconds(0));
}

TEST(Units, WhatIsNoDuration) {
    for (const char* text : {"", "30", "s", "-1s", "1.5s", "1 s", "1s1h", "1s1s", "1w", "s1", "01s",
                             "1S", "99999999999999999999s", "9999999d", " 1s", "1s "}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Units, SizesArePowersOf1024) {
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("17"), 17U);
    EXPECT_EQ(parse_size("8k"), 8192U);
    EXPECT_EQ(parse_size("10M"), 10U << 20);
    EXPECT_EQ(parse_size("1g"), 1U << 30);
    EXPECT_EQ(parse_size("2t"), std::uint64_t{2} << 40);
    for (const char* text : {"", "k", "8kb", "8 k", "-8k", "1.5m", "017", "99999999999g"}) {
        EXPECT_FALSE(parse_size(text)) << text;
    }
}

TEST(Units, CountsHaveNoSignAndNoLeadingZero) {
    EXPECT_EQ(parse_count("0"), 0U);
    EXPECT_EQ(parse_count("18446744073709551615"), UINT64_MAX);
    for (const char* text :
         {"", "+1", "-1", "017", "0x10", "1_000", "18446744073709551616", "1e3"}) {
        EXPECT_FALSE(parse_count(text)) << text;
    }
}

TEST(Units, Rates) {
    EXPECT_EQ(parse_rate("10r/s"), (Rate{10, milliseconds(1'000)}));
    EXPECT_EQ(parse_rate("60r/m"), (Rate{60, milliseconds(60'000)}));
    for (const char* text : {"", "10", "0r/s", "10/s", "r/s", "10r/d", "1.5r/s"}) {
        EXPECT_FALSE(parse_rate(text)) << text;
    }
}

TEST(Units, FormattedTextReadsBack) {
    EXPECT_EQ(format_duration(milliseconds(60'000)), "60s");
    EXPECT_EQ(format_duration(milliseconds(600'000)), "10m");
    EXPECT_EQ(format_duration(milliseconds(1)), "1ms");
    EXPECT_EQ(format_duration(milliseconds(1'000)), "1s");
    EXPECT_EQ(format_size(65'536), "64k");
    EXPECT_EQ(format_size(1'000), "1000");
    for (const std::int64_t ms : {0L, 1L, 999L, 1'000L, 75'000L, 86'400'000L, 86'400'001L}) {
        EXPECT_EQ(parse_duration(format_duration(milliseconds(ms))), milliseconds(ms));
    }
    for (const std::uint64_t bytes : {0ULL, 1ULL, 1024ULL, 1025ULL, 1ULL << 30}) {
        EXPECT_EQ(parse_size(format_size(bytes)), bytes);
    }
}

}  // namespace
}  // namespace proxyd::units
