#include <unistd.h>

#include <fstream>

#include "proxyd/net/tls/client_policy.hpp"
#include "support/certificates.hpp"
#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class UpstreamTlsKeys : public testing::Test {
  protected:
    UpstreamTlsKeys() {
        write("cert", pair_.certificate);
        write("key", pair_.key);
        write("other", authority_.issue({}).key);
        write("empty", "");
        write("text", "no certificate");
        const test::Pair weak =
            authority_.issue({.names = {"a"}, .addresses = {}, .curve = "P-192"});
        write("weak", weak.certificate);
        write("weakkey", weak.key);
    }
    ~UpstreamTlsKeys() override {
        for (const auto& path : made_) ::unlink(path.c_str());
    }

    std::string path(const std::string& name) {
        return testing::TempDir() + "proxyd-tls-" + std::to_string(::getpid()) + "." + name;
    }
    void write(const std::string& name, const std::string& text) {
        made_.push_back(path(name));
        std::ofstream(made_.back()) << text;
    }
    static std::string text(const std::string& tls, const std::string& server = "3000") {
        return "upstreams: { x: { servers: [\"" + server + "\"], tls: " + tls + " } }\n";
    }
    std::string error(const std::string& tls, const std::string& server = "3000") {
        const auto lines = errors_of(text(tls, server));
        return lines.size() == 1 ? lines[0] : "?" + std::to_string(lines.size());
    }

    test::Authority authority_{"test"};
    test::Pair pair_ = authority_.issue({.names = {"a"}, .addresses = {}});
    std::vector<std::string> made_;
};

TEST_F(UpstreamTlsKeys, OffOnAndTheAddress) {
    const auto tls_of = [](const std::string& text) {
        return must_load(text)->upstreams.at("x")->tls;
    };
    EXPECT_EQ(tls_of("upstreams: { x: 3000 }\n").policy, nullptr);
    EXPECT_EQ(tls_of(text("off")).policy, nullptr);
    EXPECT_TRUE(tls_of(text("on")).enabled);
    EXPECT_TRUE(tls_of(text("{ verify: on }")).policy->verifies());
    EXPECT_FALSE(tls_of(text("{ verify: off }")).policy->verifies());
    const auto by_address = tls_of("upstreams: { x: [\"https://h:1\", \"http://h:2\"] }\n");
    EXPECT_FALSE(by_address.enabled);
    EXPECT_NE(by_address.policy, nullptr);
}

TEST_F(UpstreamTlsKeys, TheShortForm) {
    const auto snapshot = must_load("hosts: { a: \"https://App.Internal\" }\n");
    const Upstream& upstream = *snapshot->upstreams.at("https://app.internal:443");
    const Server& server = upstream.servers.at(0);
    EXPECT_TRUE(upstream.tls.used_for(server));
    EXPECT_EQ(server.address.port, 443);
    EXPECT_EQ(server.address.name, "app.internal");
    ASSERT_NE(upstream.tls.policy, nullptr);
    EXPECT_TRUE(upstream.tls.policy->verifies());
}

TEST_F(UpstreamTlsKeys, TheSameSettingsAreOnePolicy) {
    const auto snapshot = must_load(
        "upstreams: { x: { servers: [1], tls: on }, y: { servers: [2], tls: on },\n"
        "  z: { servers: [3], tls: { ca: '" +
        path("cert") + "' } } }\n");
    const auto policy = [&](const char* name) { return snapshot->upstreams.at(name)->tls.policy; };
    EXPECT_EQ(policy("x"), policy("y"));
    EXPECT_NE(policy("x")->id(), policy("z")->id());
}

TEST_F(UpstreamTlsKeys, FilesThatAreRefused) {
    const auto pair = [&](const std::string& certificate, const std::string& key) {
        return error("{ certificate: '" + path(certificate) + "', key: '" + path(key) + "' }");
    };
    EXPECT_THAT(error("{ ca: '" + path("none") + "' }"), HasSubstr("No such file"));
    EXPECT_THAT(error("{ ca: '" + path("empty") + "' }"), HasSubstr("is empty"));
    EXPECT_THAT(error("{ ca: '" + path("text") + "' }"), HasSubstr("no certificate"));
    EXPECT_THAT(pair("text", "key"), HasSubstr("no certificate"));
    EXPECT_THAT(pair("cert", "text"), HasSubstr("no private key"));
    EXPECT_THAT(pair("weak", "weakkey"), HasSubstr("cannot be used: ee key too small"));
    EXPECT_THAT(pair("cert", "other"), HasSubstr("is not the key of the certificate"));
    EXPECT_THAT(error("{ certificate: '" + path("cert") + "' }"), HasSubstr("needs its 'key'"));
    EXPECT_THAT(error("{ key: '" + path("key") + "' }"), HasSubstr("needs its 'certificate'"));
    must_load(text("{ certificate: '" + path("cert") + "', key: '" + path("key") + "' }"));
    must_load(text("{ certificate: , key: , ca: }"));
}

TEST_F(UpstreamTlsKeys, WordsThatAreRefused) {
    EXPECT_EQ(error("off", "https://h:1"),
              "1:50 tls is off here, but the server 'https://h:1' asks for it | write the server "
              "without https://, or leave 'enabled' out");
    EXPECT_THAT(error("{ server_name: 'https://h' }"), HasSubstr("not a name"));
    EXPECT_THAT(error("{ server_name: $hots }"), HasSubstr("unknown variable"));
    EXPECT_THAT(error("maybe"), HasSubstr("on or off"));
    EXPECT_THAT(errors_of("upstreams: { x: { servers: [1], proxy_protocol: v3 } }\n"),
                ElementsAre(HasSubstr("wants off, v1 or v2")));
}

TEST_F(UpstreamTlsKeys, ANameNoCertificateHas) {
    const std::string longest(255, 'a');
    must_load(text("{ server_name: " + longest + " }"));
    EXPECT_THAT(error("{ server_name: " + longest + "a }"),
                HasSubstr("is not a name that a certificate has"));
}

}  // namespace
}  // namespace proxyd::config
