#include "unit/config/load_support.hpp"

namespace proxyd::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Action& root_action(const Snapshot& snapshot, std::size_t host = 0) {
    return snapshot.hosts.at(host).locations.at(0).action;
}

TEST(Hosts, TheSmallestFile) {
    const auto snapshot = must_load("hosts:\n  app.example.com: 3000\n");
    ASSERT_EQ(snapshot->hosts.size(), 1U);
    const Host& host = snapshot->hosts[0];
    EXPECT_EQ(host.name, "app.example.com");
    EXPECT_THAT(host.names, ElementsAre("app.example.com"));
    EXPECT_THAT(host.listen, IsEmpty());
    ASSERT_EQ(host.locations.size(), 1U);
    EXPECT_EQ(host.locations[0].matcher.text, "/");
    EXPECT_EQ(host.locations[0].action.upstream, "127.0.0.1:3000");
    EXPECT_EQ(host.locations[0].policy, snapshot->default_policy);
    const Upstream& upstream = *snapshot->upstreams.at("127.0.0.1:3000");
    EXPECT_TRUE(upstream.implicit);
    EXPECT_EQ(upstream.keepalive, 32U);
    EXPECT_EQ(upstream.servers.at(0).address.port, 3000);
    EXPECT_EQ(upstream.servers.at(0).max_fails, 3U);
    ASSERT_EQ(snapshot->listeners.size(), 1U);
    EXPECT_EQ(snapshot->listeners[0].name, "http");
    EXPECT_TRUE(snapshot->listeners[0].address.any);
    EXPECT_EQ(snapshot->listeners[0].address.port, 80);
    EXPECT_GE(snapshot->workers, 1U);
}

TEST(Hosts, EveryShorthandOfAnUpstream) {
    const auto snapshot = must_load(
        "upstreams: { app: 9 }\n"
        "hosts: { a: app, b: 3000, c: \"127.0.0.1:3001\", d: \"http://App.internal:3002\",\n"
        "  e: \"unix:/run/x.sock\", f: \"http://h\", g: \"[::1]:5\", h: { upstream: 3000 } }\n");
    const char* names[] = {
        "app",  "127.0.0.1:3000", "127.0.0.1:3001", "app.internal:3002", "unix:/run/x.sock",
        "h:80", "[::1]:5",        "127.0.0.1:3000"};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        EXPECT_EQ(root_action(*snapshot, i).upstream, names[i]);
        EXPECT_TRUE(snapshot->upstreams.contains(names[i]));
    }
    const Address& name = snapshot->upstreams.at("app.internal:3002")->servers[0].address;
    EXPECT_EQ(name.kind, Address::Kind::name);
    EXPECT_EQ(name.name, "app.internal");
    const Address& path = snapshot->upstreams.at("unix:/run/x.sock")->servers[0].address;
    EXPECT_EQ(path.kind, Address::Kind::unix_socket);
    EXPECT_EQ(path.name, "/run/x.sock");
}

TEST(Hosts, UpstreamsThatAreRefused) {
    const auto say = [](const std::string& value) {
        const auto lines = errors_of("hosts: { a: \"" + value + "\" }\n");
        return lines.size() == 1 ? lines[0] : "?" + std::to_string(lines.size());
    };
    EXPECT_THAT(say("http://127.0.0.1:3000/app"), HasSubstr("strip_prefix"));
    EXPECT_THAT(say("http://127.0.0.1:3000/"), HasSubstr("strip_prefix"));
    EXPECT_THAT(say("127.0.0.1:3000/"), HasSubstr("strip_prefix"));
    EXPECT_THAT(say("https://h:1/x"), HasSubstr("strip_prefix"));
    EXPECT_THAT(say("0"), HasSubstr("not a port"));
    EXPECT_THAT(say("65536"), HasSubstr("not a port"));
    EXPECT_THAT(say("h:0"), HasSubstr("no valid port"));
    EXPECT_THAT(say("h:99999"), HasSubstr("no valid port"));
    EXPECT_THAT(say("::1:3000"), HasSubstr("IPv6 address without brackets"));
    EXPECT_THAT(say("unix:x.sock"), HasSubstr("absolute path"));
    EXPECT_THAT(say("ftp://h:1"), HasSubstr("unknown scheme 'ftp'"));
    EXPECT_THAT(say("http://u:p@h:1"), HasSubstr("user name"));
    EXPECT_THAT(say("300.1.1.1:80"), HasSubstr("is not an address"));
    EXPECT_THAT(say("app.internal"), HasSubstr("unknown upstream 'app.internal'"));
    EXPECT_THAT(say(""), HasSubstr("unknown upstream ''"));
}

TEST(Hosts, NamesOfEveryKind) {
    const auto snapshot = must_load(
        "hosts:\n"
        "  App.Example.com.: { upstream: 1, names: [www.example.com, \"*.a.com\", x.*, .b.com, "
        "'~^v\\d+$'] }\n"
        "  \"*\": 2\n"
        "  \"[::1]\": 3\n"
        "  127.0.0.1: 4\n"
        "  ~^api: { upstream: 5, names: z.com }\n");
    EXPECT_THAT(snapshot->hosts[0].names,
                ElementsAre("app.example.com", "www.example.com", "*.a.com", "x.*", "b.com",
                            "*.b.com", "~^v\\d+$"));
    EXPECT_THAT(snapshot->hosts[1].names, ElementsAre("*"));
    EXPECT_THAT(snapshot->hosts[4].names, ElementsAre("~^api", "z.com"));
}

TEST(Hosts, NamesThatAreRefused) {
    EXPECT_THAT(errors_of("hosts: { \"a.com:80\": 1 }"), ElementsAre(HasSubstr("has a port")));
    EXPECT_THAT(errors_of("hosts: { \"http://a.com\": 1 }"), ElementsAre(HasSubstr("is a URL")));
    EXPECT_THAT(errors_of("hosts: { \"a*.com\": 1 }"), ElementsAre(HasSubstr("first or the last")));
    EXPECT_THAT(errors_of("hosts: { \"*.a.*\": 1 }"), ElementsAre(HasSubstr("'*.a.*' is not a")));
    EXPECT_THAT(errors_of("hosts: { \"*.a.com:80\": 1 }"),
                ElementsAre(HasSubstr("'*.a.com:80' has a port")));
    EXPECT_THAT(errors_of("hosts: { \"m\xc3\xbcller.de\": 1 }"), ElementsAre(HasSubstr("xn--")));
    EXPECT_THAT(errors_of("hosts: { \"\": 1 }"), ElementsAre(HasSubstr("needs a name")));
    EXPECT_THAT(errors_of("hosts: { a..b: 1 }"), ElementsAre(HasSubstr("not a host name")));
    EXPECT_THAT(errors_of("hosts: { '~(a': 1 }"),
                ElementsAre(HasSubstr("regular expression is not valid: missing )")));
    EXPECT_THAT(errors_of("hosts: { '~(?=a)': 1 }"), ElementsAre(HasSubstr("lookahead")));
}

TEST(Hosts, ANameGivenTwiceNamesBothPlaces) {
    EXPECT_THAT(errors_of("hosts:\n  a.com: 1\n  b.com: { upstream: 2, names: [A.com] }\n"),
                ElementsAre("3:33 host 'a.com' is given twice | first given at test.yaml:2:3"));
}

TEST(Hosts, AHostWithoutAnActionSaysSo) {
    EXPECT_THAT(errors_of("hosts:\n  a.com: {}\n  b.com:\n"),
                ElementsAre(HasSubstr("2:3 host 'a.com' has no action"),
                            HasSubstr("3:3 host 'b.com' has no action")));
    EXPECT_THAT(errors_of("hosts: { a: { return: 404, upstream: 3 } }"),
                ElementsAre(HasSubstr("exclude each other")));
    EXPECT_THAT(errors_of("hosts: { a: { return: 404, locations: { /: 3 } } }"),
                ElementsAre(HasSubstr("in a host with locations")));
    EXPECT_EQ(root_action(*must_load("hosts: { a: { return: 410 } }")).status, 410);
}

TEST(Hosts, NoHostsAreNoError) {
    EXPECT_THAT(must_load("workers: 1\n")->hosts, IsEmpty());
}

TEST(Hosts, ListenNamesListeners) {
    const auto snapshot = must_load(
        "listeners: { a: \":1\", b: \":2\" }\nhosts: { h: { upstream: 1, listen: [b] } }\n");
    EXPECT_THAT(snapshot->hosts[0].listen, ElementsAre("b"));
    EXPECT_THAT(errors_of("hosts: { h: { upstream: 1, listen: [htpp] } }"),
                ElementsAre("1:37 unknown listener 'htpp' | did you mean 'http'?"));
}

TEST(Hosts, DefaultsMayNameListeners) {
    const auto snapshot = must_load(
        "listeners: { a: \":1\", b: \":2\" }\ndefaults: { upstream: 1, listen: [b] }\n"
        "hosts: { h: {}, i: { listen: a } }\n");
    EXPECT_THAT(snapshot->hosts[0].listen, ElementsAre("b"));
    EXPECT_THAT(snapshot->hosts[1].listen, ElementsAre("a"));
    EXPECT_THAT(errors_of("defaults: { listen: [htpp] }"),
                ElementsAre("1:22 unknown listener 'htpp' | did you mean 'http'?"));
}

TEST(Hosts, DefaultsMayHoldAnAnswer) {
    const auto snapshot = must_load(
        "defaults: { redirect: \"https://new.test$request_uri\" }\n"
        "hosts: { a: {}, b: 4000, c: { return: 410 }, d: { locations: { /: 1 } } }\n");
    EXPECT_EQ(root_action(*snapshot, 0).kind, Action::Kind::redirect);
    EXPECT_EQ(root_action(*snapshot, 0).text.source(), "https://new.test$request_uri");
    EXPECT_EQ(root_action(*snapshot, 1).upstream, "127.0.0.1:4000");
    EXPECT_EQ(root_action(*snapshot, 2).status, 410);
    EXPECT_EQ(root_action(*snapshot, 3).kind, Action::Kind::upstream);
    EXPECT_EQ(root_action(*must_load("defaults: { return: 410 }\nhosts: { a: {} }\n")).status, 410);
    EXPECT_THAT(errors_of("defaults: { return: 410, redirect: /x }\nhosts: { a: {} }\n"),
                ElementsAre(HasSubstr("1:26 'redirect' and 'return' exclude each other")));
    EXPECT_THAT(errors_of("defaults: { upstream: 1, return: 410 }\nhosts: { a: {} }\n"),
                ElementsAre(HasSubstr("1:26 'return' and 'upstream' exclude each other")));
    EXPECT_THAT(errors_of("defaults: { return: 9 }\nhosts: { a: {} }\n"),
                ElementsAre(HasSubstr("'status' must be between 200 and 599")));
    EXPECT_THAT(errors_of("defaults: { upstream: nope }\nhosts: { a: {}, b: {} }\n"),
                ElementsAre(HasSubstr("unknown upstream 'nope'")));
}

TEST(Hosts, DefaultsMayNameAnUpstream) {
    const auto snapshot = must_load("defaults: { upstream: 3000 }\nhosts: { a: {}, b: 4000 }\n");
    EXPECT_EQ(root_action(*snapshot, 0).upstream, "127.0.0.1:3000");
    EXPECT_EQ(root_action(*snapshot, 1).upstream, "127.0.0.1:4000");
}

}  // namespace
}  // namespace proxyd::config
