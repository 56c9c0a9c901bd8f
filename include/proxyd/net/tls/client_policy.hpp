#pragma once

#include <memory>
#include <string>

#include "proxyd/base/result.hpp"
#include "proxyd/net/tls/certificate.hpp"

using X509_STORE = struct x509_store_st;

namespace proxyd::net::tls {

/// What TLS towards servers is made of, as PEM texts.
struct ClientSettings {
    bool verify = true;
    std::string ca;                ///< "" = the system's trust store
    std::string certificate, key;  ///< of the client; "" = none. The chain follows the certificate
};

/// Those settings, parsed and found to fit. Immutable, shared by threads and generations.
class ClientPolicy {
  public:
    static Result<std::shared_ptr<const ClientPolicy>, PolicyProblem> make(
        const ClientSettings& settings);
    ~ClientPolicy();
    ClientPolicy(const ClientPolicy&) = delete;
    ClientPolicy& operator=(const ClientPolicy&) = delete;

    /// The same settings have the same one: what was made under it may be used under it.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] static std::string id_of(const ClientSettings& settings);
    [[nodiscard]] bool verifies() const noexcept { return verify_; }
    /// The client's certificate is out of date now.
    [[nodiscard]] bool expired() const noexcept;

    [[nodiscard]] X509_STORE* trusted() const noexcept { return trusted_; }  ///< null: no verify
    /// The client's; null: none.
    [[nodiscard]] const Certificate* certificate() const noexcept { return certificate_.get(); }

  private:
    using Problem = PolicyProblem;
    ClientPolicy() = default;
    Result<void, Problem> trust(const std::string& pem);

    std::string id_;
    bool verify_ = true;
    X509_STORE* trusted_ = nullptr;
    std::shared_ptr<const Certificate> certificate_;
};

}  // namespace proxyd::net::tls
