#include "proxyd/upstream/address_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const net::Question kA{"a"};
const net::Question kB{"b"};

net::Target target(const std::string& ip, const std::string& host = "a") {
    return {host, net::Endpoint::tcp(*IpAddress::parse(ip), 0)};
}
net::NameAnswer answer(const std::vector<std::string>& addresses, int ttl = 60) {
    net::NameAnswer result;
    for (const std::string& each : addresses) result.targets.push_back(target(each));
    result.ttl = std::chrono::seconds(ttl);
    return result;
}
net::NameAnswer failure() {
    net::NameAnswer result;
    result.problem = "no answer";
    return result;
}

std::vector<std::string> texts(const AddressBook& book, const net::Question& name) {
    std::vector<std::string> all;
    for (const net::Target& each : book.targets(name)) all.push_back(each.endpoint.ip().text());
    return all;
}

TEST(AddressBook, keeps_the_last_addresses_through_an_outage) {
    AddressBook book;
    EXPECT_THAT(book.record({kA}, {answer({"10.0.0.1"})}, 0).problems, IsEmpty());
    const auto lost = book.record({kA}, {failure()}, 0);
    EXPECT_THAT(lost.problems,
                ElementsAre(HasSubstr("'a' cannot be resolved: no answer; its last addresses")));
    EXPECT_EQ(lost.losses, lost.problems);
    EXPECT_THAT(texts(book, kA), ElementsAre("10.0.0.1"));
    EXPECT_EQ(book.version(), 1U);
    EXPECT_THAT(book.record({kA}, {failure()}, 0).losses, IsEmpty());
    const auto back = book.record({kA}, {answer({"10.0.0.2"})}, 0);
    EXPECT_THAT(back.problems, IsEmpty());
    EXPECT_THAT(back.changes, ElementsAre("'a' resolves now: 10.0.0.2"));
    EXPECT_THAT(texts(book, kA), ElementsAre("10.0.0.2"));
}

TEST(AddressBook, a_name_that_never_resolved_has_no_address) {
    AddressBook book;
    EXPECT_THAT(book.record({kA, kB}, {failure(), answer({"10.0.0.1"})}, 0).problems,
                ElementsAre(HasSubstr("it is down until the name resolves")));
    EXPECT_THAT(texts(book, kA), IsEmpty());
}

TEST(AddressBook, says_what_came_and_went_and_counts_it_once) {
    AddressBook book;
    (void)book.record({kA}, {answer({"10.0.0.1", "10.0.0.2"})}, 0);
    EXPECT_THAT(book.record({kA}, {answer({"10.0.0.1", "10.0.0.2"})}, 0).changes, IsEmpty());
    EXPECT_EQ(book.version(), 1U);
    EXPECT_THAT(book.record({kA}, {answer({"10.0.0.2", "10.0.0.3"})}, 0).changes,
                ElementsAre("'a': 10.0.0.3 came; 10.0.0.1 went"));
    EXPECT_EQ(book.version(), 2U);
}

TEST(AddressBook, a_ttl_has_bounds) {
    AddressBook book;
    const auto due_after = [&](int ttl) {
        (void)book.record({kA}, {answer({"10.0.0.1"}, ttl)}, 5'000);
        return *book.next_due({kA}) - 5'000;
    };
    EXPECT_EQ(due_after(0), 1'000);
    EXPECT_EQ(due_after(30), 30'000);
    EXPECT_EQ(due_after(1'000'000'000), 3'600'000);
}

TEST(AddressBook, failures_are_tried_again_less_and_less_often) {
    AddressBook book;
    std::vector<async::Milliseconds> waits;
    for (int i = 0; i < 6; ++i) {
        (void)book.record({kA}, {failure()}, 100);
        waits.push_back(*book.next_due({kA}) - 100);
    }
    EXPECT_THAT(waits, ElementsAre(1'000, 2'000, 4'000, 8'000, 10'000, 10'000));
    (void)book.record({kA}, {answer({"10.0.0.1"})}, 100);
    (void)book.record({kA}, {failure()}, 100);
    EXPECT_EQ(*book.next_due({kA}), 1'100);
}

TEST(AddressBook, only_what_is_due_is_due) {
    AddressBook book;
    EXPECT_EQ(book.next_due({}), std::nullopt);
    EXPECT_THAT(book.due({kA}, 0), ElementsAre(kA));
    (void)book.record({kA, kB}, {answer({"10.0.0.1"}, 5), answer({"10.0.0.1"}, 9)}, 0);
    EXPECT_EQ(book.next_due({kA, kB}), 5'000);
    EXPECT_THAT(book.due({kA, kB}, 4'999), IsEmpty());
    EXPECT_THAT(book.due({kA, kB}, 5'000), ElementsAre(kA));
    EXPECT_THAT(book.due({kA, kB}, 9'000), ElementsAre(kA, kB));
}

TEST(AddressBook, names_that_fail_hold_up_no_others) {
    AddressBook book;
    (void)book.record({kA, kB}, {failure(), answer({"10.0.0.1"}, 5)}, 0);
    EXPECT_THAT(book.due({kA, kB}, 3'000), ElementsAre(kA));
    EXPECT_THAT(book.due({kA, kB}, 5'000), ElementsAre(kB));
    (void)book.record({kB}, {answer({"10.0.0.1"}, 5)}, 5'000);
    EXPECT_THAT(book.due({kA, kB}, 5'000), ElementsAre(kA));
}

TEST(AddressBook, a_look_up_that_was_stopped_says_nothing) {
    AddressBook book;
    net::NameAnswer stopped = failure();
    stopped.stopped = true;
    EXPECT_THAT(book.record({kA}, {stopped}, 0).problems, IsEmpty());
    EXPECT_THAT(book.due({kA}, 0), ElementsAre(kA));
}

TEST(AddressBook, a_family_without_an_answer_keeps_its_addresses) {
    AddressBook book;
    (void)book.record({kA}, {answer({"10.0.0.1", "fd00::1"})}, 0);
    net::NameAnswer partial = answer({"fd00::2"});
    partial.missing = {{"a", AF_INET}};
    EXPECT_THAT(book.record({kA}, {partial}, 0).changes,
                ElementsAre("'a': fd00::2 came; fd00::1 went"));
    EXPECT_THAT(texts(book, kA), ElementsAre("10.0.0.1", "fd00::2"));
    EXPECT_EQ(*book.next_due({kA}), 10'000);
}

TEST(AddressBook, a_host_of_a_service_without_an_answer_keeps_its_addresses) {
    AddressBook book;
    net::NameAnswer both, one;
    both.targets = {target("10.0.0.1", "h1"), target("10.0.0.2", "h2")};
    one.targets = {target("10.0.0.3", "h1")};
    one.missing = {{"h2", AF_INET}, {"h2", AF_INET6}};
    (void)book.record({kA}, {both}, 0);
    (void)book.record({kA}, {one}, 0);
    EXPECT_THAT(texts(book, kA), ElementsAre("10.0.0.2", "10.0.0.3"));
}

TEST(AddressBook, other_weights_are_a_change) {
    AddressBook book;
    net::NameAnswer heavy = answer({"10.0.0.1"});
    heavy.targets[0].weight = 7;
    (void)book.record({kA}, {answer({"10.0.0.1"})}, 0);
    EXPECT_THAT(book.record({kA}, {heavy}, 0).changes,
                ElementsAre("'a': other priorities or weights"));
    EXPECT_EQ(book.version(), 2U);
}

TEST(AddressBook, forgets_what_is_not_kept) {
    AddressBook book;
    (void)book.record({kA, kB}, {answer({"10.0.0.1"}), answer({"10.0.0.2"})}, 0);
    book.keep_only({kB});
    EXPECT_THAT(texts(book, kA), IsEmpty());
    EXPECT_THAT(texts(book, kB), ElementsAre("10.0.0.2"));
}

TEST(StateRegistry, lets_go_of_what_nobody_uses) {
    StateRegistry registry;
    const auto group = registry.group("app");
    const auto peer = registry.peer("app", "10.0.0.1:80");
    (void)registry.group("old");
    for (int i = 0; i < 100; ++i) (void)registry.peer("old", std::to_string(i));
    registry.forget_unused();
    EXPECT_EQ(registry.size(), 2U);
    EXPECT_EQ(registry.group("app"), group);
    EXPECT_EQ(registry.peer("app", "10.0.0.1:80"), peer);
}

TEST(StateRegistry, numbers_of_peers_that_went_are_given_out_again) {
    StateRegistry registry;
    const auto kept = registry.peer("app", "10.0.0.1:80");
    std::size_t largest = 0;
    for (int i = 0; i < 100; ++i) {
        const auto peer = registry.peer("app", std::to_string(i));
        EXPECT_NE(peer->id(), kept->id());
        largest = std::max(largest, peer->id());
        if (i % 2 == 0) registry.forget_unused();
    }
    EXPECT_LE(largest, 3U);
}

}  // namespace
}  // namespace proxyd::upstream
