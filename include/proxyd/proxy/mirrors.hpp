#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/upstream/attempt.hpp"

namespace proxyd::proxy {

class Mirror;

/// Of the copies that `mirror` asked for.
struct MirrorCounts {
    std::uint64_t running = 0;
    std::uint64_t sent = 0;      ///< answered in whole, or as far as we listen
    std::uint64_t failed = 0;    ///< no answer, or none in time
    std::uint64_t left_out = 0;  ///< never begun: too many at one time, or a body we do not hold
};

/// The copies of one worker on their way to shadow upstreams. Their parent: a copy outlives the
/// exchange it was made from, but not the worker. Bounded in number, memory and time; what fails is
/// counted and never seen by a client. On the loop's thread; empty before it is destroyed.
class Mirrors {
  public:
    Mirrors(async::Loop& loop, upstream::WorkerPools& pools);
    Mirrors(const Mirrors&) = delete;
    Mirrors& operator=(const Mirrors&) = delete;
    ~Mirrors();

    /// Whether one more, of that size, may begin; counts it when not.
    [[nodiscard]] bool admit(std::size_t bytes);
    void leave_out() noexcept;
    void start(std::unique_ptr<Mirror> mirror);
    [[nodiscard]] MirrorCounts counts() const noexcept;

    /// Called whenever the last one has ended.
    void set_idle_listener(std::function<void()> idle);
    void cancel_all(const Error& why);
    /// The worker drains: what runs then is canceled.
    void end_within(std::chrono::milliseconds limit);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace proxyd::proxy
