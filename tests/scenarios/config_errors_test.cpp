// Configurations that are refused: each with exit 78, the place and a word that helps.
#include "support/config_check.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* name;
    std::string yaml;
    std::vector<std::string> says;  // all of these, "LINE:" stands for file:line:
};

void expect_refused(const std::vector<Row>& rows) {
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const auto verdict = check_config(row.yaml);
        EXPECT_EQ(verdict.exit_code, 78) << verdict.text;
        EXPECT_NE(verdict.text.find("error: "), std::string::npos) << verdict.text;
        for (const auto& words : row.says) {
            EXPECT_NE(verdict.text.find(words), std::string::npos)
                << "'" << words << "' is missing in\n"
                << verdict.text;
        }
    }
}

std::string at(int line) {
    return "DIR/proxyd.yaml:" + std::to_string(line) + ":";
}

std::string location(const std::string& keys) {
    return "hosts:\n  a.test:\n    upstream: 3000\n    locations:\n      /: { " + keys + " }\n";
}

TEST(ConfigErrors, YamlThatReadsTwoWays) {
    std::string bomb = "a0: &a0 [x, x]\n";
    for (int level = 1; level < 40; ++level) {
        const auto before = std::to_string(level - 1);
        bomb += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [*a" + before +
                ", *a" + before + "]\n";
    }
    expect_refused({
        {"duplicate key", "hosts:\n  a.test: 3000\nhosts:\n  b.test: 3000\n", {at(3), "hosts"}},
        {"host twice", "hosts:\n  a.test: 3000\n  a.test: 3001\n", {at(3), "a.test"}},
        {"nested duplicate", "hosts:\n  a.test:\n    upstream: 1\n    upstream: 2\n", {at(4)}},
        {"two documents", "hosts: { a.test: 3000 }\n---\nhosts: { b.test: 3000 }\n", {}},
        {"unterminated quote", "hosts:\n  a.test: \"3000\n  b.test: 3001\n", {}},
        {"alias cycle", "hosts: &a\n  a.test: *a\n", {}},
        {"alias bomb", bomb + "hosts: { a.test: 3000 }\n", {}},
        {"merge key", "hosts:\n  a.test: &a { upstream: 3000 }\n  b.test: { <<: *a }\n", {at(3)}},
        {"unquoted star", "hosts:\n  *.x.com: 3000\n", {at(2), "quote"}},
        {"bad UTF-8", "hosts:\n  a.test: { return: { status: 200, body: \"\xff\xfe\" } }\n", {}},
        {"tab indent", "hosts:\n\ta.test: 3000\n", {at(2)}},
        {"a list as the file", "- a\n- b\n", {}},
        {"a scalar as the file", "hello\n", {}},
        {"deep nesting", "hosts: " + std::string(2000, '[') + std::string(2000, ']') + "\n", {}},
    });
}

TEST(ConfigErrors, WrongTypesAndRanges) {
    expect_refused({
        {"hosts is a list", "hosts: [a.test]\n", {at(1)}},
        {"port 0", "hosts: { a.test: 0 }\n", {at(1)}},
        {"port 65536", "hosts: { a.test: 65536 }\n", {at(1)}},
        {"workers 0", "workers: 0\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"workers -1", "workers: -1\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"workers text", "workers: many\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"duration without unit word",
         "shutdown_timeout: 5 apples\nhosts: { a.test: 3000 }\n",
         {at(1)}},
        {"negative duration", "shutdown_timeout: -5s\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"size", location("max_body_size: 10q"), {at(5)}},
        {"size overflow", location("max_body_size: 99999999999999999999g"), {at(5)}},
        {"bool", location("websocket: maybe"), {at(5)}},
        {"list for a scalar", location("max_body_size: [1]"), {at(5)}},
        {"scalar for a map", location("timeouts: 5s"), {at(5)}},
        {"status 99", location("return: 99"), {at(5)}},
        {"status 1000", location("return: 1000"), {at(5)}},
        {"redirect status", location("redirect: { to: /x, status: 200 }"), {at(5)}},
        {"method", location("methods: [\"GE T\"]"), {at(5)}},
        {"path mode", location("path: sideways"), {at(5)}},
        {"field name", location("request_headers: { set: { \"a b\": x } }"), {at(5)}},
        {"weight 0",
         "upstreams:\n  a: { servers: [{ address: \"127.0.0.1:1\", weight: 0 }] }\n"
         "hosts: { a.test: a }\n",
         {at(2)}},
        {"no servers", "upstreams:\n  a: { servers: [] }\nhosts: { a.test: a }\n", {at(2)}},
        {"server without address",
         "upstreams:\n  a: { servers: [{ weight: 1 }] }\n"
         "hosts: { a.test: a }\n",
         {at(2), "address"}},
        {"network", "trusted_proxies: [10.0.0.0/33]\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"no network", "trusted_proxies: [example]\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"listener address",
         "listeners: { http: \"300.1.1.1:80\" }\nhosts: { a.test: 3000 }\n",
         {at(1)}},
        {"listener port", "listeners: { http: \":99999\" }\nhosts: { a.test: 3000 }\n", {at(1)}},
        {"balance word",
         "upstreams:\n  a: { balance: fair, servers: [\"127.0.0.1:1\"] }\n"
         "hosts: { a.test: a }\n",
         {at(2)}},
        {"retry word",
         "upstreams:\n  a: { retry: { on: [sometimes] }, servers: [\"127.0.0.1:1\"] }\n"
         "hosts: { a.test: a }\n",
         {at(2)}},
        {"error page status", location("error_pages: { 700: /x.html }"), {at(5)}},
        {"log format",
         "log: { access: { path: a.log, format: nothing_known } }\n"
         "hosts: { a.test: 3000 }\n",
         {at(1)}},
        {"log level", "log: { error: { level: loud } }\nhosts: { a.test: 3000 }\n", {at(1)}},
    });
}

TEST(ConfigErrors, NamesThatLeadNowhere) {
    expect_refused({
        {"unknown upstream",
         "hosts:\n  a.test: backnd\nupstreams:\n  backend: { servers: "
         "[\"127.0.0.1:1\"] }\n",
         {at(2), "backnd", "backend"}},
        {"unknown variable",
         location("request_headers: { set: { X: $no_such_variable } }"),
         {at(5), "no_such_variable"}},
        {"unknown variable in a map",
         "maps:\n  m: { from: $nope, values: {} }\n"
         "hosts: { a.test: 3000 }\n",
         {at(2), "nope"}},
        {"unknown variable in a format",
         "log: { access: { path: a.log, format: \"$nope\" } }\n"
         "hosts: { a.test: 3000 }\n",
         {at(1), "nope"}},
        {"unknown listener",
         "listeners: { http: \"127.0.0.1:8080\" }\n"
         "hosts:\n  a.test: { listen: [htpp], upstream: 3000 }\n",
         {at(3)}},
        {"unreadable error page", location("error_pages: { 502: DIR/none.html }"), {at(5)}},
    });
}

TEST(ConfigErrors, WhatTwoPlacesSayDifferently) {
    expect_refused({
        {"upstream with a path",
         "hosts:\n  a.test: \"http://127.0.0.1:3000/base\"\n",
         {at(2), "strip_prefix"}},
        {"upstream with a slash",
         "hosts:\n  a.test: \"http://127.0.0.1:3000/\"\n",
         {at(2), "strip_prefix"}},
        {"two actions", location("return: 200, redirect: /x"), {at(5)}},
        {"upstream and return", location("upstream: 3000, return: 200"), {at(5)}},
        {"no action", "hosts:\n  a.test: { websocket: off }\n", {at(2)}},
        {"location without action", "hosts:\n  a.test:\n    locations:\n      /: {}\n", {}},
        {"same location twice by spelling",
         "hosts:\n  a.test:\n    upstream: 3000\n    locations:\n      /a: {}\n      \"/a\": {}\n",
         {at(6)}},
        {"same exact twice",
         "hosts:\n  a.test:\n    upstream: 3000\n    locations:\n"
         "      = /a: {}\n      \"=  /a\": {}\n",
         {at(6)}},
        {"name of two hosts",
         "hosts:\n  a.test: 3000\n  b.test: { names: [A.test], upstream: 1 }\n",
         {at(3), "a.test"}},
        {"address of two listeners",
         "listeners:\n  a: \"127.0.0.1:80\"\n  b: \"127.0.0.1:80\"\n"
         "hosts: { a.test: 3000 }\n",
         {at(3)}},
        {"relative location",
         "hosts:\n  a.test:\n    upstream: 3000\n    locations:\n"
         "      api: {}\n",
         {at(5)}},
        {"version 2", "version: 2\nhosts: { a.test: 3000 }\n", {at(1)}},
    });
}

TEST(ConfigErrors, RegexesThatAreNone) {
    expect_refused({
        {"unbalanced",
         "hosts:\n  a.test:\n    upstream: 1\n    locations:\n      '~ (': {}\n",
         {at(5)}},
        {"lookahead",
         "hosts:\n  a.test:\n    upstream: 1\n    locations:\n"
         "      '~ ^/(?!x)': {}\n",
         {at(5)}},
        {"back reference",
         "hosts:\n  a.test:\n    upstream: 1\n    locations:\n"
         "      '~ (a)\\1': {}\n",
         {at(5)}},
        {"host", "hosts:\n  '~[': 3000\n", {at(2)}},
        {"map",
         "maps:\n  m: { from: $uri, values: { '~(': x } }\nhosts: { a.test: 3000 }\n",
         {at(2)}},
        {"rewrite", location("rewrite: { match: '(', to: /x }"), {at(5)}},
        {"rewrite capture", location("rewrite: { match: '^/(a)', to: '/$2' }"), {at(5)}},
    });
}

}  // namespace
}  // namespace proxyd::test
