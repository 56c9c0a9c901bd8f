#include "proxyd/base/lifetime.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace proxyd {
namespace {

TEST(Lifetime, NestedWatchesSeeTheEnd) {
    auto object = std::make_unique<Lifetime>();
    const Lifetime::Watch outer(*object);
    const Lifetime::Watch inner(*object);
    EXPECT_FALSE(inner.ended());
    object.reset();
    EXPECT_TRUE(inner.ended());
    EXPECT_TRUE(outer.ended());
}

TEST(Lifetime, AWatchThatWentIsForgotten) {
    auto object = std::make_unique<Lifetime>();
    const Lifetime::Watch outer(*object);
    { const Lifetime::Watch inner(*object); }
    object.reset();
    EXPECT_TRUE(outer.ended());
}

}  // namespace
}  // namespace proxyd
