#include "daemon/status_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace proxyd::daemon {
namespace {

using ::testing::HasSubstr;

server::Status sample() {
    server::Status status;
    status.generation = 3;
    status.connections = 7;
    status.exchanges = 2;
    status.workers = 4;
    status.listeners = {"http 127.0.0.1:80", "https 127.0.0.1:443"};
    server::PeerStatus up;
    up.address = "127.0.0.1:3001";
    up.state = "up";
    up.requests = 12;
    up.idle_connections = 5;
    server::PeerStatus failed;
    failed.address = "127.0.0.1:3002";
    failed.state = "failed";
    failed.cause = "Connection refused";
    failed.failures = 9;
    failed.backup = true;
    status.upstreams = {{"app", {up, failed}, 0}};
    return status;
}

TEST(StatusText, names_every_peer_with_its_cause) {
    const std::string text = status_text(sample());
    EXPECT_THAT(text, HasSubstr("workers: 4\ngeneration: 3\nconnections: 7\nexchanges: 2\n"));
    EXPECT_THAT(text, HasSubstr("listeners: http 127.0.0.1:80, https 127.0.0.1:443\n"));
    EXPECT_THAT(text, HasSubstr("upstream app\n"));
    EXPECT_THAT(text, HasSubstr("127.0.0.1:3001"));
    EXPECT_THAT(text, HasSubstr("requests 12, failures 0, idle 5"));
    EXPECT_THAT(text, HasSubstr("failed (Connection refused), backup"));
}

TEST(StatusText, names_the_queue_while_somebody_waits) {
    server::Status status = sample();
    status.upstreams[0].waiting = 4;
    EXPECT_THAT(status_text(status), HasSubstr("upstream app, waiting 4\n"));
    const auto object = boost::json::parse(status_json(status)).as_object();
    EXPECT_EQ(object.at("upstreams").at(0).at("waiting").to_number<int>(), 4);
}

TEST(StatusText, json_is_one_object_in_one_line) {
    const std::string text = status_json(sample());
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    const auto object = boost::json::parse(text).as_object();
    EXPECT_EQ(object.at("generation").to_number<int>(), 3);
    EXPECT_EQ(object.at("listeners").as_array().size(), 2U);
    const auto& peer = object.at("upstreams").at(0).at("peers").at(1);
    EXPECT_EQ(peer.at("cause").as_string(), "Connection refused");
    EXPECT_EQ(peer.at("failures").to_number<int>(), 9);
    EXPECT_TRUE(peer.at("backup").as_bool());
}

TEST(StatusText, checks_retries_and_the_last_change_are_shown) {
    server::UpstreamStatus app;
    app.name = "app";
    app.retries = 4;
    app.retries_refused = 1;
    app.peers.resize(1);
    app.peers[0].address = "127.0.0.1:3001";
    app.peers[0].state = "unhealthy";
    app.peers[0].cause = "status 503";
    app.peers[0].since = 1'769'860'800;
    app.peers[0].checked = true;
    app.peers[0].checks_passed = 7;
    app.peers[0].checks_failed = 3;
    const std::string text = upstreams_text({app});
    EXPECT_THAT(text, HasSubstr("upstream app: retries 4, refused by retry.budget 1\n"));
    EXPECT_THAT(text, HasSubstr("unhealthy (status 503)"));
    EXPECT_THAT(text, HasSubstr(", checks 7 passed 3 failed, since 2026-01-31T12:00:00Z\n"));
    const auto json = boost::json::parse(upstreams_json({app}));
    const auto& peer = json.at("upstreams").at(0).at("peers").at(0);
    EXPECT_EQ(peer.at("since").as_string(), "2026-01-31T12:00:00Z");
    EXPECT_EQ(peer.at("checks_failed").to_number<int>(), 3);
    EXPECT_EQ(json.at("upstreams").at(0).at("retries_refused").to_number<int>(), 1);
}

}  // namespace
}  // namespace proxyd::daemon
