// Log files are opened again on request; request ids connect the logs.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace proxyd::test {
namespace {

TEST(LogReopen, LinesGoToTheNewFileAfterUsr1AndReopen) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    int round = 0;
    for (const bool by_signal : {true, false}) {
        const auto old_name = daemon.directory() / ("access.log." + std::to_string(++round));
        get_once(daemon.http(), "/before");
        daemon.wait_for_access(1);
        std::filesystem::rename(daemon.access_path(), old_name);
        get_once(daemon.http(), "/between");
        const auto written = [&] { return read_file(old_name).find("/between") != std::string::npos; };
        EXPECT_TRUE(eventually(written));
        if (by_signal) {
            daemon.signal(SIGUSR1);
        } else {
            EXPECT_EQ(daemon.cli({"-s", "reopen"}).exit_code, 0);
        }
        EXPECT_TRUE(eventually([&] { return std::filesystem::exists(daemon.access_path()); }));
        get_once(daemon.http(), "/after");
        EXPECT_EQ(daemon.access(0)["request_uri"].text(), "/after");
        std::filesystem::remove(daemon.access_path());
        daemon.signal(SIGUSR1);
        EXPECT_TRUE(eventually([&] { return std::filesystem::exists(daemon.access_path()); }));
    }
}

TEST(LogReopen, ErrorLogFileIsReopenedToo) {
    Daemon daemon(
        "log: { error: { path: @TMP@/error.log }, "
        "access: { path: off } }\nhosts: { \"*\": @DEAD@ }\n");
    const auto path = daemon.directory() / "error.log";
    get_once(daemon.http(), "/");
    const auto port = daemon.marks().value("DEAD");
    const auto tells = [&] { return read_file(path).find(port) != std::string::npos; };
    EXPECT_TRUE(eventually(tells));
    std::filesystem::rename(path, daemon.directory() / "error.log.1");
    EXPECT_EQ(daemon.cli({"-s", "reopen"}).exit_code, 0);
    get_once(daemon.http(), "/");
    EXPECT_TRUE(eventually(tells));
}

TEST(LogReopen, StandardStreamsAreNoFilesAndStayOpen) {
    for (const std::string stream : {"stdout", "stderr"}) {
        Daemon daemon("log: { access: { path: " + stream +
                      ", format: '$request_uri in the log', buffer: 0 } }\n"
                      "hosts: { \"*\": { return: 204 } }\n");
        const auto output = daemon.directory() / (stream + ".log");
        const auto tells = [&](const std::string& line) {
            return eventually([&] { return read_file(output).find(line) != std::string::npos; });
        };
        get_once(daemon.http(), "/before");
        EXPECT_TRUE(tells("/before in the log\n"));
        EXPECT_EQ(daemon.cli({"-s", "reopen"}).exit_code, 0);
        get_once(daemon.http(), "/after");
        EXPECT_TRUE(tells("/after in the log\n"));
        EXPECT_FALSE(std::filesystem::exists(daemon.directory() / stream));
    }
}

TEST(LogReopen, ALogThatCannotBeOpenedIsOneWholeLine) {
    const TempDir temp;
    const auto place = temp.path() / "sub";
    std::filesystem::create_directory(place);
    Daemon daemon(
        "log: { access: { path: @SUB@/access.log } }\nhosts: { \"*\": { return: 204 } }\n",
        Marks{{"SUB", place.string()}});
    std::filesystem::remove_all(place);
    EXPECT_EQ(daemon.cli({"-s", "reopen"}).exit_code, 1);
    EXPECT_NE(daemon.log().find("access.log: No such file or directory\n"), std::string::npos);
}

TEST(RequestId, IsMadeForEveryRequestAndStandsInTheLog) {
    FakeUpstream upstream;
    Daemon daemon("hosts: { \"*\": @UP1@ }\n", ups(upstream));
    RawClient client(daemon.http());
    client.get("/");
    client.get("/", "X-Request-ID: forged\r\n");
    const auto first = upstream.request(0).headers.value("X-Request-ID");
    const auto second = upstream.request(1).headers.all("X-Request-ID");
    EXPECT_GE(first.size(), 16U);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_NE(second[0], "forged");
    EXPECT_NE(second[0], first);
    EXPECT_EQ(daemon.access(0)["request_id"].text(), first);
    EXPECT_EQ(daemon.access(1)["request_id"].text(), second[0]);
}

TEST(RequestId, OfATrustedProxyIsKept) {
    FakeUpstream upstream;
    Daemon daemon("trusted_proxies: [127.0.0.0/8]\nhosts: { \"*\": @UP1@ }\n", ups(upstream));
    get_once(daemon.http(), "/", "X-Request-ID: abc-123\r\n");
    EXPECT_EQ(upstream.last_request().headers.all("X-Request-ID"),
              std::vector<std::string>{"abc-123"});
    EXPECT_EQ(daemon.access(0)["request_id"].text(), "abc-123");
}

}  // namespace
}  // namespace proxyd::test
