#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::net::tls {

/// Every certificate of the text, at the end of `into`, whose owner frees them. Otherwise why not.
[[nodiscard]] std::string read_certificates(const std::string& pem, std::vector<X509*>& into);
/// Null: no private key without a password; last_reason() tells more.
[[nodiscard]] EVP_PKEY* read_private_key(const std::string& pem);
/// What OpenSSL says of its last failure.
[[nodiscard]] std::string last_reason();
/// 16 bytes that are the same for the same parts only.
[[nodiscard]] std::string digest_of(std::initializer_list<std::string_view> parts);

}  // namespace proxyd::net::tls
