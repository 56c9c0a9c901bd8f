#pragma once

#include <chrono>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/error.hpp"

namespace proxyd::codec {

/// How long the next bytes of a body may take. One body, one reader.
class BodyTime {
  public:
    explicit BodyTime(Source side) noexcept : side_(side) {}
    /// client.min_rate, bytes/s on top of the limit of each wait; 0 = none.
    void set_min_rate(std::uint64_t rate) noexcept { min_rate_ = rate; }
    /// Of a wait whose own limit is `limit` (0 = none), when so many bytes have come.
    [[nodiscard]] std::chrono::milliseconds patience(std::chrono::milliseconds limit,
                                                     std::uint64_t received) const;
    void waited(async::Milliseconds time) noexcept { waited_ += time; }
    /// The error of a wait that was too long.
    [[nodiscard]] Error late() const;

  private:
    Source side_;
    std::uint64_t min_rate_ = 0;
    async::Milliseconds waited_ = 0;
};

}  // namespace proxyd::codec
