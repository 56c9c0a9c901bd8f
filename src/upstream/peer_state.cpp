#include "proxyd/upstream/peer_state.hpp"

#include <algorithm>

#include "proxyd/async/deadline_wheel.hpp"

namespace proxyd::upstream {

PeerState::PeerState(std::size_t id) : id_(id), since_(async::coarse_clock().now()) {}

void PeerState::changed() noexcept {
    since_.store(async::coarse_clock().now(), std::memory_order_relaxed);
}

void PeerState::order(Admin what) noexcept {
    if (admin.exchange(what, std::memory_order_relaxed) != what) changed();
}

void PeerState::set_unhealthy(bool value) noexcept {
    if (unhealthy.exchange(value, std::memory_order_relaxed) != value) changed();
}

void PeerState::note_check(bool passed, std::string_view cause) {
    const std::lock_guard lock(checks_mutex_);
    ++(passed ? checks_.passed : checks_.failed);
    checks_.last = passed ? "passed" : cause;
}

PeerState::Checks PeerState::checks() const {
    const std::lock_guard lock(checks_mutex_);
    return checks_;
}

/// The end of a rest is a change that nobody had to make.
std::int64_t PeerState::since(std::int64_t now) const noexcept {
    const std::int64_t changed_at = since_.load(std::memory_order_relaxed);
    const std::int64_t until = down_until_.load(std::memory_order_relaxed);
    return until <= now ? std::max(changed_at, until) : changed_at;
}

bool PeerState::admit(std::int64_t now, std::int64_t fail_timeout) noexcept {
    std::int64_t until = down_until_.load(std::memory_order_relaxed);
    if (until == 0) return true;
    if (until > now) return false;
    return down_until_.compare_exchange_strong(until, now + fail_timeout,
                                               std::memory_order_relaxed);
}

void PeerState::succeeded() noexcept {
    if (down_until_.load(std::memory_order_relaxed) != 0) end_rest();
}

void PeerState::end_rest() noexcept {
    const bool rested =
        down_until_.exchange(0, std::memory_order_relaxed) > async::coarse_clock().now();
    fails_.store(0, std::memory_order_relaxed);
    if (rested) changed();
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
    if (!on_trial) changed();
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
