#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace proxyd::cache {

/// What the status header says of a request, by number: proxy::CacheWord has the same order.
inline constexpr std::array<std::string_view, 8> kStatusWords{
    "", "MISS", "HIT", "EXPIRED", "STALE", "UPDATING", "REVALIDATED", "BYPASS"};

/// How often each word was said. Every thread counts on a cache line of its own.
class WordCounts {
  public:
    void count(std::size_t word) noexcept {
        cells_[cell()].counts[word].fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t sum(std::size_t word) const noexcept {
        std::uint64_t sum = 0;
        for (const Cell& each : cells_) sum += each.counts[word].load(std::memory_order_relaxed);
        return sum;
    }

  private:
    struct alignas(64) Cell {
        std::array<std::atomic<std::uint64_t>, kStatusWords.size()> counts{};
    };
    [[nodiscard]] static std::size_t cell() noexcept {
        static std::atomic<std::size_t> threads{0};
        thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
        return mine % kCells;
    }

    static constexpr std::size_t kCells = 64;
    std::array<Cell, kCells> cells_;
};

}  // namespace proxyd::cache
