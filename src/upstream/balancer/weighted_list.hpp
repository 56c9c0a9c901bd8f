#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

/// Peers one behind the other, each as long as its weight: maps a number below total() to one.
class WeightedList {
  public:
    WeightedList(std::span<const Peer> peers, std::vector<std::uint16_t> members)
        : members_(std::move(members)) {
        ends_.reserve(members_.size());
        for (const std::uint16_t member : members_) {
            ends_.push_back(total() + peers[member].weight);
        }
    }

    [[nodiscard]] std::uint64_t total() const noexcept { return ends_.empty() ? 0 : ends_.back(); }
    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] std::uint16_t at(std::uint64_t number) const noexcept {
        const auto end = std::ranges::upper_bound(ends_, number);
        return members_[static_cast<std::size_t>(end - ends_.begin())];
    }

  private:
    std::vector<std::uint16_t> members_;
    std::vector<std::uint64_t> ends_;
};

}  // namespace proxyd::upstream
