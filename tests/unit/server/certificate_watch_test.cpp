#include "server/certificate_watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "proxyd/base/log.hpp"
#include "proxyd/net/tls/certificate.hpp"
#include "server/watched_paths.hpp"
#include "support/certificates.hpp"

namespace proxyd::server {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class HandClock : public async::Clock {
  public:
    [[nodiscard]] async::Milliseconds now() const noexcept override { return at; }
    async::Milliseconds at = 1'000;
};

class Files : public ::testing::Test {
  protected:
    Files() {
        std::string pattern = (fs::temp_directory_path() / "watch.XXXXXX").string();
        home = ::mkdtemp(pattern.data());
    }
    ~Files() override { fs::remove_all(home); }
    [[nodiscard]] std::string text(const std::string& name) const {
        std::ifstream file(home / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((home / name).parent_path());
        std::ofstream(home / name) << text;
    }
    fs::path home;
};

class Expiry : public Files {
  protected:
    Expiry() { (void)log::open((home / "log").string(), log::Level::info); }
    ~Expiry() override { (void)log::open("stderr", log::Level::info); }

    std::shared_ptr<const config::Snapshot> snapshot(long until) const {
        const test::Pair pair =
            test::Authority("test").issue({.names = {"a"}, .addresses = {}, .until = until});
        auto tls = std::make_shared<config::HostTls>();
        tls->certificates =
            std::make_shared<net::tls::CertificateSlot>(net::tls::CertificateSlot::Set{
                net::tls::Certificate::make(pair.certificate, pair.key).value()});
        tls->files.push_back({(home / "pem").string(), (home / "key").string(), {}});
        write("pem", pair.certificate);
        write("key", pair.key);
        auto made = std::make_shared<config::Snapshot>();
        for (const char* name : {"a.test", "b.test"}) {
            config::Host& host = made->hosts.emplace_back();
            host.name = name;
            host.tls = tls;
        }
        return made;
    }
    void a_day_passes() {
        unix_time += 86'400;
        clock.at += 86'400'000 + 100;
        loop.wheel().advance();
    }

    HandClock clock;
    async::Loop loop{clock};
    std::int64_t unix_time = std::time(nullptr);
    CertificateWatch watch{loop, [this] { return unix_time; }};
};

TEST_F(Expiry, IsToldOnceADayFromFourteenDaysOn) {
    watch.watch(snapshot(15 * 86'400 + 3'600));
    EXPECT_EQ(watch.status().at(0).days_left, 15);
    EXPECT_EQ(watch.status().at(0).other_hosts, 1U);
    EXPECT_THAT(text("log"), Not(HasSubstr("expires")));
    a_day_passes();
    EXPECT_THAT(text("log"), Not(HasSubstr("expires")));
    a_day_passes();
    EXPECT_THAT(text("log"), HasSubstr("warn"));
    EXPECT_THAT(text("log"), HasSubstr("of a.test and 1 more ("));
    EXPECT_THAT(text("log"), HasSubstr("expires in 13 days"));
    for (int day = 0; day < 13; ++day) a_day_passes();
    EXPECT_THAT(text("log"), HasSubstr("expires in 0 days"));
    EXPECT_THAT(text("log"), Not(HasSubstr("expired on")));
    a_day_passes();
    EXPECT_THAT(text("log"), HasSubstr("expired on"));
    EXPECT_EQ(watch.status().at(0).days_left, -1);
    watch.stop();
}

std::vector<std::string> names(const std::vector<Place>& places) {
    std::vector<std::string> result;
    for (const Place& place : places) {
        result.push_back(fs::path(place.directory).filename().string() + " " + place.name);
    }
    return result;
}

using WatchedPaths = Files;

TEST_F(WatchedPaths, AreTheFileAndTheLinksThatLeadThere) {
    write("live/..1/pem", "x");
    fs::create_symlink("..1", home / "live/..data");
    fs::create_symlink("..data/pem", home / "live/pem");
    fs::create_symlink(home / "live", home / "link");
    EXPECT_THAT(names(places_of((home / "live/..1/pem").string())), ElementsAre("..1 pem"));
    EXPECT_THAT(names(places_of((home / "live/pem").string())),
                ElementsAre("live pem", "live ..data", "..1 pem"));
    EXPECT_THAT(names(places_of((home / "link/none").string())),
                ElementsAre(home.filename().string() + " link", "live none"));
    fs::create_symlink("b", home / "a");
    fs::create_symlink("a", home / "b");
    EXPECT_LE(places_of((home / "a").string()).size(), 50U);
}

TEST_F(WatchedPaths, ASignatureChangesWithTheFile) {
    write("file", "one");
    const std::string before = signature_of((home / "file").string());
    EXPECT_EQ(before, signature_of((home / "file").string()));
    write("new", "one");
    fs::rename(home / "new", home / "file");
    EXPECT_NE(before, signature_of((home / "file").string()));
    EXPECT_EQ(signature_of((home / "none").string()), "none ");
}

}  // namespace
}  // namespace proxyd::server
