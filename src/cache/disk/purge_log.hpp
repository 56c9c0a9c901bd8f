#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <unordered_map>
#include <vector>

#include "proxyd/cache/entry.hpp"
#include "proxyd/cache/selector.hpp"

namespace proxyd::cache::disk {

/// Microseconds since 1970-01-01T00:00:00Z.
using Moment = std::int64_t;

/// A purge that has to outlive the process.
struct OpenPurge {
    Selector which;
    Moment at = 0;
};

/// What was purged or removed, and when. It makes both hold at once: for files that nobody has
/// reached yet, and for fills that began before and end later. Any thread, short lock.
///
/// A purge counts until a walk over all files has ended that began after it, a removal until its
/// file is gone; and both until the last fill has ended that began before.
class PurgeLog {
  public:
    static constexpr std::size_t kMostPurges = 1024;
    static constexpr std::size_t kMostRemovals = 4096;

    enum class Verdict : std::uint8_t { kept, stale, gone };
    struct Finding {
        Verdict verdict = Verdict::kept;
        Moment at = 0;  ///< of the purge
    };

    /// Later than every purge so far. Given back with fill_ends().
    [[nodiscard]] Moment fill_begins();
    void fill_ends(Moment begun);
    /// The same, for a head that comes without a fill.
    [[nodiscard]] Moment now() const;

    /// Counts at once; its file is gone when removed() is called. When it was.
    Moment remove(const Key& key);
    void removed(const Key& key);
    struct Begun {
        std::uint64_t number = 0;
        Moment at = 0;
    };
    /// The same purge once more takes the place of the former one. When more wait for their walk
    /// than can be remembered, they become one purge of everything: none gets lost.
    Begun purge(Selector which);
    void walked(std::uint64_t number);
    /// A walk that visited everything there was when the log had this number has ended.
    void all_walked(std::uint64_t number);
    [[nodiscard]] std::uint64_t number() const;

    /// Of a former process.
    void restore(OpenPurge purge);
    /// Those whose walk has not ended.
    [[nodiscard]] std::vector<OpenPurge> open_purges() const;

    /// What is to become of a file whose fill began at `begun`.
    [[nodiscard]] Finding find(const StoredHead& head, Moment begun) const;
    /// The same for a fill that has just ended.
    [[nodiscard]] Finding find_fill(const StoredHead& head, Moment begun) const;

  private:
    struct Purge {
        std::uint64_t number;
        Selector which;
        Moment at;
        bool walked;
    };
    struct Removal {
        Moment at;
        unsigned open;  ///< calls of remove() whose file is not gone yet
    };
    [[nodiscard]] Moment next_moment() const;
    void merge_all();
    [[nodiscard]] Finding find_locked(const StoredHead& head, Moment begun) const;
    void forget(Moment until);
    void forget_unneeded();

    mutable std::mutex mutex_;
    std::vector<Purge> purges_;
    std::unordered_map<std::uint64_t, Removal> removals_;  ///< by Key::low
    std::multiset<Moment> fills_;
    Moment last_ = 0;   ///< of a purge or removal
    Moment floor_ = 0;  ///< what was removed until then is forgotten: no older fill is stored
    std::uint64_t last_number_ = 0;
};

}  // namespace proxyd::cache::disk
