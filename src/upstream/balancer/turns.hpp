#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "candidates.hpp"

namespace proxyd::upstream {

/// The smooth weighted sequence of some peers, one for all workers: a number that everybody counts
/// on. Who may not take its turn is passed over and the number counts on, so that the weights of
/// the others hold.
class Turns {
  public:
    /// `members`: indices into the peers of the group.
    Turns(std::span<const Peer> peers, std::vector<std::uint16_t> members,
          std::atomic<std::uint64_t>& sequence);

    /// Takes a place at the next member that may take the request; -1: none.
    [[nodiscard]] int pick(Candidates& candidates) const noexcept;

    /// The next member for which `fits(index)` holds, and slow start where there is a choice; -1:
    /// none. No place is taken.
    template <class Fits>
    [[nodiscard]] int next(const Candidates& candidates, Fits fits) const noexcept;

    [[nodiscard]] const std::vector<std::uint16_t>& members() const noexcept { return members_; }

  private:
    [[nodiscard]] std::uint16_t at(std::uint64_t turn) const noexcept {
        return order_[turn % order_.size()];
    }
    template <class Fits>
    [[nodiscard]] int pass_over(const Candidates& candidates, Fits fits) const noexcept;

    std::vector<std::uint16_t> members_;
    std::vector<std::uint16_t> order_;
    std::atomic<std::uint64_t>& sequence_;
};

template <class Fits>
int Turns::next(const Candidates& candidates, Fits fits) const noexcept {
    if (order_.empty()) return -1;
    const std::uint64_t turn = sequence_.fetch_add(1, std::memory_order_relaxed);
    const std::uint16_t index = at(turn);
    if (fits(index) && candidates.ripe(index, turn)) return index;
    for (const std::uint16_t member : members_) {
        if (fits(member)) return pass_over(candidates, fits);
    }
    return -1;
}

template <class Fits>
int Turns::pass_over(const Candidates& candidates, Fits fits) const noexcept {
    std::uint64_t from = sequence_.load(std::memory_order_relaxed);
    while (true) {
        const std::uint64_t end = from + order_.size();
        std::uint64_t found = end;  // fits, but slow start had better leave it out
        std::uint64_t turn = from;
        for (; turn != end; ++turn) {
            if (!fits(at(turn))) continue;
            if (candidates.ripe(at(turn), turn)) break;
            if (found == end) found = turn;
        }
        if (turn != end) found = turn;
        if (found == end) return -1;
        if (sequence_.compare_exchange_weak(from, found + 1, std::memory_order_relaxed)) {
            return at(found);
        }
    }
}

}  // namespace proxyd::upstream
