#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

namespace proxyd::test {

// A certificate and its key, as PEM texts.
struct Pair {
    std::string certificate;
    std::string key;
};

struct Subject {
    std::vector<std::string> names;      // DNS names
    std::vector<std::string> addresses;  // IP addresses
    long from = -3600;                   // seconds from now
    long until = 90L * 86'400;
    const char* curve = "P-256";
    std::string key = "EC";  // or RSA, ED25519
};

// A certificate authority of a test. Header only: unit tests link no support library.
class Authority {
  public:
    explicit Authority(const std::string& name)
        : key_(EVP_EC_gen("P-256"), &EVP_PKEY_free), certificate_(X509_new(), &X509_free) {
        fill(certificate_.get(), key_.get(), name, {});
        extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
        X509_sign(certificate_.get(), key_.get(), EVP_sha256());
    }

    // What clients trust.
    [[nodiscard]] std::string pem() const { return text_of(certificate_.get()); }
    // Of the authority itself: a self-signed certificate.
    [[nodiscard]] Pair self() const { return {pem(), text_of(key_.get())}; }

    [[nodiscard]] Pair issue(const Subject& subject) const {
        const Key key(key_for(subject), &EVP_PKEY_free);
        const Certificate made(X509_new(), &X509_free);
        fill(made.get(), key.get(), "leaf", subject);
        std::string names;
        for (const auto& name : subject.names) names += ",DNS:" + name;
        for (const auto& address : subject.addresses) names += ",IP:" + address;
        if (!names.empty()) extend(made.get(), NID_subject_alt_name, names.substr(1));
        X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
        X509_sign(made.get(), key_.get(), EVP_sha256());
        return {text_of(made.get()), text_of(key.get())};
    }

  private:
    using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

    static EVP_PKEY* key_for(const Subject& subject) {
        if (subject.key == "RSA") return EVP_RSA_gen(2048);
        if (subject.key != "EC") return EVP_PKEY_Q_keygen(nullptr, nullptr, subject.key.c_str());
        return EVP_EC_gen(subject.curve);
    }

    static void fill(X509* made, EVP_PKEY* key, const std::string& name, const Subject& subject) {
        X509_set_version(made, 2);
        unsigned char serial[8];
        RAND_bytes(serial, sizeof serial);
        BIGNUM* const number = BN_bin2bn(serial, sizeof serial, nullptr);
        BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made));
        BN_free(number);
        X509_gmtime_adj(X509_getm_notBefore(made), subject.from);
        X509_gmtime_adj(X509_getm_notAfter(made), subject.until);
        X509_set_pubkey(made, key);
        X509_NAME* const subject_name = X509_get_subject_name(made);
        X509_NAME_add_entry_by_txt(subject_name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(made, subject_name);
    }

    static void extend(X509* made, int kind, const std::string& value) {
        X509_EXTENSION* const extension =
            X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
        X509_add_ext(made, extension, -1);
        X509_EXTENSION_free(extension);
    }

    static std::string drain(BIO* bio) {
        char* data = nullptr;
        const long size = BIO_get_mem_data(bio, &data);
        std::string text(data, static_cast<std::size_t>(size));
        BIO_free(bio);
        return text;
    }
    static std::string text_of(X509* certificate) {
        BIO* const bio = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(bio, certificate);
        return drain(bio);
    }
    static std::string text_of(EVP_PKEY* key) {
        BIO* const bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
        return drain(bio);
    }

    Key key_;
    Certificate certificate_;
};

}  // namespace proxyd::test
