#pragma once

#include <functional>
#include <memory>

#include "proxyd/base/error.hpp"

namespace proxyd::proxy {

class CacheFill;

/// The fills of one worker. Their parent: a fill outlives the exchange that began it, but not the
/// worker. On the loop's thread; empty before it is destroyed.
class CacheFills {
  public:
    CacheFills();
    CacheFills(const CacheFills&) = delete;
    CacheFills& operator=(const CacheFills&) = delete;
    ~CacheFills();

    /// Runs it up to its first suspension; it is gone when it has ended.
    void start(std::unique_ptr<CacheFill> fill);
    [[nodiscard]] std::size_t running() const noexcept;
    /// Called whenever the last one has ended.
    void set_idle_listener(std::function<void()> idle);
    void cancel_all(const Error& why);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace proxyd::proxy
