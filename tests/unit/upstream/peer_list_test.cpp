#include "upstream/peer_list.hpp"

#include <gtest/gtest.h>

namespace proxyd::upstream {
namespace {

net::Target target(const std::string& ip, std::uint16_t port, std::uint16_t priority,
                   std::uint16_t weight) {
    return {ip, net::Endpoint::tcp(*IpAddress::parse(ip), port), priority, weight};
}

config::Server server(config::Address::Kind kind, const std::string& name) {
    config::Server result;
    result.address.kind = kind;
    result.address.name = name;
    result.address.port = 80;
    return result;
}

struct Shape {
    std::string address;
    unsigned weight;
    bool backup;
    friend bool operator==(const Shape&, const Shape&) = default;
};

std::vector<Shape> shapes(const std::vector<config::Server>& servers, StateRegistry& registry) {
    config::Upstream settings;
    settings.name = "app";
    settings.servers = servers;
    std::vector<Shape> all;
    for (const Peer& peer : make_peers(settings, registry)) {
        all.push_back({peer.address, peer.weight, peer.backup});
    }
    return all;
}

void learn(StateRegistry& registry, const net::Question& name, std::vector<net::Target> targets) {
    net::NameAnswer answer;
    answer.targets = std::move(targets);
    (void)registry.addresses().record({name}, {answer}, 0);
}

TEST(PeerList, a_name_brings_a_peer_for_each_address) {
    StateRegistry registry;
    learn(registry, {"a"}, {target("10.0.0.1", 0, 0, 1), target("fd00::1", 0, 0, 1)});
    config::Server named = server(config::Address::Kind::name, "a");
    named.weight = 3;
    named.backup = true;
    EXPECT_EQ(shapes({named, server(config::Address::Kind::name, "unknown")}, registry),
              (std::vector<Shape>{{"10.0.0.1:80", 3, true}, {"[fd00::1]:80", 3, true}}));
}

TEST(PeerList, the_lowest_priority_of_a_service_has_the_primaries) {
    StateRegistry registry;
    learn(
        registry, {"a", true},
        {target("10.0.0.1", 81, 5, 2), target("10.0.0.2", 82, 5, 1), target("10.0.0.3", 83, 7, 4)});
    config::Server service = server(config::Address::Kind::srv, "a");
    service.weight = 10;
    EXPECT_EQ(shapes({service}, registry), (std::vector<Shape>{{"10.0.0.1:81", 20, false},
                                                               {"10.0.0.2:82", 10, false},
                                                               {"10.0.0.3:83", 40, true}}));
    service.backup = true;
    for (const Shape& shape : shapes({service}, registry)) EXPECT_TRUE(shape.backup);
}

TEST(PeerList, weights_beyond_the_largest_are_scaled_for_the_whole_group) {
    StateRegistry registry;
    learn(registry, {"a", true}, {target("10.0.0.1", 81, 0, 50'000), target("10.0.0.2", 81, 0, 1)});
    learn(registry, {"b"}, {target("10.0.0.3", 0, 0, 1)});
    config::Server service = server(config::Address::Kind::srv, "a");
    config::Server host = server(config::Address::Kind::name, "b");
    service.weight = 4;
    host.weight = 60'000;
    EXPECT_EQ(shapes({service, host}, registry),
              (std::vector<Shape>{{"10.0.0.1:81", 65'535, false},
                                  {"10.0.0.2:81", 1, false},
                                  {"10.0.0.3:80", 19'660, false}}));
}

}  // namespace
}  // namespace proxyd::upstream
