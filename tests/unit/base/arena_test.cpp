#include "proxyd/base/arena.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxyd {
namespace {

TEST(ArenaTest, WhatWasCopiedStaysWhileItGrows) {
    Arena arena;
    std::vector<std::string> texts;
    std::vector<std::string_view> copies;
    for (std::size_t size = 1; size < 6000; size = size * 3 / 2 + 1) {
        texts.emplace_back(size, static_cast<char>('a' + size % 26));
        copies.push_back(arena.copy(texts.back()));
    }
    for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(copies[i], texts[i]);
}

TEST(ArenaTest, AnEmptyTextNeedsNoMemory) {
    Arena arena;
    EXPECT_EQ(arena.copy("").data(), nullptr);
}

}  // namespace
}  // namespace proxyd
