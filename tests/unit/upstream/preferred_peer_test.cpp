// PickRequest::preferred: the peer that a sticky client had.
#include <gtest/gtest.h>

#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {
namespace {

class PreferredPeer : public ::testing::Test {
  protected:
    PreferredPeer() {
        auto settings = std::make_shared<config::Upstream>();
        settings->name = "app";
        for (std::uint16_t port = 1; port <= 3; ++port) {
            config::Server server;
            server.address.ip = *IpAddress::parse("127.0.0.1");
            server.address.port = port;
            server.max_fails = 1;
            server.backup = port == 3;
            settings->servers.push_back(server);
        }
        group_ = Group::make(settings, registry_);
    }

    int pick(int preferred, const PeerSet& tried = {}) {
        return group_->pick(
            {.tried = tried, .now = 1000, .hash_key = {}, .client = {}, .preferred = preferred});
    }
    PeerState& state(std::size_t index) { return *group_->peers()[index].state; }

    StateRegistry registry_;
    std::shared_ptr<const Group> group_;
};

TEST_F(PreferredPeer, IsTakenWhateverTheOrderSays) {
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(pick(1), 1);
        EXPECT_EQ(pick(0), 0);
        EXPECT_EQ(pick(2), 2);
    }
}

TEST_F(PreferredPeer, StaysWhileItsServerDrains) {
    state(1).admin = Admin::drain;
    EXPECT_EQ(pick(1), 1);
    EXPECT_EQ(pick(-1), 0);
    EXPECT_EQ(pick(-1), 0);
}

TEST_F(PreferredPeer, GivesWayWhenItCannotTakeTheRequest) {
    PeerSet tried;
    tried.insert(1);
    EXPECT_EQ(pick(1, tried), 0);
    state(1).admin = Admin::down;
    EXPECT_EQ(pick(1), 0);
    state(1).admin = Admin::up;
    state(1).unhealthy = true;
    EXPECT_EQ(pick(1), 0);
    state(1).unhealthy = false;
    group_->report_failure(group_->peers()[1], 1000, Reason::upstream_refused);
    EXPECT_EQ(pick(1), 0);
    EXPECT_GE(pick(77), 0);
}

}  // namespace
}  // namespace proxyd::upstream
