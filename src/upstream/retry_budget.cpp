#include "proxyd/upstream/retry_budget.hpp"

#include <algorithm>

namespace proxyd::upstream {
namespace {

/// A group that lost peers in a reload may have counted more before than now.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) noexcept {
    return now > before ? now - before : 0;
}

}  // namespace

void RetryBudget::tick(std::uint64_t attempts) noexcept {
    const std::size_t index = oldest_.load(std::memory_order_relaxed);
    marks_[index].requests.store(growth(read(retries_), attempts), std::memory_order_relaxed);
    marks_[index].spent.store(read(spent_), std::memory_order_relaxed);
    oldest_.store((index + 1) % kSeconds, std::memory_order_relaxed);
}

bool RetryBudget::take(std::uint64_t attempts, unsigned percent) noexcept {
    const Mark& then = marks_[oldest_.load(std::memory_order_relaxed)];
    const std::uint64_t requests = growth(read(then.requests), growth(read(retries_), attempts));
    const std::uint64_t allowed = requests * percent / 100 + kFloor;
    const std::uint64_t used =
        growth(read(then.spent), spent_.fetch_add(1, std::memory_order_relaxed));
    if (used < allowed) {
        take_free();
        return true;
    }
    spent_.fetch_sub(1, std::memory_order_relaxed);
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

}  // namespace proxyd::upstream
