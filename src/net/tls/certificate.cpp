#include "proxyd/net/tls/certificate.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "pem.hpp"

namespace proxyd::net::tls {
namespace {

using Part = PolicyProblem::Part;

std::int64_t unix_time(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return ::timegm(&parts);
}

}  // namespace

std::string Certificate::id_of(const std::string& certificate, const std::string& key) {
    return digest_of({certificate, key});
}

Result<std::shared_ptr<const Certificate>, PolicyProblem> Certificate::make(
    const std::string& certificate, const std::string& key) {
    const std::shared_ptr<Certificate> made(new Certificate);
    made->id_ = id_of(certificate, key);
    made->chain_ = sk_X509_new_null();
    std::vector<X509*> all;
    std::string problem = read_certificates(certificate, all);
    for (X509* each : all) {
        if (made->leaf_ == nullptr) {
            made->leaf_ = each;
        } else {
            sk_X509_push(made->chain_, each);
        }
    }
    if (!problem.empty()) return PolicyProblem{Part::certificate, std::move(problem)};
    made->key_ = read_private_key(key);
    if (made->key_ == nullptr) {
        problem = "holds no private key without a password: " + last_reason();
        return PolicyProblem{Part::key, std::move(problem)};
    }
    if (X509_check_private_key(made->leaf_, made->key_) != 1) {
        return PolicyProblem{Part::key, "is not the key of the certificate"};
    }
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> trial(SSL_CTX_new(TLS_server_method()),
                                                                  &SSL_CTX_free);
    if (SSL_CTX_use_certificate(trial.get(), made->leaf_) != 1) {
        return PolicyProblem{Part::certificate, "cannot be used: " + last_reason()};
    }
    made->not_before_ = unix_time(X509_get0_notBefore(made->leaf_));
    made->not_after_ = unix_time(X509_get0_notAfter(made->leaf_));
    ERR_clear_error();
    return std::shared_ptr<const Certificate>(made);
}

Certificate::~Certificate() {
    X509_free(leaf_);
    sk_X509_pop_free(chain_, X509_free);
    EVP_PKEY_free(key_);
}

int Certificate::key_type() const noexcept {
    return EVP_PKEY_get_base_id(key_);
}

bool Certificate::is_for(std::string_view name) const {
    std::string asked(name);
    if (asked.starts_with("*.")) asked.replace(0, 1, "any");
    const unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return X509_check_host(leaf_, asked.data(), asked.size(), flags, nullptr) == 1;
}

CertificateSlot::CertificateSlot(Set first)
    : set_(std::make_shared<const Set>(std::move(first))) {}

void CertificateSlot::replace(Set next) {
    set_.store(std::make_shared<const Set>(std::move(next)));
}

}  // namespace proxyd::net::tls
