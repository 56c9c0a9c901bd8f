#include "proxyd/upstream/waiting_line.hpp"

#include "proxyd/async/loop.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

bool WaitingLine::join(std::shared_ptr<Waiter> waiter, std::size_t limit) {
    const std::lock_guard lock(mutex_);
    if (line_.size() >= limit) return false;
    Waiter& its = *waiter;
    its.place_ = line_.insert(line_.end(), std::move(waiter));
    its.standing_ = true;
    // Before the caller looks for a place once more: who gives one back after that sees it.
    size_.store(line_.size());
    return true;
}

int WaitingLine::leave(Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (waiter.standing_) remove(waiter);
    return waiter.granted_;
}

void WaitingLine::remove(Waiter& waiter) {
    waiter.standing_ = false;
    line_.erase(waiter.place_);
    size_.store(line_.size());
}

void WaitingLine::serve() {
    const std::lock_guard lock(mutex_);
    for (auto next = line_.begin(); next != line_.end();) {
        const std::shared_ptr<Waiter> waiter = *next++;
        PickRequest request = waiter->request;
        request.now = waiter->loop.now();
        const int peer = waiter->group.pick(request);
        if (peer < 0) {
            if (waiter->retry) continue;
            return;
        }
        waiter->granted_ = peer;
        remove(*waiter);
        waiter->loop.post([waiter] {
            if (!waiter->gone) waiter->woken.set();
        });
    }
}

}  // namespace proxyd::upstream
