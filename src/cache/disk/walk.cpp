#include "cache/disk/walk.hpp"

#include <algorithm>

namespace proxyd::cache::disk {
namespace {

/// One of these looks at memory, the other at the disk.
constexpr std::size_t kPlacesAtOnce = 4096;
constexpr std::size_t kFilesAtOnce = 64;

}  // namespace

void Walk::start(std::shared_ptr<Walk> walk) {
    async::Offload& pool = walk->zone_->pool();
    pool.submit_always([walk = std::move(walk)] { walk->step(); });
}

void Walk::step() {
    if (zone_->pool().ending()) return;
    bool more = true;
    if (keys_.empty()) more = zone_->index().walk(position_, wanted_, kPlacesAtOnce, keys_);
    for (std::size_t left = kFilesAtOnce; left != 0 && !keys_.empty(); --left) {
        const Key key = keys_.back();
        keys_.pop_back();
        if (each_(key)) continue;
        keys_.clear();
        return done_();
    }
    if (!more && keys_.empty()) return done_();
    start(shared_from_this());
}

}  // namespace proxyd::cache::disk
