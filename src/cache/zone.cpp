#include "proxyd/cache/zone.hpp"

#include <algorithm>

#include "proxyd/base/random.hpp"
#include "proxyd/cache/vary.hpp"
#include "shard.hpp"

namespace proxyd::cache {
namespace {

constexpr std::size_t kShards = 64;
/// Of the tables, for each entry: node, bucket.
constexpr std::size_t kTableBytes = 48;
/// How often the second tier hears that an entry is used from memory.
constexpr UnixMilliseconds kTellEvery = 1'000;

}  // namespace

Zone::Zone(ZoneSettings settings, std::unique_ptr<CacheStore> store)
    : settings_(std::move(settings)),
      budget_(std::make_shared<MemoryBudget>(settings_.memory)),
      shards_(std::make_unique<Shard[]>(kShards)),
      store_(std::move(store)) {}

Zone::~Zone() {
    for (std::size_t i = 0; i < kShards; ++i) shards_[i].order.clear();
}

Zone::Shard& Zone::shard_of(const Key& key) const noexcept {
    return shards_[key.high % kShards];
}

std::uint64_t Zone::memory_object_limit() const noexcept {
    return std::min<std::uint64_t>(settings_.max_object_size, settings_.memory / 4);
}

Entry Zone::find(const Key& key, std::string_view text, UnixMilliseconds now) {
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    Node* node = shard.find(key, text);
    if (node == nullptr) return {};
    shard.use(*node, now);
    if (store_ && now - node->told_at >= kTellEvery) {
        node->told_at = now;
        store_->touch(key);
    }
    return node->entry;
}

/// Of one shard: a sixteenth of the memory holds them all.
std::size_t Zone::most_marks() const noexcept {
    return std::max<std::size_t>(16, settings_.memory / 16 / kShards / 96);
}

Zone::Joined Zone::join(const Key& key, std::string_view text, const Ask& ask,
                        UnixMilliseconds now) {
    Joined joined;
    Shard& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (Node* node = shard.find(key, text); node && node->entry.head.get() != ask.known) {
        joined.entry = node->entry;
        return joined;
    }
    const auto running = shard.fills.find(key);
    if (running != shard.fills.end() && !ask.alone) {
        joined.pass = running->second->text() != text;
        if (!joined.pass) {
            joined.fill = running->second;
            joined.fill->note_joined();
        }
        return joined;
    }
    if (ask.min_uses > 1 && ask.known == nullptr) {
        Shard::Mark& mark = shard.mark(key, most_marks(), now);
        mark.until = now + settings_.inactive.count();
        joined.pass = ++mark.uses < ask.min_uses;
    }
    const auto mark = shard.marks.find(key);
    if (mark != shard.marks.end() && mark->second.pass_until > now) joined.pass = true;
    if (joined.pass) return joined;
    joined.fill = new Fill(key, std::string(text), ask.url);
    joined.leads = true;
    if (running == shard.fills.end()) shard.fills.emplace(key, joined.fill);
    return joined;
}

void Zone::end(const Fill& fill, UnixMilliseconds pass_until) {
    Shard& shard = shard_of(fill.key());
    FillPtr gone;
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.fills.find(fill.key());
        found != shard.fills.end() && found->second.get() == &fill) {
        gone = std::move(found->second);
        shard.fills.erase(found);
    }
    if (pass_until == 0) return;
    Shard::Mark& mark = shard.mark(fill.key(), most_marks(), pass_until);
    mark.pass_until = pass_until;
    mark.until = std::max(mark.until, pass_until);
}

bool Zone::evict_oldest() {
    Shard* oldest = nullptr;
    UnixMilliseconds when = INT64_MAX;
    for (std::size_t i = 0; i < kShards; ++i) {
        const UnixMilliseconds used = shards_[i].oldest.load(std::memory_order_relaxed);
        if (used >= when) continue;
        when = used;
        oldest = &shards_[i];
    }
    if (oldest == nullptr) return false;
    Entry gone;
    std::size_t freed = 0;
    {
        const std::lock_guard lock(oldest->mutex);
        if (oldest->order.empty()) return true;
        gone = oldest->erase(oldest->order.back(), freed);
    }
    budget_->give_back(freed);
    removed_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool Zone::make_room(std::size_t bytes) {
    if (bytes > settings_.memory) return false;
    while (!budget_->take(bytes)) {
        if (!evict_oldest()) return false;
    }
    return true;
}

boost::intrusive_ptr<Chunk> Zone::chunk(std::size_t capacity) {
    while (true) {
        auto chunk = Chunk::make(budget_, capacity);
        if (chunk || !evict_oldest()) return chunk;
    }
}

bool Zone::put(const Entry& entry, UnixMilliseconds now) {
    const std::size_t charge =
        entry.head->memory() + sizeof(Node) + kTableBytes +
        (entry.body ? sizeof(StoredBody) + 8 * entry.body->chunks().size() : 0);
    if (!make_room(charge)) return false;
    Shard& shard = shard_of(entry.head->key);
    Entry old;
    std::size_t freed = 0;
    {
        const std::lock_guard lock(shard.mutex);
        old = shard.insert(entry, charge, now, freed);
    }
    budget_->give_back(freed);
    return true;
}

HeadPtr Zone::mark_vary(const Key& key, std::string_view text, std::string_view url,
                        std::string_view names, UnixMilliseconds now) {
    const Entry known = find(key, text, now);
    const bool marked = known && known.head->is_marker();
    if (marked && vary_covers(known.head->vary, names)) return known.head;
    const auto joined = join_vary(marked ? known.head->vary : std::string(), names);
    if (!joined) return nullptr;
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->key = key;
    head->key_text = text;
    head->url = url;
    head->vary = *joined;
    head->salt = random_number();
    head->validity.stored_at = now;
    head->seal();
    Entry marker;
    marker.head = head;
    if (!put(marker, now)) return nullptr;
    if (store_) store_->update(head);
    return head;
}

void Zone::remove(const Key& key) {
    Shard& shard = shard_of(key);
    Entry gone;
    std::size_t freed = 0;
    {
        const std::lock_guard lock(shard.mutex);
        const auto found = shard.entries.find(key);
        if (found != shard.entries.end()) gone = shard.erase(found->second, freed);
        // Who asks from now on must not get what was asked for before.
        if (const auto fill = shard.fills.find(key); fill != shard.fills.end()) {
            fill->second->doom();
            shard.fills.erase(fill);
        }
    }
    budget_->give_back(freed);
    if (store_) store_->remove(key);
}

std::uint64_t Zone::purge(const Selector& which, UnixMilliseconds now) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < kShards; ++i) {
        Shard& shard = shards_[i];
        std::vector<Entry> gone;
        std::size_t freed = 0;
        const std::lock_guard lock(shard.mutex);
        std::vector<Node*> meant;
        for (auto& [key, node] : shard.entries) {
            if (which.matches(*node.entry.head)) meant.push_back(&node);
        }
        for (Node* node : meant) {
            if (!node->entry.head->is_marker()) ++count;
            if (!which.soft) {
                std::size_t bytes = 0;
                gone.push_back(shard.erase(*node, bytes));
                freed += bytes;
                continue;
            }
            auto head = node->entry.head->copy();
            head->validity.expired_at = now;
            head->seal();
            node->entry.head = head;
        }
        budget_->give_back(freed);
        for (auto fill = shard.fills.begin(); fill != shard.fills.end();) {
            const HeadPtr head = fill->second->view().head;
            StoredHead unknown;
            unknown.url = fill->second->url();
            const bool meant_too =
                head ? which.matches(*head)
                     : which.kind == Selector::Kind::tag || which.matches(unknown);
            if (meant_too) fill->second->doom();
            fill = meant_too ? shard.fills.erase(fill) : std::next(fill);
        }
    }
    return count;
}

void Zone::for_each(const std::function<bool(const StoredHead&)>& each) const {
    for (std::size_t i = 0; i < kShards; ++i) {
        std::vector<HeadPtr> heads;
        {
            const std::lock_guard lock(shards_[i].mutex);
            heads.reserve(shards_[i].entries.size());
            for (const auto& [key, node] : shards_[i].entries) heads.push_back(node.entry.head);
        }
        for (const HeadPtr& head : heads) {
            if (!each(*head)) return;
        }
    }
}

void Zone::tick(UnixMilliseconds now) {
    const UnixMilliseconds limit = now - settings_.inactive.count();
    for (std::size_t i = 0; i < kShards; ++i) {
        while (shards_[i].oldest.load(std::memory_order_relaxed) < limit) {
            Entry gone;
            std::size_t freed = 0;
            {
                const std::lock_guard lock(shards_[i].mutex);
                if (shards_[i].order.empty() || shards_[i].order.back().used_at >= limit) break;
                gone = shards_[i].erase(shards_[i].order.back(), freed);
            }
            budget_->give_back(freed);
        }
    }
}

ZoneCounts Zone::counts() const {
    ZoneCounts counts;
    for (std::size_t i = 0; i < kShards; ++i) {
        const std::lock_guard lock(shards_[i].mutex);
        counts.entries += shards_[i].entries.size();
        counts.fills += shards_[i].fills.size();
    }
    counts.bytes = budget_->used();
    counts.max_bytes = budget_->limit();
    counts.removed = removed_.load(std::memory_order_relaxed);
    return counts;
}

}  // namespace proxyd::cache
