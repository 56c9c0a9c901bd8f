#include "cache/disk/disk_store.hpp"

#include "cache/disk/reader.hpp"
#include "cache/disk/walk.hpp"
#include "cache/disk/writer.hpp"

namespace proxyd::cache {
namespace disk {

bool DiskStore::may_hold(const Key& key) const noexcept {
    return zone_->loading() || zone_->index().contains(key);
}

Task<std::unique_ptr<StoreReader>> DiskStore::open(async::Loop& loop, const Key& key,
                                                   std::string_view text) {
    if (!may_hold(key)) return Task<std::unique_ptr<StoreReader>>(std::unique_ptr<StoreReader>());
    return open_file(loop, key, std::string(text));
}

Task<std::unique_ptr<StoreReader>> DiskStore::open_file(async::Loop& loop, Key key,
                                                        std::string text) {
    auto work = [zone = zone_, key, text = std::move(text)] {
        return open_entry(*zone, key, text);
    };
    auto entry = co_await zone_->pool().run(loop, std::move(work));
    if (!entry || !*entry) co_return nullptr;
    co_return std::make_unique<Reader>(zone_, loop, std::move(*entry));
}

std::unique_ptr<StoreWriter> DiskStore::write(async::Loop& loop, HeadPtr head,
                                              std::uint64_t expected_size) {
    if (!zone_->trouble().may_write(std::chrono::steady_clock::now())) return nullptr;
    const std::uint64_t limit = zone_->max_size();
    if (limit != 0 && expected_size != UINT64_MAX && expected_size > limit) return nullptr;
    return std::make_unique<Writer>(zone_, loop, std::move(head));
}

/// One that the pool has no room for is dropped: the entry is validated once more.
void DiskStore::update(HeadPtr head) {
    (void)zone_->pool().submit([zone = zone_, head = std::move(head)] { zone->update(*head); });
}

void DiskStore::remove(const Key& key) {
    const Moment at = zone_->log().remove(key);
    const bool known = zone_->index().erase(key);
    if (!known && !zone_->loading()) return zone_->log().removed(key);
    zone_->pool().submit_always([zone = zone_, key, at] {
        zone->remove_file(key, at);
        zone->log().removed(key);
    });
}

void DiskStore::touch(const Key& key) noexcept {
    zone_->index().touch(key, zone_->now());
}

void DiskStore::for_each(std::function<bool(const StoredHead&)> each, std::function<void()> done) {
    auto look = [zone = zone_, each = std::move(each)](const Key& key) {
        EntryFile file;
        return !zone->open(key, nullptr, file) || each(*file.head());
    };
    Walk::start(std::make_shared<Walk>(zone_, Candidates(), std::move(look), std::move(done)));
}

namespace {

/// A purge while it walks.
struct Purging {
    std::shared_ptr<DiskZone> zone;
    Selector which;
    PurgeLog::Begun begun;
    Key own_key;  ///< of kind url: where it lies if nobody configured another key
    std::uint64_t count = 0;
    bool examined;  ///< when it began: then its walk misses nothing
    bool saved = false;

    /// What takes long, or is over only when every file was looked into, must outlive the process.
    void begin() {
        using Kind = Selector::Kind;
        saved = !examined || which.kind == Kind::prefix || which.kind == Kind::all;
        if (saved) zone->save_open_purges();
        if (which.kind == Kind::url && zone->purge(own_key, which, begun.at)) ++count;
    }
    void look_at(const Key& key) {
        if (which.kind == Selector::Kind::url && key == own_key) return;
        if (zone->purge(key, which, begun.at)) ++count;
    }
    void end() {
        if (examined) zone->log().walked(begun.number);
        if (saved) zone->save_open_purges();
    }
};

}  // namespace

void DiskStore::purge(Selector which, std::function<void(std::uint64_t)> done) {
    auto purging = std::make_shared<Purging>();
    purging->zone = zone_;
    purging->examined = zone_->examined();
    purging->begun = zone_->log().purge(which);
    purging->own_key = key_of(which.text);
    const Candidates wanted(which);
    purging->which = std::move(which);
    auto look = [purging](const Key& key) {
        purging->look_at(key);
        return true;
    };
    auto end = [purging, done = std::move(done)] {
        purging->end();
        done(purging->count);
    };
    auto walk = std::make_shared<Walk>(zone_, wanted, std::move(look), std::move(end));
    zone_->pool().submit_always([purging, walk = std::move(walk)]() mutable {
        purging->begin();
        Walk::start(std::move(walk));
    });
}

StoreCounts DiskStore::counts() const noexcept {
    StoreCounts counts;
    counts.entries = zone_->index().entries();
    counts.bytes = zone_->index().bytes();
    counts.max_bytes = zone_->max_size();
    counts.loading = zone_->loading();
    counts.writable = zone_->trouble().writable();
    return counts;
}

}  // namespace disk

DiskStores::DiskStores(unsigned threads) : pool_(threads) {}
DiskStores::~DiskStores() = default;

std::unique_ptr<CacheStore> DiskStores::open(const DiskOptions& options) {
    std::weak_ptr<disk::DiskZone>& place = zones_[options.path];
    auto zone = place.lock();
    if (!zone) zone = std::make_shared<disk::DiskZone>(options, pool_);
    place = zone;
    return std::make_unique<disk::DiskStore>(std::move(zone));
}

void DiskStores::set_limits(const std::string& path, const DiskLimits& limits) {
    const auto found = zones_.find(path);
    const auto zone = found == zones_.end() ? nullptr : found->second.lock();
    if (zone) zone->set_limits(limits);
}

}  // namespace proxyd::cache
