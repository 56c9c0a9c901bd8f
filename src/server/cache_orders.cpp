#include "cache_orders.hpp"

#include <chrono>
#include <set>
#include <utility>

#include "proxyd/base/log.hpp"

namespace proxyd::server {
namespace {

cache::UnixMilliseconds unix_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string_view kind_word(cache::Selector::Kind kind) {
    switch (kind) {
        case cache::Selector::Kind::url:
            return "URL";
        case cache::Selector::Kind::prefix:
            return "prefix";
        case cache::Selector::Kind::tag:
            return "tag";
        case cache::Selector::Kind::all:
            break;
    }
    return "everything";
}

CacheStatus status_of(const std::string& name, const cache::Zone& zone) {
    const cache::ZoneCounts counts = zone.counts();
    CacheStatus status;
    status.name = name;
    status.entries = counts.entries;
    status.bytes = counts.bytes;
    status.max_bytes = counts.max_bytes;
    status.fills = counts.fills;
    status.removed = counts.removed;
    for (std::size_t i = 1; i < cache::kStatusWords.size(); ++i) {
        status.requests.emplace_back(cache::kStatusWords[i], zone.words().sum(i));
    }
    if (zone.store() == nullptr) return status;
    status.on_disk = true;
    status.disk = zone.store()->counts();
    return status;
}

/// Entries of one zone after the other, without those that were seen in memory already. Threads of
/// the disk add to it, one at a time.
struct Listing : std::enable_shared_from_this<Listing> {
    Listing(async::Loop& its_control, std::size_t its_most, std::function<void(CacheList)> its_done)
        : control(its_control), most(its_most), done(std::move(its_done)) {}

    void add(const std::string& zone, const cache::StoredHead& head, bool memory, bool disk) {
        CacheListed listed;
        listed.zone = zone;
        listed.url = head.the_url();
        listed.status = head.status;
        listed.size = head.body_size;
        listed.age = head.validity.age_at(now);
        listed.fresh_for = head.validity.lifetime - listed.age;
        if (head.validity.expired_at != 0) {
            listed.fresh_for = std::min(listed.fresh_for, head.validity.expired_at - now);
        }
        listed.tags = head.tags;
        listed.memory = memory;
        listed.disk = disk;
        list.entries.push_back(std::move(listed));
    }
    /// False: as many as may be.
    bool look_at(const std::string& zone, const cache::StoredHead& head, bool memory, bool disk) {
        if (head.is_marker()) return true;
        if (memory) seen.insert(head.key);
        if (!memory && seen.contains(head.key)) return true;
        list.more = list.more || list.entries.size() >= most;
        if (!list.more) add(zone, head, memory, disk);
        return !list.more;
    }

    /// On the control loop.
    void next() {
        while (!zones.empty() && !list.more) {
            const auto [name, zone] = std::move(zones.back());
            zones.pop_back();
            seen.clear();
            cache::CacheStore* const store = zone->store();
            zone->for_each([&](const cache::StoredHead& head) {
                return look_at(name, head, true, store != nullptr && store->may_hold(head.key));
            });
            if (store == nullptr || list.more) continue;
            const auto self = shared_from_this();
            return store->for_each(
                [self, name = name](const cache::StoredHead& head) {
                    return self->look_at(name, head, false, true);
                },
                [self, zone = zone] { self->control.post([self, zone] { self->next(); }); });
        }
        std::exchange(done, nullptr)(std::move(list));
    }

    async::Loop& control;
    const std::size_t most;
    std::function<void(CacheList)> done;
    const cache::UnixMilliseconds now = unix_now();
    std::vector<std::pair<std::string, cache::ZonePtr>> zones;  ///< the last one first
    std::set<cache::Key> seen;
    CacheList list;
};

}  // namespace

std::vector<CacheStatus> cache_status(const proxy::Generation& generation) {
    std::vector<CacheStatus> all;
    for (const auto& [name, zone] : generation.zones()) all.push_back(status_of(name, *zone));
    return all;
}

/// The disk first: what is read from it from now on was purged already. The answer comes by way of
/// the loop, so behind what memory says.
void purge_cache(async::Loop& control, const proxy::Generation& generation, const std::string& name,
                 const cache::Selector& which, std::function<void(CachePurged)> done) {
    const auto found = generation.zones().find(name);
    if (found == generation.zones().end()) return done({});
    const cache::ZonePtr zone = found->second;
    const auto purged = std::make_shared<CachePurged>();
    purged->known = true;
    log::info("cache '{}': {} {} is {}purged by order", name, kind_word(which.kind), which.text,
              which.soft ? "softly " : "");
    cache::CacheStore* const store = zone->store();
    if (store == nullptr) {
        purged->memory = zone->purge(which, unix_now());
        return done(*purged);
    }
    // Moved on, not copied: what the caller waits with belongs to the loop.
    auto reached = [&control, zone, purged, done = std::move(done)](std::uint64_t count) mutable {
        control.post([zone = std::move(zone), purged, done = std::move(done), count] {
            purged->disk = count;
            done(*purged);
        });
    };
    store->purge(which, std::move(reached));
    purged->memory = zone->purge(which, unix_now());
}

void list_caches(async::Loop& control, const proxy::Generation& generation, const std::string& name,
                 std::size_t most, std::function<void(CacheList)> done) {
    const auto listing = std::make_shared<Listing>(control, most, std::move(done));
    for (const auto& each : generation.zones()) {
        if (name.empty() || each.first == name) listing->zones.insert(listing->zones.begin(), each);
    }
    listing->next();
}

}  // namespace proxyd::server
