#include "cache/disk/index.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <limits>

namespace proxyd::cache::disk {
namespace {

constexpr std::uint32_t kNone = UINT32_MAX;
constexpr std::uint64_t kPage = 4096;

std::uint32_t short_hash(std::string_view text) noexcept {
    return static_cast<std::uint32_t>(XXH3_64bits(text.data(), text.size()));
}

/// "https://host/"; empty when the text ends before it.
std::string_view origin_of(std::string_view url) noexcept {
    const std::size_t host = url.find("://");
    if (host == std::string_view::npos) return {};
    const std::size_t slash = url.find('/', host + 3);
    return slash == std::string_view::npos ? std::string_view() : url.substr(0, slash + 1);
}

template <class Each>
void for_each_word(std::string_view words, Each&& each) {
    while (!words.empty()) {
        const std::size_t space = std::min(words.find(' '), words.size());
        if (space != 0) each(words.substr(0, space));
        words.remove_prefix(std::min(space + 1, words.size()));
    }
}

/// A count and that many hashes.
using TagList = std::unique_ptr<std::uint32_t[]>;

TagList tag_list(const std::vector<std::uint32_t>& tags) {
    if (tags.empty()) return nullptr;
    TagList list(new std::uint32_t[tags.size() + 1]);
    list[0] = static_cast<std::uint32_t>(tags.size());
    std::ranges::copy(tags, list.get() + 1);
    return list;
}

struct Record {
    Key key;
    TagList tags;
    Tick used = 0;
    std::uint32_t newer = kNone, older = kNone;  ///< in the order of use
    std::uint32_t next = kNone;                  ///< in its bucket, or in the list of free slots
    std::uint32_t pages = 0;
    std::uint32_t url = 0, origin = 0;
    bool live = false, known = false;
};
static_assert(sizeof(Record) <= 64);

}  // namespace

Traits traits_of(const StoredHead& head) {
    Traits traits;
    traits.known = true;
    traits.url = short_hash(head.the_url());
    traits.origin = short_hash(origin_of(head.the_url()));
    for_each_word(head.tags, [&](std::string_view tag) { traits.tags.push_back(short_hash(tag)); });
    return traits;
}

Candidates::Candidates(const Selector& selector) {
    switch (selector.kind) {
        case Selector::Kind::url:
            by_ = By::url;
            hash_ = short_hash(selector.text);
            break;
        case Selector::Kind::tag:
            by_ = By::tag;
            hash_ = short_hash(selector.text);
            break;
        case Selector::Kind::prefix:
            if (const auto origin = origin_of(selector.text); !origin.empty()) {
                by_ = By::origin;
                hash_ = short_hash(origin);
            }
            break;
        case Selector::Kind::all:
            break;
    }
}

Candidates Candidates::unknown() noexcept {
    Candidates candidates;
    candidates.by_ = By::unknown;
    return candidates;
}

bool Candidates::hold(bool known, std::uint32_t url, std::uint32_t origin,
                      const std::uint32_t* tags) const noexcept {
    if (by_ == By::nothing) return true;
    if (by_ == By::unknown) return !known;
    if (by_ == By::origin) return !known || origin == hash_;
    if (by_ == By::url) return known && url == hash_;
    return tags != nullptr && std::find(tags + 1, tags + 1 + tags[0], hash_) != tags + 1 + tags[0];
}

/// A hash table of slots that never move, so that a walk can go on where it stopped, and a list of
/// them in the order of use.
class Index::Shard {
  public:
    mutable std::mutex mutex;
    /// Of the oldest, for a look without the lock; kNoTick: empty.
    static constexpr std::uint64_t kNoTick = UINT64_MAX;
    std::atomic<std::uint64_t> oldest_tick{kNoTick};

    [[nodiscard]] Record& at(std::uint32_t slot) const noexcept {
        return slabs_[slot / kSlab][slot % kSlab];
    }
    [[nodiscard]] std::uint32_t find(const Key& key) const noexcept {
        if (buckets_.empty()) return kNone;
        std::uint32_t slot = buckets_[bucket(key)];
        while (slot != kNone && at(slot).key != key) slot = at(slot).next;
        return slot;
    }
    std::uint32_t insert(const Key& key) {
        if (count_ >= buckets_.size()) grow();
        const std::uint32_t slot = take_slot();
        Record& record = at(slot);
        record.key = key;
        record.live = true;
        record.next = buckets_[bucket(key)];
        buckets_[bucket(key)] = slot;
        ++count_;
        return slot;
    }
    /// It is unlinked from the order already.
    void remove(std::uint32_t slot) noexcept {
        Record& record = at(slot);
        std::uint32_t* link = &buckets_[bucket(record.key)];
        while (*link != slot) link = &at(*link).next;
        *link = record.next;
        record = Record{};
        record.next = free_;
        free_ = slot;
        --count_;
    }

    void link_newest(std::uint32_t slot) noexcept {
        Record& record = at(slot);
        record.older = newest_;
        record.newer = kNone;
        (newest_ == kNone ? oldest_ : at(newest_).newer) = slot;
        newest_ = slot;
        note_oldest();
    }
    void link_oldest(std::uint32_t slot) noexcept {
        Record& record = at(slot);
        record.newer = oldest_;
        record.older = kNone;
        (oldest_ == kNone ? newest_ : at(oldest_).older) = slot;
        oldest_ = slot;
        note_oldest();
    }
    void unlink(std::uint32_t slot) noexcept {
        const Record& record = at(slot);
        (record.newer == kNone ? newest_ : at(record.newer).older) = record.older;
        (record.older == kNone ? oldest_ : at(record.older).newer) = record.newer;
        note_oldest();
    }
    [[nodiscard]] std::uint32_t oldest() const noexcept { return oldest_; }
    [[nodiscard]] std::size_t slots() const noexcept { return used_slots_; }

  private:
    static constexpr std::size_t kSlab = 256;

    [[nodiscard]] std::size_t bucket(const Key& key) const noexcept {
        return key.high & (buckets_.size() - 1);
    }
    std::uint32_t take_slot() {
        if (free_ != kNone) return std::exchange(free_, at(free_).next);
        if (used_slots_ == slabs_.size() * kSlab) {
            slabs_.push_back(std::make_unique<Record[]>(kSlab));
        }
        return static_cast<std::uint32_t>(used_slots_++);
    }
    void grow() {
        buckets_.assign(buckets_.empty() ? 64 : buckets_.size() * 2, kNone);
        for (std::uint32_t slot = 0; slot < used_slots_; ++slot) {
            Record& record = at(slot);
            if (!record.live) continue;
            record.next = buckets_[bucket(record.key)];
            buckets_[bucket(record.key)] = slot;
        }
    }
    void note_oldest() noexcept {
        oldest_tick.store(oldest_ == kNone ? kNoTick : at(oldest_).used, std::memory_order_relaxed);
    }

    std::vector<std::unique_ptr<Record[]>> slabs_;
    std::vector<std::uint32_t> buckets_;
    std::size_t used_slots_ = 0, count_ = 0;
    std::uint32_t free_ = kNone, newest_ = kNone, oldest_ = kNone;
};

Index::Index() : shards_(std::make_unique<std::array<Shard, kShards>>()) {}
Index::~Index() = default;

/// The other end of the key than the one that buckets use.
Index::Shard& Index::shard_of(const Key& key) const noexcept {
    return (*shards_)[(key.low >> 32) % kShards];
}

bool Index::contains(const Key& key) const noexcept {
    const Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    return shard.find(key) != kNone;
}

bool Index::touch(const Key& key, Tick now) noexcept {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const std::uint32_t slot = shard.find(key);
    if (slot == kNone) return false;
    shard.unlink(slot);
    shard.at(slot).used = now;
    shard.link_newest(slot);
    return true;
}

void Index::put(const Key& key, std::uint64_t bytes, const Traits& traits, Tick now) {
    TagList tags = tag_list(traits.tags);
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    std::uint32_t slot = shard.find(key);
    if (slot == kNone) {
        slot = shard.insert(key);
        entries_.fetch_add(1, std::memory_order_relaxed);
    } else {
        give_back(shard.at(slot).pages * kPage);
        shard.unlink(slot);
    }
    Record& record = shard.at(slot);
    record.pages = static_cast<std::uint32_t>(bytes / kPage);
    record.used = now;
    record.url = traits.url;
    record.origin = traits.origin;
    record.known = traits.known;
    record.tags = std::move(tags);
    shard.link_newest(slot);
}

bool Index::add_found(const Key& key, std::uint64_t bytes) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (shard.find(key) != kNone) return false;
    const std::uint32_t slot = shard.insert(key);
    entries_.fetch_add(1, std::memory_order_relaxed);
    take(bytes);
    shard.at(slot).pages = static_cast<std::uint32_t>(bytes / kPage);
    shard.link_oldest(slot);
    return true;
}

void Index::set_traits(const Key& key, const Traits& traits) {
    TagList tags = tag_list(traits.tags);
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const std::uint32_t slot = shard.find(key);
    if (slot == kNone) return;
    Record& record = shard.at(slot);
    record.url = traits.url;
    record.origin = traits.origin;
    record.known = traits.known;
    record.tags = std::move(tags);
}

bool Index::erase(const Key& key) noexcept {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const std::uint32_t slot = shard.find(key);
    if (slot == kNone) return false;
    give_back(shard.at(slot).pages * kPage);
    shard.unlink(slot);
    shard.remove(slot);
    entries_.fetch_sub(1, std::memory_order_relaxed);
    return true;
}

std::optional<Key> Index::pop_oldest() noexcept {
    return pop(std::numeric_limits<Tick>::max());
}

std::optional<Key> Index::pop_older_than(Tick limit) noexcept {
    return limit == 0 ? std::nullopt : pop(limit - 1);
}

std::optional<Key> Index::pop(Tick limit) noexcept {
    // Somebody may be faster at the shard that was chosen; then the choice is made again.
    for (;;) {
        Shard* best = nullptr;
        std::uint64_t best_tick = Shard::kNoTick;
        for (Shard& shard : *shards_) {
            const std::uint64_t tick = shard.oldest_tick.load(std::memory_order_relaxed);
            if (tick < best_tick) best_tick = tick, best = &shard;
        }
        if (best == nullptr || best_tick > limit) return std::nullopt;
        const std::lock_guard lock(best->mutex);
        const std::uint32_t slot = best->oldest();
        if (slot == kNone || best->at(slot).used > limit) continue;
        const Key key = best->at(slot).key;
        give_back(best->at(slot).pages * kPage);
        best->unlink(slot);
        best->remove(slot);
        entries_.fetch_sub(1, std::memory_order_relaxed);
        return key;
    }
}

bool Index::walk(Position& position, const Candidates& wanted, std::size_t limit,
                 std::vector<Key>& keys) const {
    while (position.shard < kShards) {
        const Shard& shard = (*shards_)[position.shard];
        const std::lock_guard lock(shard.mutex);
        const std::size_t end = std::min(shard.slots(), position.slot + limit);
        limit -= end - position.slot;
        for (; position.slot < end; ++position.slot) {
            const Record& record = shard.at(static_cast<std::uint32_t>(position.slot));
            if (record.live &&
                wanted.hold(record.known, record.url, record.origin, record.tags.get())) {
                keys.push_back(record.key);
            }
        }
        if (position.slot < shard.slots()) return true;
        position = {position.shard + 1, 0};
    }
    return false;
}

}  // namespace proxyd::cache::disk
