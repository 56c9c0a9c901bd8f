#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "proxyd/base/block.hpp"

namespace proxyd::codec::h2 {

/// Bytes that wait to be sent, in one block that grows with them and goes back when they are gone.
class Output {
  public:
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::string_view view() const noexcept {
        return {block_.data() + begin_, size()};
    }

    /// Room for `bytes` behind the end, which moves: the caller fills all of it.
    [[nodiscard]] char* extend(std::size_t bytes) {
        if (block_.size() - end_ < bytes) make_room(bytes);
        end_ += bytes;
        return block_.data() + end_ - bytes;
    }
    void append(std::string_view bytes) {
        if (bytes.empty()) return;
        std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
    }
    void consume(std::size_t bytes) noexcept {
        begin_ += bytes;
        if (begin_ == end_) clear();
    }
    void clear() noexcept {
        block_.release();
        begin_ = end_ = 0;
    }

  private:
    static constexpr std::size_t kBulk = 128 * 1024;

    void make_room(std::size_t bytes) {
        const std::size_t kept = size();
        if (kept + bytes <= block_.size() && begin_ >= kept) {
            std::memcpy(block_.data(), block_.data() + begin_, kept);
        } else {
            // Bodies fill what a wire sends at once: no steps on the way there.
            const std::size_t usual = bytes > Block::kSmallest ? kBulk : Block::kSmallest;
            Block larger(std::max({usual, kept + bytes, 2 * kept}));
            if (kept != 0) std::memcpy(larger.data(), block_.data() + begin_, kept);
            block_ = std::move(larger);
        }
        begin_ = 0;
        end_ = kept;
    }

    Block block_;
    std::size_t begin_ = 0, end_ = 0;
};

}  // namespace proxyd::codec::h2
