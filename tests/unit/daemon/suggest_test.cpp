#include "daemon/suggest.hpp"

#include <gtest/gtest.h>

namespace proxyd::daemon {
namespace {

const std::vector<std::string> kWords{"reload", "reopen", "quit", "stop"};

TEST(Suggest, one_edit_for_three_letters) {
    EXPECT_EQ(nearest("relaod", kWords), "reload");
    EXPECT_EQ(nearest("reopn", kWords), "reopen");
    EXPECT_EQ(nearest("sotp", kWords), "stop");
    EXPECT_EQ(nearest("kill", kWords), "");
    EXPECT_EQ(nearest("", kWords), "");
    EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace proxyd::daemon
