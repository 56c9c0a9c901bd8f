#pragma once

#include <cstddef>
#include <utility>

namespace proxyd {

/// A piece of memory for bytes on their way, from a free list of the thread (powers of two from
/// 4 KiB to 256 KiB; larger ones from the heap). Given back when destroyed, on the same thread,
/// and to the system when trim() finds it unused.
class Block {
  public:
    static constexpr std::size_t kSmallest = 4 * 1024;
    static constexpr std::size_t kLargest = 256 * 1024;

    Block() = default;
    /// At least `bytes`.
    explicit Block(std::size_t bytes);
    Block(Block&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Block& operator=(Block&& other) noexcept;
    ~Block() { release(); }

    void release() noexcept;
    /// Gives the memory of this thread's free blocks back that nobody took since the last call.
    static void trim() noexcept;
    [[nodiscard]] char* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    explicit operator bool() const noexcept { return data_ != nullptr; }

  private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace proxyd
