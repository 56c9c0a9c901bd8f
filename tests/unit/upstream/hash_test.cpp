// The expected choices are those of nginx 1.22 with the same servers, weights, keys and addresses.
#include <gmock/gmock.h>

#include "unit/upstream/group_fixture.hpp"
#include "upstream/balancer/crc32.hpp"

namespace proxyd::upstream {
namespace {

using config::Balance;

struct Servers : GroupFixture {
    explicit Servers(Balance balance, bool consistent = false)
        : GroupFixture({3, 1, 2, 1}, balance) {
        settings.hash.consistent = consistent;
    }
};

char choice(GroupFixture& fixture) {
    const int index = fixture.pick();
    if (index >= 0) fixture.release(index);
    return index < 0 ? '-' : static_cast<char>('1' + index);
}

std::string of_keys(GroupFixture& fixture, int count = 60) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        fixture.key = "key" + std::to_string(i);
        text += choice(fixture);
    }
    return text;
}

std::string of_v4_clients(GroupFixture& fixture) {
    std::string text;
    for (int i = 0; i < 60; ++i) {
        fixture.client = "10." + std::to_string(i * 7 % 256) + "." + std::to_string(i * 31 % 256) +
                         "." + std::to_string(i);
        text += choice(fixture);
    }
    return text;
}

std::string of_v6_clients(GroupFixture& fixture) {
    std::string text;
    for (unsigned i = 0; i < 40; ++i) {
        char address[40];
        std::snprintf(address, sizeof address, "2001:db8:%x::%x", i, i * 17);
        fixture.client = address;
        text += choice(fixture);
    }
    return text;
}

TEST(Crc32, IsTheUsualOne) {
    EXPECT_EQ(Crc32().add("123456789").value(), 0xCBF43926U);
    EXPECT_EQ(Crc32().add("1234").add("56789").value(), 0xCBF43926U);
}

TEST(Hash, IsNginxs) {
    Servers fixture(Balance::hash);
    EXPECT_EQ(of_keys(fixture), "112213324313231341421131311213113123331433334331313113111412");
}

TEST(Hash, HashesOnAsNginxWhereAServerIsDown) {
    Servers fixture(Balance::hash);
    fixture.settings.servers[2].down = true;
    EXPECT_EQ(of_keys(fixture), "112212124212211141421111111214111121211422114411211111111412");
}

TEST(Hash, WithoutAKeyItIsRoundRobin) {
    Servers fixture(Balance::hash);
    GroupFixture turns({3, 1, 2, 1});
    EXPECT_EQ(fixture.sequence(7), turns.sequence(7));
    Servers ring(Balance::hash, true);
    turns.sequence(7);
    EXPECT_EQ(ring.sequence(7), turns.sequence(7));
}

TEST(Ketama, IsNginxs) {
    Servers fixture(Balance::hash, true);
    EXPECT_EQ(of_keys(fixture), "331121111411311223323134311441134142224131131213423131113111");
}

TEST(Ketama, ADownServerMovesNobodyElse) {
    Servers fixture(Balance::hash, true);
    fixture.settings.servers[2].down = true;
    EXPECT_EQ(of_keys(fixture), "241121111411111221222124211441114142224111111211424141112111");
}

TEST(Ketama, OfTenServersOneThatGoesMovesItsOwnKeysOnly) {
    GroupFixture all(std::vector<unsigned>(10, 1), Balance::hash);
    all.settings.hash.consistent = true;
    GroupFixture fewer(std::vector<unsigned>(10, 1), Balance::hash);
    fewer.settings.hash.consistent = true;
    fewer.settings.servers.erase(fewer.settings.servers.begin() + 4);
    int moved = 0;
    constexpr int kKeys = 10'000;
    for (int i = 0; i < kKeys; ++i) {
        all.key = fewer.key = "/item/" + std::to_string(i);
        const int before = all.pick();
        const int after = fewer.pick();
        all.release(before);
        fewer.release(after);
        if (all.peer(static_cast<std::size_t>(before)).address ==
            fewer.peer(static_cast<std::size_t>(after)).address) {
            continue;
        }
        EXPECT_EQ(before, 4);
        ++moved;
    }
    EXPECT_GT(moved, kKeys * 7 / 100);
    EXPECT_LE(moved, kKeys * 13 / 100);
}

TEST(Ketama, AFailedServersKeysGoToTheSameNeighboursAndComeBack) {
    Servers fixture(Balance::hash, true);
    const std::string before = of_keys(fixture);
    fixture.fail(2);
    EXPECT_EQ(of_keys(fixture), "241121111411111221222124211441114142224111111211424141112111");
    fixture.now += fixture.peer(2).fail_timeout + 1;
    fixture.key = "key0";
    EXPECT_EQ(fixture.pick(), 2) << "the trial";
    fixture.release(2);
    fixture.group().report_success(fixture.peer(2));
    EXPECT_EQ(of_keys(fixture), before);
}

// All requests have one key: without the bound all would go to one server.
TEST(BoundedLoad, NobodyGetsMoreThanTheBoundOfItsShare) {
    for (const bool consistent : {false, true}) {
        GroupFixture fixture({1, 1, 1, 1}, Balance::hash);
        fixture.settings.hash.consistent = consistent;
        fixture.settings.hash.bounded_load = 125;
        fixture.key = "hot";
        std::vector<int> held(4);
        for (int i = 0; i < 400; ++i) ++held[static_cast<std::size_t>(fixture.pick())];
        for (const int count : held) {
            EXPECT_LE(count, 125);
            EXPECT_GE(count, 25);
        }
    }
}

TEST(BoundedLoad, AnIdleGroupKeepsEveryKeyWhereItIs) {
    Servers free(Balance::hash, true);
    Servers bounded(Balance::hash, true);
    bounded.settings.hash.bounded_load = 125;
    EXPECT_EQ(of_keys(bounded), of_keys(free));
}

TEST(IpHash, IsNginxs) {
    Servers fixture(Balance::ip_hash);
    EXPECT_EQ(of_v4_clients(fixture),
              "241313131413131314131313141313131213124131131241311312413113");
    EXPECT_EQ(of_v6_clients(fixture), "1111111111111111444444444444444222222222");
}

TEST(IpHash, HashesOnAsNginxWhereAServerIsDown) {
    Servers fixture(Balance::ip_hash);
    fixture.settings.servers[2].down = true;
    EXPECT_EQ(of_v4_clients(fixture),
              "241211141411111214141111141211121211124141141241111112414111");
}

TEST(IpHash, TheNetworkDecides) {
    Servers fixture(Balance::ip_hash);
    const auto of = [&](const std::string& client) {
        fixture.client = client;
        return choice(fixture);
    };
    std::set<char> networks;
    for (int i = 0; i < 200; ++i) {
        const std::string network = "10.1." + std::to_string(i);
        EXPECT_EQ(of(network + ".1"), of(network + ".254"));
        networks.insert(of(network + ".1"));
    }
    EXPECT_EQ(networks.size(), 4U);
    EXPECT_EQ(of("unix:"), of("unix:"));
}

TEST(IpHash, PrefixesAreAsLongAsAsked) {
    Servers fixture(Balance::ip_hash);
    fixture.settings.ip_hash = {.ipv4_prefix = 12, .ipv6_prefix = 44};
    const auto of = [&](const std::string& client) {
        fixture.client = client;
        return choice(fixture);
    };
    std::set<char> v4, v6;
    for (int i = 0; i < 16; ++i) {
        v4.insert(of("10." + std::to_string(16 + i) + ".7.9"));
        char address[40];
        std::snprintf(address, sizeof address, "2001:db8:5%02x%x::1", static_cast<unsigned>(0),
                      static_cast<unsigned>(i));
        v6.insert(of(address));
    }
    EXPECT_EQ(v4.size(), 1U);
    EXPECT_EQ(v6.size(), 1U);
    std::set<char> others;
    for (int i = 0; i < 16; ++i) others.insert(of("10." + std::to_string(16 * i) + ".7.9"));
    EXPECT_GT(others.size(), 1U);
}

TEST(HashedChoice, BackupsTakeOverWhenNoPrimaryCan) {
    for (const Balance balance :
         {Balance::hash, Balance::ip_hash, Balance::random_two, Balance::least_conn}) {
        Servers fixture(balance);
        fixture.settings.servers[3].backup = true;
        EXPECT_EQ(of_keys(fixture, 30).find('4'), std::string::npos);
        for (std::size_t i = 0; i < 3; ++i) fixture.state(i).unhealthy = true;
        EXPECT_EQ(of_keys(fixture, 5), "44444");
    }
}

}  // namespace
}  // namespace proxyd::upstream
