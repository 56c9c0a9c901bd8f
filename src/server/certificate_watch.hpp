#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::server {

/// Looks after the files of the certificates that are served: a renewed pair is read on a thread of
/// its own and shown from then on, without a reload; what cannot be used leaves the old one and is
/// tried again. Tells of certificates that expire. Lives on the control loop.
class CertificateWatch {
  public:
    using UnixTime = std::function<std::int64_t()>;
    explicit CertificateWatch(async::Loop& loop, UnixTime time = {});
    ~CertificateWatch();
    CertificateWatch(const CertificateWatch&) = delete;
    CertificateWatch& operator=(const CertificateWatch&) = delete;

    /// From now on the files of this one instead of those before.
    void watch(std::shared_ptr<const config::Snapshot> snapshot);
    void stop();
    [[nodiscard]] std::vector<CertificateStatus> status() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace proxyd::server
