#include "support/child_process.hpp"
#include "support/daemon.hpp"
#include "support/json.hpp"
#include "support/load.hpp"
#include "support/notify_socket.hpp"
#include "support/ports.hpp"
#include "support/temp_dir.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <set>

namespace proxyd::test {
namespace {

TEST(Ports, AreDifferentAndFree) {
    std::set<std::uint16_t> ports;
    for (int count = 0; count < 20; ++count) {
        ports.insert(claim_port());
    }
    EXPECT_EQ(ports.size(), 20U);
    EXPECT_THROW(RawClient{*ports.begin()}, std::runtime_error);
}

TEST(Marks, AreReplacedAndUnknownOnesArePorts) {
    Marks marks{{"UP1", "8080"}};
    EXPECT_EQ(marks.apply("a: @UP1@ # me@x.test @up@ @UP1@"), "a: 8080 # me@x.test @up@ 8080");
    const auto port = marks.value("DEAD");
    EXPECT_EQ(marks.apply("@DEAD@"), port);
    EXPECT_GT(std::stoi(port), 1024);
}

TEST(ChildProcess, TellsCodeAndSignal) {
    const TempDir temp;
    SpawnOptions options;
    options.argv = {"/bin/sh", "-c", "echo out; echo \"$WORD\" >&2; exit 7"};
    options.env = {{"WORD", "err"}};
    options.out = temp.path() / "out";
    options.err = temp.path() / "err";
    ChildProcess child(options);
    EXPECT_EQ(child.wait(kLimit), (ExitStatus{7, 0}));
    EXPECT_EQ(read_file(options.out), "out\n");
    EXPECT_EQ(read_file(options.err), "err\n");

    options.argv = {"/bin/sh", "-c", "exec sleep 60"};
    ChildProcess sleeper(options);
    EXPECT_TRUE(sleeper.running());
    EXPECT_FALSE(sleeper.wait(Duration(10)));
    sleeper.signal(SIGTERM);
    EXPECT_EQ(sleeper.wait(kLimit), (ExitStatus{-1, SIGTERM}));
}

TEST(NotifySocket, KeepsMessages) {
    const TempDir temp;
    NotifySocket socket(temp.path() / "n");
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strcpy(to.sun_path, socket.path().c_str());
    const std::string_view text = "STATUS=x\nREADY=1";
    ::sendto(fd, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to);
    ::close(fd);
    EXPECT_TRUE(socket.wait_for("READY=1"));
    EXPECT_FALSE(socket.wait_for("STOPPING=1", Duration(10)));
}

TEST(Json, IsStrict) {
    const auto value = Json::parse(R"({"a": "x\"\u00e4", "b": [1, {"c": true}], "d": 0.25})");
    ASSERT_TRUE(value);
    EXPECT_EQ((*value)["a"].text(), "x\"\xC3\xA4");
    EXPECT_EQ((*value)["b"].array().size(), 2U);
    EXPECT_EQ((*value)["d"].number(), 0.25);
    EXPECT_TRUE(value->mentions("x\""));
    for (const auto* bad : {"{\"a\":1,}", "{\"a\":1,\"a\":2}", "{\"a\":\"\n\"}", "{} {}",
                            "\"\xff\"", "\"\\x\"", "[1", "nul"}) {
        EXPECT_FALSE(Json::parse(bad)) << bad;
    }
}

TEST(Load, FindsAFailure) {
    FakeUpstream good;
    Load load(good.port());
    EXPECT_TRUE(load.wait_for_answers(50));
    load.stop();
    EXPECT_TRUE(load.failures().empty());

    FakeUpstream bad([](const Request&) { return text_reply("no", 502); });
    Load failing(bad.port());
    EXPECT_TRUE(eventually([&] { return !failing.failures().empty(); }));
}

}  // namespace
}  // namespace proxyd::test
