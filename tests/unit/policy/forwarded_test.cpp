#include "proxyd/policy/forwarded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/policy/fake_scope.hpp"

namespace proxyd::policy {
namespace {

using ::testing::ElementsAre;
using testing::lines;

ForwardedFacts facts(bool trusted) {
    ForwardedFacts result;
    result.peer = "10.0.0.1";
    result.client = trusted ? "1.1.1.1" : "10.0.0.1";
    result.authority = "App.Example.com:8080";
    result.local_port = 8080;
    result.trusted = trusted;
    return result;
}

TEST(ForwardedFields, AnUntrustedPeersClaimsAreReplaced) {
    http::HeaderMap fields;
    for (const char* name :
         {"X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Forwarded-Port",
          "X-Real-IP", "Forwarded", "X-Forwarded-Prefix", "X-FORWARDED-SSL", "X-Forwarded-For"}) {
        fields.add(name, "forged");
    }
    fields.add("X-Forwarde", "kept");
    Arena arena;
    set_forwarded_fields(fields, facts(false), arena);
    EXPECT_THAT(lines(fields),
                ElementsAre("X-Forwarde: kept", "X-Real-IP: 10.0.0.1", "X-Forwarded-For: 10.0.0.1",
                            "X-Forwarded-Proto: http", "X-Forwarded-Host: app.example.com",
                            "X-Forwarded-Port: 8080", "Via: 1.1 proxyd"));
}

TEST(ForwardedFields, ATrustedPeersWordStands) {
    http::HeaderMap fields;
    fields.add("X-Forwarded-For", "1.1.1.1");
    fields.add("X-Forwarded-Proto", "https");
    fields.add("X-Forwarded-For", "2.2.2.2");
    fields.add("Forwarded", "for=1.1.1.1");
    fields.add("X-Forwarded-Host", "asked.example");
    fields.add("X-Real-IP", "forged");
    fields.add("Via", "1.1 edge");
    Arena arena;
    set_forwarded_fields(fields, facts(true), arena);
    EXPECT_THAT(lines(fields),
                ElementsAre("X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.0.0.1",
                            "X-Forwarded-Proto: https", "Forwarded: for=1.1.1.1",
                            "X-Forwarded-Host: asked.example", "X-Real-IP: 1.1.1.1",
                            "Via: 1.1 edge", "X-Forwarded-Port: 8080", "Forwarded: for=10.0.0.1",
                            "Via: 1.1 proxyd"));
}

TEST(ForwardedFields, AnIpv6PeerStandsInQuotesAndBrackets) {
    http::HeaderMap fields;
    fields.add("Forwarded", "for=1.1.1.1");
    ForwardedFacts trusted = facts(true);
    trusted.peer = "2001:db8::1";
    Arena arena;
    set_forwarded_fields(fields, trusted, arena);
    std::size_t seen = 0;
    for (const http::Field& field : fields) seen += field.value == "for=\"[2001:db8::1]\"" ? 1 : 0;
    EXPECT_EQ(seen, 1U);
}

TEST(ForwardedFields, SaysOnlyWhatIsKnown) {
    http::HeaderMap fields;
    ForwardedFacts unknown = facts(false);
    unknown.peer = unknown.client = "unix:";
    unknown.authority = {};
    unknown.local_port = 0;
    unknown.via = false;
    unknown.scheme = http::Scheme::https;
    Arena arena;
    set_forwarded_fields(fields, unknown, arena);
    EXPECT_THAT(
        lines(fields),
        ElementsAre("X-Real-IP: unix:", "X-Forwarded-For: unix:", "X-Forwarded-Proto: https"));
}

TEST(ForwardedFields, ViaNamesTheVersionThatWasReceived) {
    for (const auto& [version, text] : {std::pair{http::Version::http10, "Via: 1.0 proxyd"},
                                        std::pair{http::Version::http2, "Via: 2 proxyd"}}) {
        http::HeaderMap fields;
        auto received = facts(false);
        received.version = version;
        Arena arena;
        set_forwarded_fields(fields, received, arena);
        EXPECT_EQ(lines(fields).back(), text);
    }
}

TEST(ForwardedFor, OfATrustedPeerWithoutAList) {
    http::HeaderMap fields;
    Arena arena;
    EXPECT_EQ(forwarded_for(fields, facts(true), arena), "10.0.0.1");
    fields.add("X-Forwarded-For", "");
    EXPECT_EQ(forwarded_for(fields, facts(true), arena), "10.0.0.1");
}

}  // namespace
}  // namespace proxyd::policy
