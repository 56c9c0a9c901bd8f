// Keys of this product that are not built, and words of other products.
#include "support/config_check.hpp"

#include <gtest/gtest.h>

namespace proxyd::test {
namespace {

struct Row {
    const char* key;
    std::string yaml;
};

std::string top(const std::string& text) {
    return text + "\nhosts: { a.test: 3000 }\n";
}

std::string host(const std::string& keys) {
    return "hosts:\n  a.test: { upstream: 3000, " + keys + " }\n";
}

TEST(NotBuiltYet, EveryKeyOfTheContractSaysSo) {
    const Row rows[] = {
        {"temp_path", top("temp_path: /var/cache/x")},
        {"admin", top("admin: { address: \"127.0.0.1:9180\" }")},
        {"rate_limits", top("rate_limits: { l: { rate: 10r/s } }")},
        {"connection_limits", top("connection_limits: { c: {} }")},
        {"acme", top("acme: { email: ops@example.com }")},
        {"tests", top("tests: []")},
        {"tls", host("tls: auto")},
        {"rate_limit", host("rate_limit: l")},
        {"connection_limit", host("connection_limit: { zone: c, max: 1 }")},
        {"access", host("access: { allow: [10.0.0.0/8] }")},
        {"basic_auth", host("basic_auth: { users_file: /etc/x }")},
        {"auth_request", host("auth_request: { upstream: 3001, path: /v }")},
        {"compress", host("compress: [gzip]")},
        {"maintenance", host("maintenance: on")},
        {"jwt", host("jwt: { jwks: /x }")},
        {"root", "hosts:\n  a.test: { root: /var/www }\n"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.yaml);
        const auto verdict = check_config(row.yaml);
        EXPECT_EQ(verdict.exit_code, 78);
        EXPECT_NE(verdict.text.find("not built yet"), std::string::npos) << verdict.text;
        EXPECT_NE(verdict.text.find(row.key), std::string::npos) << verdict.text;
        EXPECT_EQ(verdict.text.find("unknown key"), std::string::npos) << verdict.text;
    }
}

TEST(ForeignWords, AreTranslated) {
    const std::pair<const char*, const char*> rows[] = {
        {"proxy_read_timeout", "proxyd calls this timeouts.read"},
        {"proxy_connect_timeout", "proxyd calls this timeouts.connect"},
        {"proxy_send_timeout", "proxyd calls this timeouts.send"},
        {"client_max_body_size", "proxyd calls this max_body_size"},
        {"proxy_set_header", "proxyd calls this request_headers"},
        {"add_header", "proxyd calls this response_headers"},
        {"proxy_pass", "proxyd calls this upstream"},
        {"limit_req", "proxyd calls this rate_limit"},
        {"reverse_proxy", "proxyd calls this upstream"},
        {"server_name", "proxyd calls this"},
        {"loadBalancer", "proxyd calls this"},
        {"http-request", "proxyd calls this"},
    };
    for (const auto& [word, says] : rows) {
        SCOPED_TRACE(word);
        const auto verdict = check_config(host(std::string(word) + ": 60s"));
        EXPECT_EQ(verdict.exit_code, 78);
        EXPECT_NE(verdict.text.find("DIR/proxyd.yaml:2:29: error: "), std::string::npos)
            << verdict.text;
        EXPECT_NE(verdict.text.find(says), std::string::npos) << verdict.text;
    }
}

TEST(ForeignWords, AtTheTopToo) {
    for (const std::string word : {"server", "worker_processes", "frontend", "backend"}) {
        SCOPED_TRACE(word);
        const auto verdict = check_config(word + ": 1\nhosts: { a.test: 3000 }\n");
        EXPECT_EQ(verdict.exit_code, 78);
        EXPECT_NE(verdict.text.find("proxyd calls this"), std::string::npos) << verdict.text;
    }
}

}  // namespace
}  // namespace proxyd::test
