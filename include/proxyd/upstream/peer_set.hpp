#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace proxyd::upstream {

/// Indices of peers of one group; no allocation for the first 64.
class PeerSet {
  public:
    void insert(std::size_t index) {
        if (index < kInline) {
            first_ |= std::uint64_t{1} << index;
            return;
        }
        if (index - kInline >= others_.size()) others_.resize(index - kInline + 1);
        others_[index - kInline] = true;
    }
    [[nodiscard]] bool contains(std::size_t index) const noexcept {
        if (index < kInline) return (first_ >> index & 1) != 0;
        return index - kInline < others_.size() && others_[index - kInline];
    }

  private:
    static constexpr std::size_t kInline = 64;
    std::uint64_t first_ = 0;
    std::vector<bool> others_;
};

}  // namespace proxyd::upstream
