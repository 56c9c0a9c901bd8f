#include "proxyd/upstream/waiting_line.hpp"

#include <algorithm>

#include "proxyd/async/loop.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {
namespace {

using Waiter = WaitingLine::Waiter;

bool is_particular(const Waiter& waiter) noexcept {
    return waiter.retry || waiter.request.preferred >= 0;
}

/// Whether another place may be one for it than for the others.
bool goes_its_own_way(const Waiter& waiter) noexcept {
    const int home = waiter.request.preferred;
    if (waiter.retry || home < 0) return waiter.retry;
    const PeerState& state = *waiter.group.peers()[static_cast<std::size_t>(home)].state;
    return state.admin.load(std::memory_order_relaxed) == Admin::drain;
}

}  // namespace

WaitingLine::Part& WaitingLine::part_of(const Group& group) {
    const auto found = std::ranges::find(parts_, &group, &Part::group);
    return found != parts_.end() ? *found : parts_.emplace_back(Part{&group});
}

bool WaitingLine::join(std::shared_ptr<Waiter> waiter, std::size_t limit) {
    const std::lock_guard lock(mutex_);
    Waiter& its = *waiter;
    Part& part = part_of(its.group);
    part.particular += is_particular(its) ? 1 : 0;
    its.part_ = &part;
    its.place_ = part.line.insert(part.line.end(), std::move(waiter));
    its.standing_ = true;
    // Before we look for a place once more: who gives one back after that sees it.
    const std::size_t before = size_.fetch_add(1);
    serve_all();
    if (!its.standing_ || before < limit) return true;
    remove(its);
    forget_empty_parts();
    return false;
}

int WaitingLine::leave(Waiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (waiter.standing_) remove(waiter);
    forget_empty_parts();
    return waiter.granted_;
}

void WaitingLine::remove(Waiter& waiter) {
    Part& part = *waiter.part_;
    waiter.standing_ = false;
    part.particular -= is_particular(waiter) ? 1 : 0;
    part.line.erase(waiter.place_);
    size_.fetch_sub(1);
}

void WaitingLine::forget_empty_parts() {
    parts_.remove_if([](const Part& part) { return part.line.empty(); });
}

void WaitingLine::serve() {
    const std::lock_guard lock(mutex_);
    serve_all();
}

void WaitingLine::serve_all() {
    for (Part& part : parts_) serve(part);
    forget_empty_parts();
}

void WaitingLine::serve(Part& part) {
    bool no_place = false;
    for (auto next = part.line.begin(); next != part.line.end();) {
        if (no_place && part.particular == 0) return;
        const std::shared_ptr<Waiter> waiter = *next++;
        const bool alone = goes_its_own_way(*waiter);
        if ((no_place && !alone) || grant(waiter)) continue;
        no_place = no_place || !alone;
    }
}

/// Takes a place for it, if there is one, and wakes it.
bool WaitingLine::grant(const std::shared_ptr<Waiter>& waiter) {
    PickRequest request = waiter->request;
    request.now = waiter->loop.now();
    const int peer = waiter->group.pick(request);
    if (peer < 0) return false;
    waiter->granted_ = peer;
    remove(*waiter);
    waiter->loop.post([waiter] {
        if (!waiter->gone) waiter->woken.set();
    });
    return true;
}

}  // namespace proxyd::upstream
