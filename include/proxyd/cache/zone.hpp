#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "proxyd/cache/fill.hpp"
#include "proxyd/cache/store.hpp"
#include "proxyd/cache/word_counts.hpp"

namespace proxyd::cache {

struct ZoneSettings {
    std::string name;
    std::size_t memory = std::size_t{10} << 20;
    std::uint64_t max_object_size = std::uint64_t{1} << 30;
    std::chrono::milliseconds inactive{600'000};
    // Of the second tier
    std::string path;  ///< "" = none
    std::string levels = "1:2";
    std::uint64_t max_size = std::uint64_t{1} << 30;
    friend bool operator==(const ZoneSettings&, const ZoneSettings&) = default;
};

struct ZoneCounts {
    std::uint64_t entries = 0;  ///< in memory
    std::uint64_t bytes = 0, max_bytes = 0;
    std::uint64_t fills = 0;    ///< running
    std::uint64_t removed = 0;  ///< to make room, since the start
};

/// A cache: what is in memory, what is on its way there, and the second tier behind. Shared by all
/// workers, lives as long as a generation or an exchange uses it. Every function can be called on
/// any thread; the locks are short and never held across anything that waits.
class Zone {
  public:
    explicit Zone(ZoneSettings settings, std::unique_ptr<CacheStore> store = nullptr);
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    ~Zone();

    [[nodiscard]] const ZoneSettings& settings() const noexcept { return settings_; }
    /// Null when the zone is in memory only.
    [[nodiscard]] CacheStore* store() const noexcept { return store_.get(); }
    /// The largest body that is kept in memory.
    [[nodiscard]] std::uint64_t memory_object_limit() const noexcept;

    /// What memory holds; a marker is found like anything else.
    [[nodiscard]] Entry find(const Key& key, std::string_view text, UnixMilliseconds now);

    struct Joined {
        Entry entry;   ///< somebody was faster: look at this one
        FillPtr fill;  ///< wait for it; with `leads` fill it
        bool leads = false;
        bool pass = false;  ///< ask for yourself, nothing is stored
    };
    struct Ask {
        const StoredHead* known = nullptr;  ///< the entry that does not serve
        std::string url;                    ///< where the key is not it
        unsigned min_uses = 1;
        bool alone = false;  ///< `lock: off`: a fill that nobody joins
    };
    [[nodiscard]] Joined join(const Key& key, std::string_view text, const Ask& ask,
                              UnixMilliseconds now);
    /// Nobody can join it any more. `pass_until`: whoever asks until then asks for himself.
    void end(const Fill& fill, UnixMilliseconds pass_until = 0);

    /// Into memory, in the place of the entry of that key; removes what was not used for longest.
    /// False: there is no room.
    bool put(const Entry& entry, UnixMilliseconds now);
    /// The marker of an URL whose answers vary: the one that is there when it covers `names`, else
    /// a new one for both. Null: it would get too many names.
    [[nodiscard]] HeadPtr mark_vary(const Key& key, std::string_view text, std::string_view url,
                                    std::string_view names, UnixMilliseconds now);
    /// The entry, the fill that runs for it, and the second tier's.
    void remove(const Key& key);
    /// What memory holds and what runs; the second tier is purged by its own function. How many.
    std::uint64_t purge(const Selector& which, UnixMilliseconds now);
    /// Calls `each` for the entries in memory; false ends it. No lock is held meanwhile.
    void for_each(const std::function<bool(const StoredHead&)>& each) const;
    /// A piece of body memory; null: no room, even without everything that can be removed.
    [[nodiscard]] boost::intrusive_ptr<Chunk> chunk(std::size_t capacity);

    /// Now and then: removes what was not used within `inactive`.
    void tick(UnixMilliseconds now);
    [[nodiscard]] ZoneCounts counts() const;
    /// What its requests were told.
    [[nodiscard]] WordCounts& words() noexcept { return words_; }
    [[nodiscard]] const WordCounts& words() const noexcept { return words_; }

  private:
    struct Shard;
    struct Node;
    [[nodiscard]] std::size_t most_marks() const noexcept;
    [[nodiscard]] Shard& shard_of(const Key& key) const noexcept;
    bool evict_oldest();
    bool make_room(std::size_t bytes);

    const ZoneSettings settings_;
    const BudgetPtr budget_;
    const std::unique_ptr<Shard[]> shards_;
    const std::unique_ptr<CacheStore> store_;
    std::atomic<std::uint64_t> removed_{0};
    WordCounts words_;
};
using ZonePtr = std::shared_ptr<Zone>;

}  // namespace proxyd::cache
