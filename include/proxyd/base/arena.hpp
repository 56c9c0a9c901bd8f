#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace proxyd {

/// Bump allocator for text that lives as long as one exchange. Owned by the exchange, one thread.
/// Views stay valid until reset() or destruction. Never fails but with std::bad_alloc.
class Arena {
  public:
    explicit Arena(std::size_t block_bytes = 2048) : block_bytes_(block_bytes) {}
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    [[nodiscard]] char* allocate(std::size_t bytes) {
        if (bytes > left_) grow(bytes);
        char* place = next_;
        next_ += bytes;
        left_ -= bytes;
        return place;
    }

    [[nodiscard]] std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        char* place = allocate(text.size());
        std::memcpy(place, text.data(), text.size());
        return {place, text.size()};
    }

    /// Forgets everything; keeps the first block for the next exchange.
    void reset() noexcept {
        if (blocks_.size() > 1) blocks_.resize(1);
        next_ = blocks_.empty() ? nullptr : blocks_.front().get();
        left_ = blocks_.empty() ? 0 : first_bytes_;
    }

  private:
    void grow(std::size_t bytes) {
        const std::size_t size = bytes > block_bytes_ ? bytes : block_bytes_;
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
        if (blocks_.size() == 1) first_bytes_ = size;
        next_ = blocks_.back().get();
        left_ = size;
    }

    std::size_t block_bytes_;
    std::size_t first_bytes_ = 0;
    std::vector<std::unique_ptr<char[]>> blocks_;
    char* next_ = nullptr;
    std::size_t left_ = 0;
};

}  // namespace proxyd
