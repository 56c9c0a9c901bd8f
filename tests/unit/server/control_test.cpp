#include "proxyd/server/control.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace proxyd::server {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLimit{10'000};

/// A loop on a thread of its own with a control server that answers "hello NAME" and keeps "wait".
class ControlTest : public ::testing::Test {
  protected:
    ControlTest() {
        std::string name = "/tmp/proxyd-control-XXXXXX";
        directory_ = ::mkdtemp(name.data());
        thread_ = std::jthread([this] { loop_.run(); });
    }
    ~ControlTest() override {
        on_loop([this] {
            kept_.clear();
            server_.reset();
        });
        loop_.stop();
        thread_.join();
        std::filesystem::remove_all(directory_);
    }

    void on_loop(const std::function<void()>& work) {
        std::promise<void> done;
        loop_.post([&] {
            work();
            done.set_value();
        });
        done.get_future().wait();
    }

    Result<void> open(const std::string& path) {
        Result<void> result;
        on_loop([&] {
            server_ = std::make_unique<ControlServer>(
                loop_, [this](const std::string& line, ControlServer::Respond respond) {
                    if (line == "wait") return kept_.push_back(std::move(respond));
                    if (line == "big") return respond({0, std::string(3'000'000, 'x')});
                    respond({line == "bad" ? 78 : 0, "hello " + line + "\n"});
                });
            result = server_->open(path);
        });
        return result;
    }

    [[nodiscard]] std::string path() const { return (directory_ / "control.sock").string(); }

    /// A caller that connects and then does what the test wants.
    [[nodiscard]] int raw() const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        return fd;
    }

    std::filesystem::path directory_;
    async::Loop loop_;
    std::jthread thread_;
    std::unique_ptr<ControlServer> server_;
    std::vector<ControlServer::Respond> kept_;
};

TEST_F(ControlTest, a_call_gets_text_and_exit_code) {
    ASSERT_TRUE(open(path()));
    const auto good = control_call(path(), "status --json", kLimit);
    ASSERT_TRUE(good) << good.error().detail;
    EXPECT_EQ(good->exit_code, 0);
    EXPECT_EQ(good->text, "hello status --json\n");
    const auto bad = control_call(path(), "bad", kLimit);
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->exit_code, 78);
}

TEST_F(ControlTest, an_answer_larger_than_a_socket_buffer_arrives_whole) {
    ASSERT_TRUE(open(path()));
    const auto reply = control_call(path(), "big", kLimit);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->text.size(), 3'000'000U);
}

TEST_F(ControlTest, the_socket_is_for_user_and_group_only) {
    ASSERT_TRUE(open(path()));
    struct stat found {};
    ASSERT_EQ(::stat(path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0660U);
}

TEST_F(ControlTest, it_is_unlinked_at_the_end) {
    ASSERT_TRUE(open(path()));
    on_loop([this] { server_.reset(); });
    EXPECT_FALSE(std::filesystem::exists(path()));
    const auto reply = control_call(path(), "x", kLimit);
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().detail, HasSubstr("No such file or directory"));
}

TEST_F(ControlTest, a_dead_socket_is_replaced_and_a_live_one_is_not) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    const auto taken = open(path());
    ASSERT_FALSE(taken);
    EXPECT_THAT(taken.error().detail, HasSubstr("another process listens on it"));
    ::close(fd);
    ASSERT_TRUE(open(path()));
    EXPECT_TRUE(control_call(path(), "x", kLimit));
}

TEST_F(ControlTest, a_file_is_never_removed) {
    ::close(::open(path().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    const auto opened = open(path());
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, HasSubstr("not a socket"));
    EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(ControlTest, a_directory_that_is_missing_is_said) {
    const auto opened = open((directory_ / "no" / "control.sock").string());
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().detail, HasSubstr("No such file or directory"));
}

TEST_F(ControlTest, a_call_without_an_answer_ends_at_its_limit) {
    ASSERT_TRUE(open(path()));
    const auto reply = control_call(path(), "wait", milliseconds(50));
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().detail, HasSubstr("no answer within 50 ms"));
}

TEST_F(ControlTest, a_caller_cut_by_the_end_is_told) {
    ASSERT_TRUE(open(path()));
    auto call =
        std::async(std::launch::async, [&] { return control_call(path(), "wait", kLimit); });
    bool arrived = false;
    while (!arrived) on_loop([&] { arrived = !kept_.empty(); });
    on_loop([this] { server_.reset(); });
    const auto reply = call.get();
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().detail, HasSubstr("without an answer"));
    on_loop([this] { kept_.front()({0, "too late"}); });
}

TEST_F(ControlTest, sixty_four_callers_at_once_and_no_more) {
    ASSERT_TRUE(open(path()));
    std::vector<int> callers;
    for (int i = 0; i < 64; ++i) callers.push_back(raw());
    const auto refused = control_call(path(), "x", kLimit);
    EXPECT_FALSE(refused);
    for (const int fd : callers) ::close(fd);
    bool served = false;
    for (int i = 0; i < 200 && !served; ++i) {
        served = control_call(path(), "x", kLimit).ok();
        std::this_thread::sleep_for(milliseconds(5));
    }
    EXPECT_TRUE(served);
}

TEST_F(ControlTest, a_line_without_an_end_is_cut) {
    ASSERT_TRUE(open(path()));
    const int fd = raw();
    const std::string endless(8192, 'x');
    (void)::send(fd, endless.data(), endless.size(), MSG_NOSIGNAL);
    char byte = 0;
    EXPECT_LE(::recv(fd, &byte, 1, 0), 0);
    ::close(fd);
}

}  // namespace
}  // namespace proxyd::server
