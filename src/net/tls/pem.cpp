#include "pem.hpp"

#include <openssl/bio.h>
#include <openssl/decoder.h>
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

/// Private keys of every type and encoding.
class KeyDecoder {
  public:
    KeyDecoder()
        : decoder_(OSSL_DECODER_CTX_new_for_pkey(&key_, "DER", nullptr, nullptr, EVP_PKEY_KEYPAIR,
                                                 nullptr, nullptr)) {}
    ~KeyDecoder() { OSSL_DECODER_CTX_free(decoder_); }
    KeyDecoder(const KeyDecoder&) = delete;
    KeyDecoder& operator=(const KeyDecoder&) = delete;

    EVP_PKEY* decode(std::string_view text) {
        key_ = nullptr;
        ERR_clear_error();
        const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
        std::size_t size = text.size();
        if (OSSL_DECODER_from_data(decoder_, &bytes, &size) == 1) return key_;
        EVP_PKEY_free(key_);
        return nullptr;
    }

  private:
    EVP_PKEY* key_ = nullptr;
    OSSL_DECODER_CTX* decoder_;
};

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

std::vector<PemBlock> read_blocks(const std::string& pem) {
    std::vector<PemBlock> blocks;
    const Bio bio = reader_of(pem);
    char *name = nullptr, *header = nullptr;
    unsigned char* bytes = nullptr;
    long size = 0;
    ERR_clear_error();
    while (PEM_read_bio(bio.get(), &name, &header, &bytes, &size) == 1) {
        PemBlock& block = blocks.emplace_back();
        block.name = name;
        block.bytes.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        block.encrypted = block.name.starts_with("ENCRYPTED") ||
                          std::string_view(header).find("ENCRYPTED") != std::string_view::npos;
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) ERR_clear_error();
    return blocks;
}

X509* decode_certificate(const PemBlock& block) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(block.bytes.data());
    const auto size = static_cast<long>(block.bytes.size());
    const bool with_trust = block.name.starts_with("TRUSTED");
    return with_trust ? d2i_X509_AUX(nullptr, &bytes, size) : d2i_X509(nullptr, &bytes, size);
}

EVP_PKEY* decode_private_key(const PemBlock& block) {
    thread_local KeyDecoder decoder;
    return decoder.decode(block.bytes);
}

std::string digest_of(std::initializer_list<std::string_view> parts) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                         &EVP_MD_CTX_free);
    // Looked up once: handshakes come here.
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_DigestInit_ex2(digest.get(), sha256, nullptr);
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
