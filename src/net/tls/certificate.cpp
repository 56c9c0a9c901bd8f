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

constexpr const char* kSwapped = "are 'certificate' and 'key' swapped?";

PolicyProblem unreadable(int number) {
    return {Part::certificate, "holds certificate " + std::to_string(number) +
                                   ", which cannot be read: " + last_reason()};
}

}  // namespace

std::string Certificate::id_of(const std::string& certificate, const std::string& key) {
    return digest_of({certificate, key});
}

Issuers::~Issuers() {
    for (const auto& [bytes, certificate] : known_) X509_free(certificate);
}

X509* Issuers::share(X509* certificate) {
    if (certificate != nullptr) X509_up_ref(certificate);
    return certificate;
}

Result<std::shared_ptr<const Certificate>, PolicyProblem> Certificate::make(
    const std::string& certificate, const std::string& key, Issuers* issuers) {
    const std::shared_ptr<Certificate> made(new Certificate);
    made->id_ = id_of(certificate, key);
    made->chain_ = sk_X509_new_null();
    Issuers own;
    auto done = made->read_chain(certificate, issuers != nullptr ? *issuers : own);
    if (done) done = made->read_key(key);
    if (done) done = made->check();
    ERR_clear_error();
    if (!done) return std::move(done).error();
    made->not_before_ = unix_time(X509_get0_notBefore(made->leaf_));
    made->not_after_ = unix_time(X509_get0_notAfter(made->leaf_));
    return std::shared_ptr<const Certificate>(made);
}

Result<void, PolicyProblem> Certificate::read_chain(const std::string& pem, Issuers& issuers) {
    bool key = false;
    int number = 0;
    for (const PemBlock& block : read_blocks(pem)) {
        key = key || block.is_private_key();
        if (!block.is_certificate()) continue;
        ++number;
        X509* const next =
            leaf_ == nullptr ? decode_certificate(block)
                             : issuers.get(block.bytes, [&] { return decode_certificate(block); });
        if (next == nullptr) return unreadable(number);
        if (leaf_ == nullptr) {
            leaf_ = next;
        } else {
            sk_X509_push(chain_, next);
        }
    }
    if (ERR_peek_last_error() != 0) return unreadable(number + 1);
    if (leaf_ != nullptr) return {};
    if (key)
        return PolicyProblem{Part::certificate, "holds a private key, no certificate", kSwapped};
    return PolicyProblem{Part::certificate, "holds no certificate in PEM form"};
}

Result<void, PolicyProblem> Certificate::read_key(const std::string& pem) {
    bool certificate = false;
    for (const PemBlock& block : read_blocks(pem)) {
        certificate = certificate || block.is_certificate();
        if (!block.is_private_key()) continue;
        if (block.encrypted) {
            return PolicyProblem{Part::key, "holds a private key that is protected by a password",
                                 "openssl pkey -in FILE -out NEW_FILE takes it away"};
        }
        key_ = decode_private_key(block);
        if (key_ != nullptr) return {};
        return PolicyProblem{Part::key,
                             "holds a private key that cannot be read: " + last_reason()};
    }
    if (certificate) {
        return PolicyProblem{Part::key, "holds a certificate, no private key", kSwapped};
    }
    return PolicyProblem{Part::key, "holds no private key in PEM form"};
}

Result<void, PolicyProblem> Certificate::check() const {
    if (X509_check_private_key(leaf_, key_) != 1) {
        for (int i = 0; i < sk_X509_num(chain_); ++i) {
            if (X509_check_private_key(sk_X509_value(chain_, i), key_) != 1) continue;
            return PolicyProblem{Part::certificate,
                                 "is in the wrong order: certificate " + std::to_string(i + 2) +
                                     " of it is the one of the key",
                                 "the host's own comes first, its issuers behind it"};
        }
        return PolicyProblem{Part::key, "is not the key of the certificate"};
    }
    // Too weak for OpenSSL's security level, say.
    thread_local const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> trial(
        SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    if (SSL_CTX_use_certificate(trial.get(), leaf_) == 1) return {};
    return PolicyProblem{Part::certificate, "cannot be used: " + last_reason()};
}

std::string Certificate::chain_problem() const {
    const X509* below = leaf_;
    for (int i = 0; i < sk_X509_num(chain_); ++i) {
        const X509* const issuer = sk_X509_value(chain_, i);
        if (X509_NAME_cmp(X509_get_issuer_name(below), X509_get_subject_name(issuer)) != 0) {
            return "certificate " + std::to_string(i + 2) +
                   " of it is not the issuer of certificate " + std::to_string(i + 1);
        }
        below = issuer;
    }
    return {};
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

CertificateSlot::CertificateSlot(Set first) : set_(std::make_shared<const Set>(std::move(first))) {}

void CertificateSlot::replace(Set next) {
    auto made = std::make_shared<const Set>(std::move(next));
    const std::lock_guard lock(changing_);
    set_.swap(made);  // the old one goes without the lock
}

}  // namespace proxyd::net::tls
