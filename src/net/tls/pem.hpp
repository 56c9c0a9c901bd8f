#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::net::tls {

struct PemBlock {
    std::string name;  ///< "CERTIFICATE", "PRIVATE KEY", ...
    std::string bytes;
    bool encrypted = false;
    [[nodiscard]] bool is_certificate() const noexcept { return name.ends_with("CERTIFICATE"); }
    [[nodiscard]] bool is_private_key() const noexcept { return name.ends_with("PRIVATE KEY"); }
};
/// In order; what cannot be decoded ends the list, last_reason() then tells why.
[[nodiscard]] std::vector<PemBlock> read_blocks(const std::string& pem);
[[nodiscard]] X509* decode_certificate(const PemBlock& block);
/// Null: last_reason() tells why. Ten times as fast as the function that reads PEM: OpenSSL 3.0
/// gathers its decoders anew for each call of that one.
[[nodiscard]] EVP_PKEY* decode_private_key(const PemBlock& block);

/// Every certificate of the text, at the end of `into`, whose owner frees them. Otherwise why not.
[[nodiscard]] std::string read_certificates(const std::string& pem, std::vector<X509*>& into);
/// What OpenSSL says of its last failure.
[[nodiscard]] std::string last_reason();
/// 16 bytes that are the same for the same parts only.
[[nodiscard]] std::string digest_of(std::initializer_list<std::string_view> parts);

}  // namespace proxyd::net::tls
