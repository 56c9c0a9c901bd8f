#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "proxyd/base/block.hpp"

namespace proxyd::net::tls {

/// Bytes on their way through: in at the end, out at the front; empty, it holds no memory.
class ByteQueue {
  public:
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] char* data() const noexcept { return block_.data() + begin_; }
    void consume(std::size_t bytes) noexcept {
        begin_ += static_cast<std::uint32_t>(bytes);
        release_if_empty();
    }
    /// Room for at least `bytes` more; filled by landed().
    [[nodiscard]] std::span<char> room(std::size_t bytes) {
        if (block_.size() - end_ < bytes) grow(bytes);
        return {block_.data() + end_, block_.size() - end_};
    }
    void landed(std::size_t bytes) noexcept {
        end_ += static_cast<std::uint32_t>(bytes);
        release_if_empty();
    }
    void append(std::string_view bytes) {
        std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
        end_ += static_cast<std::uint32_t>(bytes.size());
    }

  private:
    void grow(std::size_t bytes) {
        Block larger(size() + bytes);
        if (!empty()) std::memcpy(larger.data(), data(), size());
        end_ -= begin_;
        begin_ = 0;
        block_ = std::move(larger);
    }
    void release_if_empty() noexcept {
        if (begin_ != end_) return;
        block_.release();
        begin_ = end_ = 0;
    }

    Block block_;
    std::uint32_t begin_ = 0, end_ = 0;
};

}  // namespace proxyd::net::tls
