#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "proxyd/cache/entry.hpp"
#include "proxyd/cache/selector.hpp"

namespace proxyd::cache::disk {

/// Microseconds since the store was made.
using Tick = std::uint64_t;

/// What the index keeps of an entry's head, so that a purge opens few files: hashes, so a match is
/// only a candidate.
struct Traits {
    bool known = false;  ///< false: found by its name, nobody has looked into the file yet
    std::uint32_t url = 0;
    std::uint32_t origin = 0;  ///< of the URL up to the first slash of its path
    std::vector<std::uint32_t> tags;
};
[[nodiscard]] Traits traits_of(const StoredHead& head);

/// Which entries of the index a selector can mean.
class Candidates {
  public:
    /// Of what is not known, those that only a look into the file can tell: a URL's key and the log
    /// of purges do for the others.
    explicit Candidates(const Selector& selector);
    /// Everything.
    Candidates() = default;
    /// What nobody has looked into.
    [[nodiscard]] static Candidates unknown() noexcept;
    [[nodiscard]] bool hold(bool known, std::uint32_t url, std::uint32_t origin,
                            const std::uint32_t* tags) const noexcept;

  private:
    enum class By : std::uint8_t { nothing, unknown, url, origin, tag } by_ = By::nothing;
    std::uint32_t hash_ = 0;
};

/// The names, sizes and order of use of everything on disk, in shards with a lock each that is held
/// for no longer than a look-up. Any thread. About 80 bytes for an entry, more with tags.
class Index {
  public:
    Index();
    ~Index();
    Index(const Index&) = delete;
    Index& operator=(const Index&) = delete;

    [[nodiscard]] bool contains(const Key& key) const noexcept;
    /// False: not there.
    bool touch(const Key& key, Tick now) noexcept;
    /// Adds or replaces; `bytes` were taken with take() before.
    void put(const Key& key, std::uint64_t bytes, const Traits& traits, Tick now);
    /// Found on disk: comes behind all that was used. False: known already.
    bool add_found(const Key& key, std::uint64_t bytes);
    void set_traits(const Key& key, const Traits& traits);
    bool erase(const Key& key) noexcept;

    /// Bytes of entries, and of files on their way to become some.
    void take(std::uint64_t bytes) noexcept { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
    void give_back(std::uint64_t bytes) noexcept {
        bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return bytes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t entries() const noexcept {
        return entries_.load(std::memory_order_relaxed);
    }

    /// Takes the entry out that was not used for the longest time; none when there is no entry.
    std::optional<Key> pop_oldest() noexcept;
    /// The same, if it was last used before `limit`.
    std::optional<Key> pop_older_than(Tick limit) noexcept;

    /// Appends candidates to `keys`, at most about `limit` places of the index a call. False when
    /// the walk is over. What is added meanwhile may be missed, nothing else.
    struct Position {
        std::size_t shard = 0, slot = 0;
    };
    bool walk(Position& position, const Candidates& wanted, std::size_t limit,
              std::vector<Key>& keys) const;
    /// What disk space a file of this size is counted as.
    [[nodiscard]] static constexpr std::uint64_t counted(std::uint64_t file_bytes) noexcept {
        return (file_bytes + 4095) / 4096 * 4096;
    }

  private:
    static constexpr std::size_t kShards = 64;
    class Shard;
    [[nodiscard]] Shard& shard_of(const Key& key) const noexcept;
    [[nodiscard]] std::optional<Key> pop(Tick limit) noexcept;

    std::unique_ptr<std::array<Shard, kShards>> shards_;
    std::atomic<std::uint64_t> bytes_{0}, entries_{0};
};

}  // namespace proxyd::cache::disk
