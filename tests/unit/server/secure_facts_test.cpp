#include "server/secure_facts.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace proxyd::server {
namespace {

net::tls::Agreement agreement(std::shared_ptr<const void> host, std::string name) {
    net::tls::Agreement made;
    made.protocol = "TLSv1.3";
    made.server_name = std::move(name);
    made.host.owner = std::move(host);
    made.host.identity = "one";
    return made;
}

struct SecureFactsTableTest : ::testing::Test {
    const std::shared_ptr<const void> host = std::make_shared<int>(1);
    SecureFactsTable table;
};

TEST_F(SecureFactsTableTest, EqualAgreementsShareOneObject) {
    const SecureFactsPtr first = table.get(agreement(host, "a.example"));
    const SecureFactsPtr second = table.get(agreement(host, "a.example"));
    EXPECT_EQ(first, second);
    EXPECT_EQ(second->facts().server_name, "a.example");
}

TEST_F(SecureFactsTableTest, WhatDiffersIsNotShared) {
    const SecureFactsPtr first = table.get(agreement(host, "a.example"));
    const SecureFactsPtr other_name = table.get(agreement(host, "b.example"));
    const SecureFactsPtr other_generation =
        table.get(agreement(std::make_shared<int>(1), "a.example"));
    auto again = agreement(host, "a.example");
    again.resumed = true;
    const SecureFactsPtr resumed = table.get(std::move(again));
    EXPECT_NE(first, other_name);
    EXPECT_NE(first, other_generation);
    EXPECT_NE(first, resumed);
    EXPECT_TRUE(resumed->facts().session_reused);
    EXPECT_FALSE(first->facts().session_reused);
}

TEST_F(SecureFactsTableTest, AClientsCertificateIsItsOwn) {
    const auto shown = [&] {
        auto made = agreement(host, "a.example");
        made.client = std::make_unique<net::tls::ClientCertificate>();
        made.client_verify = "SUCCESS";
        return made;
    };
    EXPECT_NE(table.get(shown()), table.get(shown()));
}

TEST_F(SecureFactsTableTest, NothingIsKeptLongerThanItsConnections) {
    { const SecureFactsPtr first = table.get(agreement(host, "a.example")); }
    EXPECT_EQ(host.use_count(), 1);
    const SecureFactsPtr later = table.get(agreement(host, "a.example"));
    EXPECT_EQ(later->facts().server_name, "a.example");
}

}  // namespace
}  // namespace proxyd::server
