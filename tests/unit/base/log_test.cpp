#include "proxyd/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace proxyd::log {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

/// A directory that goes away, and the log back on standard error.
class LogTest : public ::testing::Test {
  protected:
    LogTest() {
        std::string name = "/tmp/proxyd-log-XXXXXX";
        directory_ = ::mkdtemp(name.data());
    }
    ~LogTest() override {
        (void)open("stderr", Level::info);
        std::filesystem::remove_all(directory_);
    }
    [[nodiscard]] std::string path(const std::string& name = "error.log") const {
        return (directory_ / name).string();
    }
    [[nodiscard]] std::string content(const std::string& name = "error.log") const {
        std::ostringstream text;
        text << std::ifstream(path(name)).rdbuf();
        return text.str();
    }

  private:
    std::filesystem::path directory_;
};

TEST_F(LogTest, a_line_has_time_level_and_message) {
    ASSERT_TRUE(open(path(), Level::info));
    warn("port {} is {}", 80, "taken");
    EXPECT_THAT(content(), MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z warn "
                                        "port 80 is taken\n"));
}

TEST_F(LogTest, levels_below_the_chosen_one_are_silent) {
    ASSERT_TRUE(open(path(), Level::error));
    EXPECT_FALSE(enabled(Level::warn));
    warn("not this");
    error("but this");
    EXPECT_THAT(content(), ::testing::Not(HasSubstr("not this")));
    EXPECT_THAT(content(), HasSubstr(" error but this\n"));
    ASSERT_TRUE(open(path(), Level::off));
    write(Level::critical, "nor this");
    EXPECT_THAT(content(), ::testing::Not(HasSubstr("nor this")));
}

TEST_F(LogTest, control_characters_cannot_forge_a_line) {
    ASSERT_TRUE(open(path(), Level::info));
    info("{}", "a\r\nb\x1b[31m\x7f\tc \xc3\xa4");
    EXPECT_THAT(content(), HasSubstr("a\\x0d\\x0ab\\x1b[31m\\x7f\\x09c \xc3\xa4\n"));
}

TEST_F(LogTest, reopen_follows_a_renamed_file) {
    ASSERT_TRUE(open(path(), Level::info));
    info("one");
    std::filesystem::rename(path(), path("error.log.1"));
    info("two");
    ASSERT_TRUE(reopen());
    info("three");
    EXPECT_THAT(content("error.log.1"), HasSubstr("two"));
    EXPECT_THAT(content(), HasSubstr("three"));
    EXPECT_THAT(content(), ::testing::Not(HasSubstr("two")));
}

TEST_F(LogTest, a_path_that_cannot_be_opened_leaves_the_old_sink) {
    ASSERT_TRUE(open(path(), Level::info));
    const auto opened = open(path("no/such/directory"), Level::info);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, HasSubstr("No such file or directory"));
    info("still here");
    EXPECT_THAT(content(), HasSubstr("still here"));
}

TEST_F(LogTest, standard_error_has_nothing_to_reopen) {
    ASSERT_TRUE(open("stderr", Level::info));
    EXPECT_TRUE(reopen());
}

TEST_F(LogTest, lines_of_several_threads_stay_whole) {
    ASSERT_TRUE(open(path(), Level::info));
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([] {
                for (int n = 0; n < 100; ++n) info("{}", std::string(50, 'x'));
            });
        }
        for (int n = 0; n < 20; ++n) EXPECT_TRUE(reopen());
    }
    std::istringstream lines(content());
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        EXPECT_THAT(line, ::testing::EndsWith(" info " + std::string(50, 'x')));
    }
    EXPECT_EQ(count, 400);
}

TEST(LogLevel, names_are_read) {
    EXPECT_EQ(parse_level("trace"), Level::trace);
    EXPECT_EQ(parse_level("warn"), Level::warn);
    EXPECT_EQ(parse_level("off"), Level::off);
    EXPECT_EQ(parse_level("unknown"), Level::info);
}

}  // namespace
}  // namespace proxyd::log
