#pragma once

#include <atomic>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace proxyd::cache {

/// How many bytes the entries of a zone, its running fills, and what is still being sent of removed
/// ones may hold together. Shared by every thread; never exceeded.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t limit) noexcept : limit_(limit) {}

    [[nodiscard]] bool take(std::size_t bytes) noexcept {
        std::size_t used = used_.load(std::memory_order_relaxed);
        do {
            if (bytes > limit_ || used > limit_ - bytes) return false;
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    void give_back(std::size_t bytes) noexcept {
        used_.fetch_sub(bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t used() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

  private:
    const std::size_t limit_;
    std::atomic<std::size_t> used_{0};
};
using BudgetPtr = std::shared_ptr<MemoryBudget>;

class Chunk;
using ChunkPtr = boost::intrusive_ptr<const Chunk>;

/// A piece of a body. Filled by its maker, then immutable and shared between threads, the disk and
/// sockets; its bytes are given back to the budget when the last one lets go.
class Chunk {
  public:
    /// Null when the budget has no room for it. `budget` null: not counted (what is read from disk
    /// piece by piece and dropped once it is sent).
    [[nodiscard]] static boost::intrusive_ptr<Chunk> make(BudgetPtr budget, std::size_t capacity);
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;

    [[nodiscard]] const char* begin() const noexcept {
        return reinterpret_cast<const char*>(this + 1);
    }
    [[nodiscard]] std::string_view bytes() const noexcept { return {begin(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    // Only for its maker, before it is shared:
    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }
    void set_size(std::size_t size) noexcept { size_ = size; }
    /// What fitted.
    std::size_t append(std::string_view bytes) noexcept;

  private:
    Chunk(BudgetPtr budget, std::size_t capacity) noexcept
        : budget_(std::move(budget)), capacity_(capacity) {}
    ~Chunk() = default;
    friend void intrusive_ptr_add_ref(const Chunk* chunk) noexcept {
        chunk->references_.fetch_add(1, std::memory_order_relaxed);
    }
    friend void intrusive_ptr_release(const Chunk* chunk) noexcept {
        if (chunk->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(chunk);
    }
    static void destroy(const Chunk* chunk) noexcept;

    BudgetPtr budget_;
    mutable std::atomic<std::uint32_t> references_{0};
    std::size_t size_ = 0;
    const std::size_t capacity_;
};

}  // namespace proxyd::cache
