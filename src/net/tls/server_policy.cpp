#include "proxyd/net/tls/server_policy.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "pem.hpp"

namespace proxyd::net::tls {
namespace {

using Part = PolicyProblem::Part;

std::string numbers(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text.append(std::to_string(value)).append(" ");
    return text;
}

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

Context trial_context() {
    return {SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
}

/// Those of the list that `set` refuses when they stand alone. "!X" and its like take away only.
std::vector<std::string> unknown_words(const std::string& list, int (*set)(SSL_CTX*, const char*)) {
    constexpr const char* kSeparators = ":, ;";
    std::vector<std::string> unknown;
    const Context trial = trial_context();
    for (std::size_t start = 0; start < list.size();) {
        const std::size_t end = std::min(list.find_first_of(kSeparators, start), list.size());
        const std::string word = list.substr(start, end - start);
        start = end + 1;
        if (word.empty() || word.find_first_of("!-+@") == 0) continue;
        if (set(trial.get(), word.c_str()) != 1) unknown.push_back(word);
    }
    ERR_clear_error();
    return unknown;
}

}  // namespace

std::string ServerPolicy::id_of(const ServerSettings& settings) {
    const std::string words =
        numbers({static_cast<int>(settings.min_version), static_cast<int>(settings.max_version),
                 static_cast<int>(settings.prefer_server_ciphers),
                 static_cast<int>(settings.client_verify)});
    return digest_of({words, settings.ciphers, settings.ciphersuites, settings.client_ca});
}

ServerPolicy::ServerPolicy(ServerSettings settings)
    : settings_(std::move(settings)), id_(id_of(settings_)) {}

ServerPolicy::~ServerPolicy() {
    X509_STORE_free(trusted_);
    sk_X509_NAME_pop_free(authorities_, X509_NAME_free);
}

Result<std::shared_ptr<const ServerPolicy>, PolicyProblem> ServerPolicy::make(
    ServerSettings settings) {
    const std::shared_ptr<ServerPolicy> policy(new ServerPolicy(std::move(settings)));
    ERR_clear_error();
    if (!policy->settings_.client_ca.empty()) {
        if (auto done = policy->trust(); !done) return std::move(done).error();
    }
    if (auto done = policy->check_ciphers(); !done) return std::move(done).error();
    ERR_clear_error();
    return std::shared_ptr<const ServerPolicy>(policy);
}

Result<void, PolicyProblem> ServerPolicy::trust() {
    trusted_ = X509_STORE_new();
    authorities_ = sk_X509_NAME_new_null();
    std::vector<X509*> all;
    std::string problem = read_certificates(settings_.client_ca, all);
    for (X509* each : all) {
        X509_STORE_add_cert(trusted_, each);
        sk_X509_NAME_push(authorities_, X509_NAME_dup(X509_get_subject_name(each)));
        X509_free(each);
    }
    if (!problem.empty()) return PolicyProblem{Part::ca, std::move(problem)};
    return {};
}

Result<void, PolicyProblem> ServerPolicy::check_ciphers() const {
    const Context trial = trial_context();
    const std::string& ciphers = settings_.ciphers;
    if (!ciphers.empty() && SSL_CTX_set_cipher_list(trial.get(), ciphers.c_str()) != 1) {
        return PolicyProblem{Part::ciphers, "holds no cipher that OpenSSL knows"};
    }
    const std::string& suites = settings_.ciphersuites;
    if (!suites.empty() && SSL_CTX_set_ciphersuites(trial.get(), suites.c_str()) != 1) {
        return PolicyProblem{Part::ciphersuites, "is no list of TLS 1.3 cipher suites"};
    }
    return {};
}

std::vector<std::string> ServerPolicy::unknown_ciphers() const {
    return unknown_words(settings_.ciphers, &SSL_CTX_set_cipher_list);
}

std::vector<std::string> ServerPolicy::unknown_ciphersuites() const {
    return unknown_words(settings_.ciphersuites, &SSL_CTX_set_ciphersuites);
}

}  // namespace proxyd::net::tls
