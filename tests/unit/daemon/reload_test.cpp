#include "daemon/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/reverse_proxy.hpp"
#include "proxyd/base/log.hpp"
#include "unit/daemon/files.hpp"

namespace proxyd::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kGood = "hosts: { app.example.com: 3000 }\n";

class ReloadTest : public ::testing::Test {
  protected:
    ReloadTest() {
        options_.config = directory_.write("proxyd.yaml", kGood);
        options_.error_log = directory_ / "error.log";
        current_ = config::load(options_.load_options()).snapshot;
        EXPECT_TRUE(open_error_log(options_, *current_));
    }
    ~ReloadTest() override { (void)log::open("stderr", log::Level::info); }

    server::ControlReply reload_with(const std::string& text, Result<void> applied = {}) {
        (void)directory_.write("proxyd.yaml", text);
        const auto build = [](auto) { return server::NextGeneration{nullptr, problems()}; };
        const Loaded loaded = load_next(options_, current_, build);
        return adopt_next(options_, *current_, loaded, [&](const auto&) {
            applied_ = loaded.snapshot;
            return std::move(applied);
        });
    }

    static std::vector<std::string> problems() { return {"'x' cannot be resolved"}; }

    TestDirectory directory_;
    Options options_;
    std::shared_ptr<const config::Snapshot> current_, applied_;
};

TEST_F(ReloadTest, a_good_file_is_applied) {
    const auto reply = reload_with("hosts: { other.example.com: 3000 }\n");
    EXPECT_EQ(reply.exit_code, 0) << reply.text;
    EXPECT_THAT(reply.text, HasSubstr("proxyd: 'x' cannot be resolved\n"));
    EXPECT_THAT(reply.text, HasSubstr("reloaded"));
    ASSERT_TRUE(applied_);
    EXPECT_EQ(applied_->hosts.at(0).name, "other.example.com");
}

TEST_F(ReloadTest, a_refused_file_changes_nothing_and_says_why) {
    const auto reply = reload_with("hosts: { app.example.com: { upsteam: 3000 } }\n");
    EXPECT_EQ(reply.exit_code, 78);
    EXPECT_FALSE(applied_);
    EXPECT_THAT(reply.text, HasSubstr("proxyd.yaml:1:"));
    EXPECT_THAT(reply.text, HasSubstr("did you mean 'upstream'?"));
    EXPECT_THAT(reply.text, HasSubstr("the running configuration goes on"));
    EXPECT_THAT(directory_.read("error.log"), HasSubstr("unknown key 'upsteam'"));
}

TEST_F(ReloadTest, what_needs_a_restart_is_refused) {
    const auto reply = reload_with(std::string(kGood) + "workers: 17\npid_file: /tmp/x\n");
    EXPECT_EQ(reply.exit_code, 78);
    EXPECT_FALSE(applied_);
    EXPECT_THAT(reply.text, HasSubstr("a change of workers, pid_file needs a restart"));
}

TEST_F(ReloadTest, what_the_server_refuses_is_1_with_its_reason) {
    const auto reply = reload_with(
        kGood, Error(Reason::internal_error, Source::internal, Retry::no, "cannot listen on x"));
    EXPECT_EQ(reply.exit_code, 1);
    EXPECT_THAT(reply.text, HasSubstr("cannot listen on x"));
}

TEST_F(ReloadTest, every_key_that_only_a_restart_changes) {
    config::Snapshot other = *current_;
    EXPECT_THAT(restart_keys(*current_, other), IsEmpty());
    other.user = "x";
    other.group = "x";
    other.control = "x";
    EXPECT_THAT(restart_keys(*current_, other), ElementsAre("user", "group", "control"));
}

TEST_F(ReloadTest, workers_that_stay_auto_keep_their_number) {
    config::Snapshot before = *current_, after = *current_;
    before.workers_auto = after.workers_auto = true;
    before.workers = 2;
    after.workers = 1;
    EXPECT_THAT(restart_keys(before, after), IsEmpty());
    after.workers_auto = false;
    EXPECT_THAT(restart_keys(before, after), ElementsAre("workers"));
}

TEST(ReverseProxy, is_a_configuration_that_loads) {
    Options options;
    options.from = ":8080";
    for (const char* to : {"3000", "10.0.0.5:3000", "unix:/run/app.sock"}) {
        options.to = to;
        options.text = reverse_proxy_text(options);
        const auto loaded = config::load(options.load_options());
        ASSERT_TRUE(loaded.snapshot) << to << ": " << config::render(loaded.diagnostics.at(0));
        EXPECT_EQ(loaded.snapshot->listeners.at(0).address.port, 8080);
        EXPECT_EQ(loaded.snapshot->hosts.at(0).name, "*");
    }
    options.to = "x' }, evil: { y: 'z";
    options.text = reverse_proxy_text(options);
    EXPECT_FALSE(config::load(options.load_options()).snapshot);
}

}  // namespace
}  // namespace proxyd::daemon
