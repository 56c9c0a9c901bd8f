#include "proxyd/net/tls/client_policy.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

#include "pem.hpp"

namespace proxyd::net::tls {
namespace {

using Part = PolicyProblem::Part;

}  // namespace

std::string ClientPolicy::id_of(const ClientSettings& settings) {
    return digest_of({settings.verify ? "verify" : "", settings.ca, settings.certificate,
                      settings.key});
}

Result<std::shared_ptr<const ClientPolicy>, PolicyProblem> ClientPolicy::make(
    const ClientSettings& settings) {
    const std::shared_ptr<ClientPolicy> policy(new ClientPolicy);
    policy->id_ = id_of(settings);
    policy->verify_ = settings.verify;
    ERR_clear_error();
    if (settings.verify || !settings.ca.empty()) {
        if (auto done = policy->trust(settings.ca); !done) return std::move(done).error();
    }
    if (!settings.certificate.empty()) {
        if (auto done = policy->identify(settings); !done) return std::move(done).error();
    }
    ERR_clear_error();
    return std::shared_ptr<const ClientPolicy>(policy);
}

Result<void, PolicyProblem> ClientPolicy::trust(const std::string& pem) {
    trusted_ = X509_STORE_new();
    if (pem.empty()) {
        if (X509_STORE_set_default_paths(trusted_) == 1) return {};
        return Problem{Part::ca, "the system's trust store cannot be read: " + last_reason()};
    }
    std::vector<X509*> all;
    std::string problem = read_certificates(pem, all);
    for (X509* each : all) {
        X509_STORE_add_cert(trusted_, each);
        X509_free(each);
    }
    if (!problem.empty()) return Problem{Part::ca, std::move(problem)};
    return {};
}

Result<void, PolicyProblem> ClientPolicy::identify(const ClientSettings& settings) {
    std::string problem = read_certificates(settings.certificate, chain_);
    if (!problem.empty()) return Problem{Part::certificate, std::move(problem)};
    key_ = read_private_key(settings.key);
    if (key_ == nullptr) {
        return Problem{Part::key, "holds no private key without a password: " + last_reason()};
    }
    if (X509_check_private_key(chain_.front(), key_) != 1) {
        return Problem{Part::key, "is not the key of the certificate"};
    }
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> trial(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
    if (SSL_CTX_use_certificate(trial.get(), chain_.front()) != 1) {
        return Problem{Part::certificate, "cannot be used: " + last_reason()};
    }
    return {};
}

ClientPolicy::~ClientPolicy() {
    for (X509* each : chain_) X509_free(each);
    EVP_PKEY_free(key_);
    X509_STORE_free(trusted_);
}

bool ClientPolicy::expired() const noexcept {
    return !chain_.empty() && X509_cmp_current_time(X509_get0_notAfter(chain_.front())) < 0;
}

}  // namespace proxyd::net::tls
