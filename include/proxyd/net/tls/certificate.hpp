#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxyd/base/result.hpp"
#include "proxyd/net/tls/policy_problem.hpp"

using EVP_PKEY = struct evp_pkey_st;
using X509 = struct x509_st;
struct stack_st_X509;

namespace proxyd::net::tls {

/// The certificates of authorities by their bytes, so that those of one authority share them.
/// One thread.
class Issuers {
  public:
    Issuers() = default;
    ~Issuers();
    Issuers(const Issuers&) = delete;
    Issuers& operator=(const Issuers&) = delete;
    /// The one that these bytes are, or `make(bytes)`; the caller owns a reference. Null: it
    /// failed.
    template <class Make>
    [[nodiscard]] X509* get(const std::string& bytes, Make&& make) {
        X509*& known = known_[bytes];
        if (known == nullptr) known = make();
        return share(known);
    }

  private:
    static X509* share(X509* certificate);
    std::unordered_map<std::string, X509*> known_;
};

/// A certificate with its chain and its key, found to fit. Immutable, shared by threads.
class Certificate {
  public:
    /// PEM texts; the chain follows the certificate.
    static Result<std::shared_ptr<const Certificate>, PolicyProblem> make(
        const std::string& certificate, const std::string& key, Issuers* issuers = nullptr);
    ~Certificate();
    Certificate(const Certificate&) = delete;
    Certificate& operator=(const Certificate&) = delete;

    /// The same texts have the same one.
    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] static std::string id_of(const std::string& certificate, const std::string& key);
    [[nodiscard]] X509* leaf() const noexcept { return leaf_; }
    /// Without the leaf; never null.
    [[nodiscard]] stack_st_X509* chain() const noexcept { return chain_; }
    [[nodiscard]] EVP_PKEY* key() const noexcept { return key_; }
    /// EVP_PKEY_EC, EVP_PKEY_RSA, ...: a host has at most one of each.
    [[nodiscard]] int key_type() const noexcept;
    /// Unix times.
    [[nodiscard]] std::int64_t not_before() const noexcept { return not_before_; }
    [[nodiscard]] std::int64_t not_after() const noexcept { return not_after_; }
    /// Whether a client that asked for `name` accepts it; "*.x" asks for any name below x.
    [[nodiscard]] bool is_for(std::string_view name) const;
    /// What is odd about the chain; "" = nothing.
    [[nodiscard]] std::string chain_problem() const;

  private:
    Certificate() = default;
    Result<void, PolicyProblem> read_chain(const std::string& pem, Issuers& issuers);
    Result<void, PolicyProblem> read_key(const std::string& pem);
    Result<void, PolicyProblem> check() const;
    std::string id_;
    X509* leaf_ = nullptr;
    stack_st_X509* chain_ = nullptr;
    EVP_PKEY* key_ = nullptr;
    std::int64_t not_before_ = 0, not_after_ = 0;
};

/// What a host shows now: certificates of different key types. Workers read it at each handshake,
/// whoever watches the files replaces it; any thread.
class CertificateSlot {
  public:
    using Set = std::vector<std::shared_ptr<const Certificate>>;
    explicit CertificateSlot(Set first);

    [[nodiscard]] std::shared_ptr<const Set> current() const {
        const std::lock_guard lock(changing_);
        return set_;
    }
    void replace(Set next);

  private:
    /// std::atomic<std::shared_ptr> lets its lock go too early in libstdc++ 12.
    mutable std::mutex changing_;
    std::shared_ptr<const Set> set_;
};

}  // namespace proxyd::net::tls
