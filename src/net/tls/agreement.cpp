#include "agreement.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>

namespace proxyd::net::tls {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

/// What `write` writes to a BIO.
template <class Write>
std::string text_of(Write write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    write(bio.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string name_text(const X509_NAME* name) {
    return text_of([&](BIO* bio) { X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253); });
}

std::string time_text(const ASN1_TIME* time) {
    return text_of([&](BIO* bio) { ASN1_TIME_print(bio, time); });
}

std::string fingerprint_of(const X509* certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    X509_digest(certificate, EVP_sha1(), digest.data(), &size);
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += kDigits[digest[i] >> 4U];
        text += kDigits[digest[i] & 15U];
    }
    return text;
}

bool is_unreserved(unsigned char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

std::string percent_encoded(std::string_view plain) {
    constexpr std::string_view kUpper = "0123456789ABCDEF";
    std::string text;
    for (const char c : plain) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_unreserved(byte)) {
            text += c;
        } else {
            text.append({'%', kUpper[byte >> 4U], kUpper[byte & 15U]});
        }
    }
    return text;
}

std::unique_ptr<ClientCertificate> describe(X509* certificate) {
    auto facts = std::make_unique<ClientCertificate>();
    facts->subject = name_text(X509_get_subject_name(certificate));
    facts->issuer = name_text(X509_get_issuer_name(certificate));
    facts->serial =
        text_of([&](BIO* bio) { i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(certificate)); });
    facts->fingerprint = fingerprint_of(certificate);
    facts->not_before = time_text(X509_get0_notBefore(certificate));
    facts->not_after = time_text(X509_get0_notAfter(certificate));
    facts->pem = percent_encoded(text_of([&](BIO* bio) { PEM_write_bio_X509(bio, certificate); }));
    return facts;
}

std::string_view curve_of(SSL* ssl) {
    const auto group = static_cast<int>(SSL_get_negotiated_group(ssl));
    const char* const name = group > 0 ? OBJ_nid2sn(group) : nullptr;
    return name != nullptr ? name : "";
}

void describe_client(SSL* ssl, Agreement& agreement) {
    if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0) return;
    X509* const certificate = SSL_get0_peer_certificate(ssl);
    if (certificate == nullptr) {
        agreement.client_verify = "NONE";
        return;
    }
    const long verdict = SSL_get_verify_result(ssl);
    agreement.client_verify = verdict == X509_V_OK
                                  ? "SUCCESS"
                                  : std::string("FAILED:") + X509_verify_cert_error_string(verdict);
    agreement.client = describe(certificate);
    ERR_clear_error();
}

}  // namespace

std::string_view application_of(const SSL* ssl) {
    const unsigned char* data = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &data, &size);
    if (size == 0) return "";
    return size == 2 ? "h2" : "http/1.1";
}

Agreement agreement_of(SSL* ssl, Hello& hello) {
    Agreement agreement;
    agreement.protocol = SSL_get_version(ssl);
    agreement.cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl));
    agreement.curve = curve_of(ssl);
    agreement.application = application_of(ssl);
    agreement.resumed = SSL_session_reused(ssl) == 1;
    agreement.server_name = std::move(hello.name);
    agreement.host = std::move(hello.host);
    describe_client(ssl, agreement);
    return agreement;
}

}  // namespace proxyd::net::tls
