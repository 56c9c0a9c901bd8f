#include "cache/disk/purge_log.hpp"

#include <algorithm>
#include <chrono>

#include "proxyd/base/log.hpp"

namespace proxyd::cache::disk {
namespace {

Moment wall_clock() noexcept {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Moment PurgeLog::next_moment() const {
    return std::max(wall_clock(), last_ + 1);
}

Moment PurgeLog::now() const {
    const std::lock_guard lock(mutex_);
    return next_moment();
}

Moment PurgeLog::fill_begins() {
    const std::lock_guard lock(mutex_);
    return *fills_.insert(next_moment());
}

void PurgeLog::fill_ends(Moment begun) {
    const std::lock_guard lock(mutex_);
    const auto found = fills_.find(begun);
    const bool oldest = found == fills_.begin();
    fills_.erase(found);
    if (oldest) forget_unneeded();
}

Moment PurgeLog::remove(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (removals_.size() >= kMostRemovals) {
        floor_ = last_;
        forget(last_);
    }
    Removal& removal = removals_[key.low];
    removal.at = last_ = next_moment();
    ++removal.open;
    return last_;
}

void PurgeLog::removed(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = removals_.find(key.low);
    if (found == removals_.end()) return;
    if (found->second.open != 0) --found->second.open;
    if (found->second.open == 0 && (fills_.empty() || found->second.at < *fills_.begin())) {
        removals_.erase(found);
    }
}

PurgeLog::Begun PurgeLog::purge(Selector which) {
    const std::lock_guard lock(mutex_);
    std::erase_if(purges_, [&](const Purge& each) { return each.which == which; });
    if (purges_.size() >= kMostPurges) merge_all();
    last_ = next_moment();
    purges_.push_back({++last_number_, std::move(which), last_, false});
    return {last_number_, last_};
}

void PurgeLog::merge_all() {
    const bool soft =
        std::ranges::all_of(purges_, [](const auto& each) { return each.which.soft; });
    purges_.clear();
    purges_.push_back({++last_number_, Selector{Selector::Kind::all, {}, soft}, last_, false});
    log::warn(
        "more than {} purges wait for their walk over the files; everything is purged instead",
        kMostPurges);
}

void PurgeLog::walked(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    for (Purge& purge : purges_) purge.walked = purge.walked || purge.number == number;
    forget_unneeded();
}

void PurgeLog::all_walked(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    for (Purge& purge : purges_) purge.walked = purge.walked || purge.number <= number;
    forget_unneeded();
}

std::uint64_t PurgeLog::number() const {
    const std::lock_guard lock(mutex_);
    return last_number_;
}

void PurgeLog::restore(OpenPurge purge) {
    const std::lock_guard lock(mutex_);
    last_ = std::max(last_, purge.at);
    purges_.push_back({++last_number_, std::move(purge.which), purge.at, false});
}

std::vector<OpenPurge> PurgeLog::open_purges() const {
    const std::lock_guard lock(mutex_);
    std::vector<OpenPurge> open;
    for (const Purge& purge : purges_) {
        if (!purge.walked) open.push_back({purge.which, purge.at});
    }
    return open;
}

PurgeLog::Finding PurgeLog::find(const StoredHead& head, Moment begun) const {
    const std::lock_guard lock(mutex_);
    return find_locked(head, begun);
}

PurgeLog::Finding PurgeLog::find_fill(const StoredHead& head, Moment begun) const {
    const std::lock_guard lock(mutex_);
    if (begun <= floor_) return {Verdict::gone, floor_};
    return find_locked(head, begun);
}

PurgeLog::Finding PurgeLog::find_locked(const StoredHead& head, Moment begun) const {
    if (const auto found = removals_.find(head.key.low);
        found != removals_.end() && begun <= found->second.at) {
        return {Verdict::gone, found->second.at};
    }
    Finding finding;
    for (const Purge& purge : purges_) {
        if (begun > purge.at || !purge.which.matches(head)) continue;
        if (!purge.which.soft) return {Verdict::gone, purge.at};
        finding = {Verdict::stale, purge.at};
    }
    return finding;
}

/// What came at `until` or before it, but for the removals whose files are still there.
void PurgeLog::forget(Moment until) {
    std::erase_if(removals_, [until](const auto& each) {
        return each.second.open == 0 && each.second.at <= until;
    });
    std::erase_if(purges_, [until](const Purge& each) { return each.walked && each.at <= until; });
}

void PurgeLog::forget_unneeded() {
    if (removals_.empty() && purges_.empty()) return;
    forget(fills_.empty() ? last_ : *fills_.begin() - 1);
}

}  // namespace proxyd::cache::disk
