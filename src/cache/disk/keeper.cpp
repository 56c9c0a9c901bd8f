#include "cache/disk/keeper.hpp"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>

#include "cache/disk/disk_zone.hpp"
#include "cache/disk/scan.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::cache::disk {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTidyEvery{500};
constexpr std::size_t kPlacesAtOnce = 128;

std::int64_t milliseconds_since(Clock::time_point then) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then).count();
}

/// What is wrong is better said at the start than with the first answer.
void look_at_root(DiskZone& zone) {
    if (const int error = zone.tree().make_root(); error != 0) {
        return zone.trouble().write_failed(error);
    }
    // The slash: a file is no directory.
    if (::access((zone.tree().root() + "/").c_str(), R_OK | W_OK | X_OK) != 0) {
        zone.trouble().write_failed(errno);
    }
}

bool scan(DiskZone& zone) {
    const auto begun = Clock::now();
    Scan scan(zone);
    if (!scan.run()) return false;
    zone.loaded();
    if (zone.index().entries() != 0) {
        log::info("cache '{}': {} entries of {} bytes found below {} in {} ms", zone.name(),
                  zone.index().entries(), zone.index().bytes(), zone.tree().root(),
                  milliseconds_since(begun));
    }
    if (scan.foreign() != 0) {
        log::warn(
            "cache '{}': {} files below {} are not of the cache and are left alone, such as "
            "{}",
            zone.name(), scan.foreign(), zone.tree().root(), scan.foreign_path());
    }
    return true;
}

/// Opening is all it takes: what is broken or purged goes.
bool examine(DiskZone& zone) {
    std::vector<Key> keys;
    Index::Position position;
    for (bool more = true; more;) {
        const auto begun = Clock::now();
        keys.clear();
        more = zone.index().walk(position, Candidates::unknown(), kPlacesAtOnce, keys);
        for (const Key& key : keys) zone.examine(key);
        const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(
            Clock::now() - begun + std::chrono::microseconds(500));
        if (zone.ending_within(keys.empty() ? std::chrono::milliseconds(0) : pause)) return false;
    }
    return true;
}

}  // namespace

void keep(DiskZone& zone) {
    ::pthread_setname_np(::pthread_self(), "cache-keeper");
    look_at_root(zone);
    const std::uint64_t purges = zone.log().number();
    if (!scan(zone) || !examine(zone)) return;
    zone.set_examined();
    zone.log().all_walked(purges);
    zone.save_open_purges();
    while (!zone.ending_within(kTidyEvery)) zone.remove_unused();
}

}  // namespace proxyd::cache::disk
