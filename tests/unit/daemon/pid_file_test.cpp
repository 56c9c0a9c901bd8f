#include "daemon/pid_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/daemon/files.hpp"

namespace proxyd::daemon {
namespace {

const std::string kOwn = std::to_string(::getpid()) + "\n";

TEST(PidFile, names_the_process_and_goes_with_it) {
    const TestDirectory directory;
    {
        PidFile file;
        ASSERT_TRUE(file.write(directory / "pid"));
        EXPECT_EQ(directory.read("pid"), kOwn);
    }
    EXPECT_FALSE(std::filesystem::exists(directory / "pid"));
}

TEST(PidFile, one_that_names_another_process_stays) {
    const TestDirectory directory;
    {
        PidFile file;
        ASSERT_TRUE(file.write(directory / "pid"));
        (void)directory.write("pid", "1\n");
    }
    EXPECT_EQ(directory.read("pid"), "1\n");
}

TEST(PidFile, a_link_is_replaced_not_followed) {
    const TestDirectory directory;
    const std::string victim = directory.write("victim", "precious");
    std::filesystem::create_symlink(victim, directory / "pid");
    PidFile file;
    ASSERT_TRUE(file.write(directory / "pid"));
    EXPECT_EQ(directory.read("victim"), "precious");
    EXPECT_EQ(directory.read("pid"), kOwn);
}

TEST(PidFile, a_path_that_cannot_be_written_is_said) {
    const TestDirectory directory;
    PidFile file;
    const auto written = file.write(directory / "no/pid");
    ASSERT_FALSE(written);
    EXPECT_THAT(written.error().detail, ::testing::HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace proxyd::daemon
