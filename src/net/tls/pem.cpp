#include "pem.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <memory>

namespace proxyd::net::tls {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Bio reader_of(const std::string& pem) {
    return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

/// Instead of a question on the terminal.
int no_password(char*, int, int, void*) {
    return 0;
}

}  // namespace

std::string last_reason() {
    const char* text = ERR_reason_error_string(ERR_peek_last_error());
    return text != nullptr ? text : "unknown format";
}

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

EVP_PKEY* read_private_key(const std::string& pem) {
    ERR_clear_error();
    const Bio bio = reader_of(pem);
    return PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
}

std::string digest_of(std::initializer_list<std::string_view> parts) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                         &EVP_MD_CTX_free);
    EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
    for (const std::string_view part : parts) {
        const std::uint64_t size = part.size();
        EVP_DigestUpdate(digest.get(), &size, sizeof size);
        EVP_DigestUpdate(digest.get(), part.data(), part.size());
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_DigestFinal_ex(digest.get(), bytes.data(), &size);
    return {reinterpret_cast<const char*>(bytes.data()), 16};
}

}  // namespace proxyd::net::tls
