#include "proxyd/net/tls/client_policy.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

namespace proxyd::net::tls {
namespace {

using Part = PolicyProblem::Part;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio reader_of(const std::string& pem) {
    return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

/// Instead of a question on the terminal.
int no_password(char*, int, int, void*) {
    return 0;
}

std::string last_reason() {
    const char* text = ERR_reason_error_string(ERR_peek_last_error());
    return text != nullptr ? text : "unknown format";
}

/// Every certificate of the text, at the end of `into`, whose owner frees them. Otherwise why not.
std::string read_certificates(const std::string& pem, std::vector<X509*>& into) {
    const Bio bio = reader_of(pem);
    ERR_clear_error();
    while (X509* each = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) {
        into.push_back(each);
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        return "certificate " + std::to_string(into.size() + 1) +
               " cannot be read: " + last_reason();
    }
    return into.empty() ? "holds no certificate in PEM form" : std::string();
}

void add_part(EVP_MD_CTX* digest, const std::string& text) {
    const std::uint64_t size = text.size();
    EVP_DigestUpdate(digest, &size, sizeof size);
    EVP_DigestUpdate(digest, text.data(), text.size());
}

}  // namespace

std::string ClientPolicy::id_of(const ClientSettings& settings) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                         &EVP_MD_CTX_free);
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    add_part(digest.get(), settings.verify ? "verify" : "");
    for (const std::string* part : {&settings.ca, &settings.certificate, &settings.key}) {
        add_part(digest.get(), *part);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_DigestFinal_ex(digest.get(), bytes.data(), &size);
    return {reinterpret_cast<const char*>(bytes.data()), 16};
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
    ERR_clear_error();
    const Bio bio = reader_of(settings.key);
    key_ = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
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
