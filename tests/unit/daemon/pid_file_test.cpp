#include "daemon/pid_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/daemon/files.hpp"

namespace proxyd::daemon {
namespace {

const std::string kOwn = std::to_string(::getpid()) + "\n";

Result<void> write(PidFile& file, const std::string& path) {
    auto opened = file.open(path);
    return opened ? file.write() : std::move(opened);
}

TEST(PidFile, names_the_process_and_goes_with_it) {
    const TestDirectory directory;
    {
        PidFile file;
        ASSERT_TRUE(write(file, directory / "pid"));
        EXPECT_EQ(directory.read("pid"), kOwn);
    }
    EXPECT_FALSE(std::filesystem::exists(directory / "pid"));
}

TEST(PidFile, one_that_names_another_process_stays) {
    const TestDirectory directory;
    {
        PidFile file;
        ASSERT_TRUE(write(file, directory / "pid"));
        (void)directory.write("pid", "1\n");
    }
    EXPECT_EQ(directory.read("pid"), "1\n");
}

TEST(PidFile, keeps_what_it_says_until_it_is_written) {
    const TestDirectory directory;
    (void)directory.write("pid", "1234567890\n");
    {
        PidFile file;
        ASSERT_TRUE(file.open(directory / "pid"));
    }
    EXPECT_EQ(directory.read("pid"), "1234567890\n");
    PidFile file;
    ASSERT_TRUE(write(file, directory / "pid"));
    EXPECT_EQ(directory.read("pid"), kOwn);
}

TEST(PidFile, one_that_was_made_and_never_written_goes_away) {
    const TestDirectory directory;
    {
        PidFile file;
        ASSERT_TRUE(file.open(directory / "pid"));
    }
    EXPECT_FALSE(std::filesystem::exists(directory / "pid"));
}

TEST(PidFile, what_is_no_regular_file_of_its_own_is_left_alone) {
    const TestDirectory directory;
    const std::string victim = directory.write("victim", "precious");
    std::filesystem::create_symlink(victim, directory / "link");
    std::filesystem::create_hard_link(victim, directory / "second");
    std::filesystem::create_directory(directory / "directory");
    for (const char* name : {"link", "second", "directory"}) {
        PidFile file;
        EXPECT_FALSE(file.open(directory / name)) << name;
        EXPECT_TRUE(std::filesystem::exists(directory / name)) << name;
    }
    EXPECT_EQ(directory.read("victim"), "precious");
}

TEST(PidFile, a_path_that_cannot_be_written_is_said) {
    const TestDirectory directory;
    PidFile file;
    const auto opened = file.open(directory / "no/pid");
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, ::testing::HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace proxyd::daemon
