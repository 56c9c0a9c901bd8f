#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxyd/base/result.hpp"
#include "proxyd/net/tls/policy_problem.hpp"

using X509_STORE = struct x509_store_st;
struct stack_st_X509_NAME;

namespace proxyd::net::tls {

enum class ClientVerify : std::uint8_t {
    off,
    optional,  ///< asked for; what it is, is a fact of the connection
    require,   ///< no handshake without a trusted one
};

/// What TLS towards clients is made of, besides certificates.
struct ServerSettings {
    enum class Version : std::uint8_t { tls12, tls13 };
    Version min_version = Version::tls12, max_version = Version::tls13;
    std::string ciphers;       ///< up to TLS 1.2, OpenSSL's notation; "" = kDefaultCiphers
    std::string ciphersuites;  ///< TLS 1.3; "" = kDefaultCiphersuites
    bool prefer_server_ciphers = true;
    std::string client_ca;  ///< PEM; "" = no client certificates
    ClientVerify client_verify = ClientVerify::off;
};

/// Forward secrecy and authenticated encryption only, as Mozilla's intermediate list.
inline constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// The fastest first; whoever has no AES in hardware puts ChaCha20 first and gets it.
inline constexpr const char* kDefaultCiphersuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/// Those settings, found to be good. Immutable, shared by threads, hosts and generations.
class ServerPolicy {
  public:
    static Result<std::shared_ptr<const ServerPolicy>, PolicyProblem> make(ServerSettings settings);
    ~ServerPolicy();
    ServerPolicy(const ServerPolicy&) = delete;
    ServerPolicy& operator=(const ServerPolicy&) = delete;

    /// 16 bytes; the same settings have the same: what was agreed under it may go on under it.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] static std::string id_of(const ServerSettings& settings);
    [[nodiscard]] const ServerSettings& settings() const noexcept { return settings_; }
    /// Words of the lists that OpenSSL passes over in silence, typos most of the time.
    [[nodiscard]] std::vector<std::string> unknown_ciphers() const;
    [[nodiscard]] std::vector<std::string> unknown_ciphersuites() const;
    [[nodiscard]] X509_STORE* trusted() const noexcept { return trusted_; }  ///< null: no client_ca
    /// The names of those authorities, for the client's choice; null: no client_ca.
    [[nodiscard]] stack_st_X509_NAME* authorities() const noexcept { return authorities_; }

  private:
    explicit ServerPolicy(ServerSettings settings);
    Result<void, PolicyProblem> trust();
    Result<void, PolicyProblem> check_ciphers() const;

    const ServerSettings settings_;
    const std::string id_;
    X509_STORE* trusted_ = nullptr;
    stack_st_X509_NAME* authorities_ = nullptr;
};

}  // namespace proxyd::net::tls
