#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "proxyd/config/model.hpp"
#include "proxyd/upstream/group.hpp"

/// Shared by the tests of the choice: a group of servers that nobody listens on, and a clock that
/// stands still until the test moves it.
namespace proxyd::upstream {

struct GroupFixture {
    explicit GroupFixture(std::vector<unsigned> weights,
                          config::Balance balance = config::Balance::round_robin) {
        settings.name = "app";
        settings.balance = balance;
        for (const unsigned weight : weights) {
            config::Server server;
            server.address.ip = IpAddress::v4({127, 0, 0, 1});
            server.address.port = static_cast<std::uint16_t>(18'101 + settings.servers.size());
            server.address.text = "127.0.0.1:" + std::to_string(server.address.port);
            server.weight = weight;
            settings.servers.push_back(server);
        }
    }

    /// The group, built when it is first asked for.
    [[nodiscard]] const Group& group() {
        if (!group_) {
            group_ = Group::make(std::make_shared<const config::Upstream>(settings), registry);
        }
        return *group_;
    }
    [[nodiscard]] const Peer& peer(std::size_t index) { return group().peers()[index]; }
    [[nodiscard]] PeerState& state(std::size_t index) { return *peer(index).state; }
    [[nodiscard]] PickRequest request() const {
        return {.tried = tried, .now = now, .hash_key = key, .client = client};
    }
    /// A place that stays taken.
    int pick() { return group().pick(request()); }
    void release(int index) { group().release(peer(static_cast<std::size_t>(index))); }
    /// The choices of `count` requests, one after the other, as digits from 1; '-' for none.
    std::string sequence(int count) {
        std::string text;
        for (int i = 0; i < count; ++i) {
            const int index = pick();
            text += index < 0 ? '-' : static_cast<char>('1' + index);
            if (index >= 0) release(index);
        }
        return text;
    }
    /// How often each peer was chosen.
    std::vector<int> counts(int count) {
        std::vector<int> result(group().peers().size());
        for (int i = 0; i < count; ++i) {
            const int index = pick();
            if (index < 0) continue;
            ++result[static_cast<std::size_t>(index)];
            release(index);
        }
        return result;
    }
    void fail(std::size_t index) {
        for (unsigned i = 0; i < peer(index).max_fails; ++i) {
            group().report_failure(peer(index), now, Reason::upstream_refused);
        }
    }

    config::Upstream settings;
    StateRegistry registry;
    PeerSet tried;
    std::int64_t now = 1'000'000;
    std::string key, client;

  private:
    std::shared_ptr<const Group> group_;
};

}  // namespace proxyd::upstream
