#include "proxyd/upstream/peer_state.hpp"

namespace proxyd::upstream {

bool PeerState::admit(std::int64_t now, std::int64_t fail_timeout) noexcept {
    std::int64_t until = down_until_.load(std::memory_order_relaxed);
    if (until == 0) return true;
    if (until > now) return false;
    return down_until_.compare_exchange_strong(until, now + fail_timeout,
                                               std::memory_order_relaxed);
}

void PeerState::succeeded() noexcept {
    if (down_until_.load(std::memory_order_relaxed) != 0) {
        down_until_.store(0, std::memory_order_relaxed);
        fails_.store(0, std::memory_order_relaxed);
    }
}

bool PeerState::failed(std::int64_t now, unsigned max_fails, std::int64_t fail_timeout,
                       Reason why) {
    failures.fetch_add(1, std::memory_order_relaxed);
    last_failure_.store(why, std::memory_order_relaxed);
    if (max_fails == 0) return false;
    const bool on_trial = down_until_.load(std::memory_order_relaxed) != 0;
    if (now - window_start_.load(std::memory_order_relaxed) > fail_timeout) {
        window_start_.store(now, std::memory_order_relaxed);
        fails_.store(0, std::memory_order_relaxed);
    }
    const unsigned fails = fails_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (fails < max_fails && !on_trial) return false;
    down_until_.store(now + fail_timeout, std::memory_order_relaxed);
    return !on_trial;
}

std::shared_ptr<GroupState> StateRegistry::group(const std::string& upstream) {
    const std::lock_guard lock(mutex_);
    auto& entry = groups_[upstream];
    auto state = entry.lock();
    if (!state) entry = state = std::make_shared<GroupState>();
    return state;
}

std::shared_ptr<PeerState> StateRegistry::peer(const std::string& upstream,
                                               const std::string& address) {
    const std::lock_guard lock(mutex_);
    auto [place, fresh] = peers_.try_emplace(upstream + '\n' + address);
    Known& entry = place->second;
    auto state = entry.state.lock();
    if (!state) {
        if (fresh) entry.id = take_id();
        entry.state = state = std::make_shared<PeerState>(entry.id);
    }
    return state;
}

/// Names bring ever new addresses; the workers' lists of pools must not grow with them.
std::size_t StateRegistry::take_id() {
    if (free_ids_.empty()) return next_id_++;
    const std::size_t id = free_ids_.back();
    free_ids_.pop_back();
    return id;
}

void StateRegistry::forget_unused() {
    const std::lock_guard lock(mutex_);
    std::erase_if(groups_, [](const auto& item) { return item.second.expired(); });
    std::erase_if(peers_, [this](const auto& item) {
        const bool unused = item.second.state.expired();
        if (unused) free_ids_.push_back(item.second.id);
        return unused;
    });
}

std::size_t StateRegistry::size() const {
    const std::lock_guard lock(mutex_);
    return groups_.size() + peers_.size();
}

}  // namespace proxyd::upstream
