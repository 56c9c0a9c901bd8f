#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace proxyd::upstream {

/// How many requests of a group may be sent to a second peer: a share of those of the last ten
/// seconds and three a second on top, so that a quiet site can retry. Shared by the workers, which
/// touch it only when something failed; tick() belongs to one thread.
class RetryBudget {
  public:
    /// Once a second; `attempts`: those of all peers of the group since the start, retries too.
    void tick(std::uint64_t attempts) noexcept;
    /// One retry; false = there is nothing left.
    [[nodiscard]] bool take(std::uint64_t attempts, unsigned percent) noexcept;
    /// One that cannot burden a peer, since the one before it got no request: always granted.
    void take_free() noexcept { retries_.fetch_add(1, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t retries() const noexcept { return read(retries_); }
    [[nodiscard]] std::uint64_t refused() const noexcept { return read(refused_); }

  private:
    static constexpr std::size_t kSeconds = 10;
    static constexpr std::uint64_t kFloor = 3 * kSeconds;

    using Number = std::atomic<std::uint64_t>;
    static std::uint64_t read(const Number& number) noexcept {
        return number.load(std::memory_order_relaxed);
    }

    struct Mark {
        Number requests{0}, spent{0};
    };
    std::array<Mark, kSeconds> marks_;  ///< how it stood in each of the last seconds
    std::atomic<std::size_t> oldest_{0};
    Number retries_{0};  ///< all
    Number spent_{0};    ///< those that the share has to cover
    Number refused_{0};
};

}  // namespace proxyd::upstream
