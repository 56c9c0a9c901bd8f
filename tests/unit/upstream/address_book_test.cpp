#include "proxyd/upstream/address_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

net::NameAnswer address(std::uint8_t last) {
    return {{net::Endpoint::tcp(IpAddress::v4({10, 0, 0, last}), 0)}, ""};
}
net::NameAnswer failure() { return {{}, "no answer"}; }

std::vector<std::string> texts(const AddressBook& book, const std::string& name) {
    std::vector<std::string> all;
    for (const net::Endpoint& each : book.endpoints(name, 80)) all.push_back(each.text());
    return all;
}

TEST(AddressBook, keeps_the_last_addresses_through_an_outage) {
    AddressBook book;
    EXPECT_THAT(book.record({"a"}, {address(1)}), IsEmpty());
    EXPECT_THAT(book.record({"a"}, {failure()}),
                ElementsAre(HasSubstr("'a' cannot be resolved: no answer; its last addresses")));
    EXPECT_THAT(texts(book, "a"), ElementsAre("10.0.0.1:80"));
    EXPECT_THAT(book.unanswered({"a"}), ElementsAre("a"));
    EXPECT_THAT(book.record({"a"}, {address(2)}), IsEmpty());
    EXPECT_THAT(texts(book, "a"), ElementsAre("10.0.0.2:80"));
    EXPECT_THAT(book.unanswered({"a"}), IsEmpty());
}

TEST(AddressBook, a_name_that_never_resolved_has_no_address) {
    AddressBook book;
    EXPECT_THAT(book.record({"a", "b"}, {failure(), address(1)}),
                ElementsAre(HasSubstr("it is down until the name resolves")));
    EXPECT_THAT(texts(book, "a"), IsEmpty());
    EXPECT_THAT(book.unanswered({"a", "b", "never asked"}), ElementsAre("a", "never asked"));
}

TEST(AddressBook, forgets_what_is_not_kept) {
    AddressBook book;
    (void)book.record({"a", "b"}, {address(1), address(2)});
    book.keep_only({"b"});
    EXPECT_THAT(texts(book, "a"), IsEmpty());
    EXPECT_THAT(texts(book, "b"), ElementsAre("10.0.0.2:80"));
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

}  // namespace
}  // namespace proxyd::upstream
