#include "proxyd/net/tls/client_policy.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <ctime>
#include <memory>

#include "pem.hpp"

namespace proxyd::net::tls {
namespace {

using Part = PolicyProblem::Part;

}  // namespace

std::string ClientPolicy::id_of(const ClientSettings& settings) {
    return digest_of(
        {settings.verify ? "verify" : "", settings.ca, settings.certificate, settings.key});
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
        auto made = Certificate::make(settings.certificate, settings.key);
        if (!made) return std::move(made).error();
        policy->certificate_ = *std::move(made);
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

ClientPolicy::~ClientPolicy() {
    X509_STORE_free(trusted_);
}

bool ClientPolicy::expired() const noexcept {
    return certificate_ != nullptr && certificate_->not_after() <= std::time(nullptr);
}

}  // namespace proxyd::net::tls
