// Renewed certificates are shown without a reload, however their files are written.
#include "support/certificates.hpp"
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/tls_client.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

namespace proxyd::test {
namespace {

namespace fs = std::filesystem;

constexpr auto kConfig = R"(
listeners:
  http: "127.0.0.1:@HTTP@"
  https: { address: "127.0.0.1:@HTTPS@", tls: on }
hosts:
  app.test: { return: 204, tls: { certificate: "@FILES@/pem", key: "@FILES@/key" } }
)";

// The contract is 2 s from the last write; a loaded machine gets some more.
constexpr Duration kSoon = std::chrono::seconds(4);
constexpr long kDay = 86'400;

class CertificateRenewal : public ::testing::Test {
  protected:
    CertificateRenewal() { fs::create_directories(home()); }

    [[nodiscard]] fs::path home() const { return temp.path() / "files"; }

    // Each lasts another number of days, by which it is told from others.
    Pair lasting(int days) {
        return authority.issue(
            {.names = {"app.test"}, .addresses = {}, .until = days * kDay + kDay / 2});
    }
    static void write(const fs::path& path, const std::string& text) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
        fs::permissions(path, fs::perms(0600));
    }
    static void write(const fs::path& directory, const Pair& pair) {
        fs::create_directories(directory);
        write(directory / "pem", pair.certificate);
        write(directory / "key", pair.key);
    }
    // A new file in the place of the old one, as careful writers do it.
    void rename_over(const std::string& name, const std::string& text) const {
        write(home() / (name + ".new"), text);
        fs::rename(home() / (name + ".new"), home() / name);
    }

    void start() {
        daemon.emplace(kConfig, Marks{{"FILES", home().string()}});
        ASSERT_TRUE(daemon->running());
    }
    Json shown() const {
        const auto status = Json::parse(daemon->cli({"status", "--json"}).out);
        return status ? (*status)["certificates"].array().front() : Json();
    }
    bool shows(int days, Duration limit = kSoon) const {
        return eventually([&] { return shown()["days_left"].number() == days; }, limit);
    }

    TempDir temp;
    Authority authority{"test"};
    std::optional<Daemon> daemon;
};

TEST_F(CertificateRenewal, WrittenInPlace) {
    write(home(), lasting(100));
    start();
    EXPECT_TRUE(shows(100));
    write(home(), lasting(101));
    EXPECT_TRUE(shows(101));
    EXPECT_TRUE(daemon->wait_for_log("the certificate of app.test is renewed from"));
    EXPECT_EQ(shown()["problem"].text(), "");
}

TEST_F(CertificateRenewal, RenamedOverTheOldFilesInEitherOrder) {
    write(home(), lasting(100));
    start();
    const Pair second = lasting(101);
    rename_over("pem", second.certificate);
    ASSERT_TRUE(daemon->wait_for_log("is not the key of the certificate"));
    EXPECT_TRUE(shows(100));
    EXPECT_NE(shown()["problem"].text(), "");
    rename_over("key", second.key);
    EXPECT_TRUE(shows(101));
    const Pair third = lasting(102);
    rename_over("key", third.key);
    rename_over("pem", third.certificate);
    EXPECT_TRUE(shows(102));
    EXPECT_EQ(shown()["problem"].text(), "");
}

// As certbot does it: live/NAME holds links into archive/NAME.
TEST_F(CertificateRenewal, LinksThatLeadToNewFiles) {
    const fs::path archive = temp.path() / "archive";
    write(archive / "1", lasting(100));
    fs::create_symlink("../archive/1/pem", home() / "pem");
    fs::create_symlink("../archive/1/key", home() / "key");
    start();
    for (int turn = 2; turn <= 3; ++turn) {
        const fs::path next = archive / std::to_string(turn);
        write(next, lasting(100 + turn));
        for (const char* name : {"key", "pem"}) {
            fs::create_symlink(next / name, home() / "new");
            fs::rename(home() / "new", home() / name);
        }
        EXPECT_TRUE(shows(100 + turn)) << turn;
    }
    // What the links lead to now is watched too.
    write(archive / "3", lasting(110));
    EXPECT_TRUE(shows(110));
}

// As Kubernetes does it: the files are links through ..data, which is swapped.
TEST_F(CertificateRenewal, ALinkOnTheWayThatIsSwapped) {
    write(home() / "..1", lasting(100));
    fs::create_symlink("..1", home() / "..data");
    fs::create_symlink("..data/pem", home() / "pem");
    fs::create_symlink("..data/key", home() / "key");
    start();
    for (int turn = 2; turn <= 3; ++turn) {
        write(home() / (".." + std::to_string(turn)), lasting(100 + turn));
        fs::create_symlink(".." + std::to_string(turn), home() / "..tmp");
        fs::rename(home() / "..tmp", home() / "..data");
        EXPECT_TRUE(shows(100 + turn)) << turn;
        fs::remove_all(home() / (".." + std::to_string(turn - 1)));
    }
}

TEST_F(CertificateRenewal, TheWholeDirectoryIsReplaced) {
    write(home(), lasting(100));
    start();
    write(temp.path() / "next", lasting(101));
    fs::rename(home(), temp.path() / "old");
    fs::rename(temp.path() / "next", home());
    EXPECT_TRUE(shows(101));
    write(home(), lasting(102));
    EXPECT_TRUE(shows(102));
}

TEST_F(CertificateRenewal, TheDirectoryIsAwayForAWhile) {
    write(home(), lasting(100));
    start();
    fs::rename(home(), temp.path() / "away");
    ASSERT_TRUE(daemon->wait_for_log("No such file"));
    write(temp.path() / "away", lasting(101));
    fs::rename(temp.path() / "away", home());
    EXPECT_TRUE(shows(101));
    EXPECT_EQ(daemon->log().find("can be watched"), std::string::npos);
}

// The kernel watches only what may be read; for the files it is enough to pass.
TEST_F(CertificateRenewal, ADirectoryThatMayNotBeRead) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    fs::permissions(temp.path(), fs::perms(0755));
    write(home(), lasting(100));
    fs::permissions(home() / "key", fs::perms(0644));
    fs::permissions(home() / "pem", fs::perms(0644));
    fs::permissions(home(), fs::perms(0711));
    daemon.emplace(std::string("user: nobody\nlog: { access: { path: off } }\n") + kConfig,
                   Marks{{"FILES", home().string()}});
    ASSERT_TRUE(daemon->running());
    ASSERT_TRUE(daemon->wait_for_log("can be watched"));
    const Pair next = lasting(101);
    std::ofstream(home() / "key", std::ios::trunc) << next.key;
    std::ofstream(home() / "pem", std::ios::trunc) << next.certificate;
    EXPECT_TRUE(shows(101, std::chrono::seconds(3)));
}

TEST_F(CertificateRenewal, WhatCannotBeUsedLeavesTheOldOneAndIsSaidOnce) {
    write(home(), lasting(100));
    start();
    write(home() / "pem", "rubbish");
    ASSERT_TRUE(daemon->wait_for_log("the certificate of app.test stays as it was: the file " +
                                     (home() / "pem").string() +
                                     " holds no certificate in PEM form"));
    EXPECT_EQ(shown()["days_left"].number(), 100);
    fs::remove(home() / "pem");
    ASSERT_TRUE(daemon->wait_for_log("No such file"));
    write(home(), lasting(101));
    EXPECT_TRUE(shows(101));
    const std::string log = daemon->log();
    const std::string said = "holds no certificate in PEM form";
    EXPECT_EQ(log.find(said), log.rfind(said));
}

TEST_F(CertificateRenewal, AReloadWatchesTheNewFiles) {
    write(home(), lasting(100));
    write(temp.path() / "other", lasting(200));
    start();
    std::string config = kConfig;
    for (std::size_t at = 0; (at = config.find("@FILES@", at)) != config.npos;) {
        config.replace(at, 7, (temp.path() / "other").string());
    }
    daemon->reload(config);
    EXPECT_TRUE(shows(200));
    write(temp.path() / "other", lasting(201));
    EXPECT_TRUE(shows(201));
}

TEST_F(CertificateRenewal, ExpiryIsToldAtTheStartAndInTheStatus) {
    write(home(), lasting(5));
    start();
    EXPECT_TRUE(daemon->wait_for_log("expires in 5 days, on 2"));
    const std::string text = daemon->cli({"status"}).out;
    EXPECT_NE(text.find("certificates: 1, the first ends in 5 days (app.test, 2"), text.npos);
    EXPECT_NE(text.find("  app.test " + (home() / "pem").string() + ": 5 days left"), text.npos);
}

// On the wire, with clients that come and clients that stay.
TEST_F(CertificateRenewal, LosesNoRequestUnderLoad) {
    write(home(), lasting(100));
    start();
    const std::uint16_t port = daemon->port("HTTPS");
    std::atomic<bool> over = false;
    std::atomic<int> good = 0, bad = 0;
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&, stays = i % 2 == 0] {
            while (!over) {
                try {
                    TlsClient client(port);
                    for (int turn = 0; turn < (stays ? 200 : 1) && !over; ++turn) {
                        ++(client.get("/").status == 204 ? good : bad);
                    }
                } catch (const std::exception&) {
                    ++bad;
                }
            }
        });
    }
    for (int turn = 1; turn <= 4; ++turn) {
        const Pair next = lasting(100 + turn);
        rename_over(turn % 2 == 0 ? "pem" : "key", turn % 2 == 0 ? next.certificate : next.key);
        rename_over(turn % 2 == 0 ? "key" : "pem", turn % 2 == 0 ? next.key : next.certificate);
        EXPECT_TRUE(eventually(
            [&] { return TlsClient(port).server_certificate() == next.certificate; }, kSoon))
            << turn;
    }
    over = true;
    for (auto& client : clients) client.join();
    EXPECT_EQ(bad, 0);
    EXPECT_GT(good, 100);
}

}  // namespace
}  // namespace proxyd::test
