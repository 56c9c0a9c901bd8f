#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "proxyd/base/result.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/cache/entry.hpp"
#include "proxyd/cache/selector.hpp"

namespace proxyd::async {
class Loop;
}

namespace proxyd::cache {

/// The body of one stored answer on its way out of the second tier. Belongs to one exchange, on the
/// loop that opened it; what was opened can be read to its end, whatever becomes of the entry.
class StoreReader {
  public:
    virtual ~StoreReader() = default;
    [[nodiscard]] virtual const HeadPtr& head() const noexcept = 0;
    /// From `offset` on (a range); before the first read().
    virtual void seek(std::uint64_t offset) = 0;
    /// The next piece, verified; null at the end. One call at a time; reads ahead by itself. An
    /// error means that the body is broken: the answer is cut and the entry already removed.
    virtual Task<Result<ChunkPtr>> read() = 0;
};

/// A fill on its way into the second tier. Belongs to the filler, on the loop that asked for it.
/// Destroyed without commit(): nothing is stored and what was written is removed.
class StoreWriter {
  public:
    virtual ~StoreWriter() = default;
    /// Waits while the disk is behind, but not for ever: then, and after any error, what is given
    /// is dropped, quietly. `chunk` may be shared with readers.
    virtual Task<void> append(ChunkPtr chunk) = 0;
    /// The body is whole; `head` as begun, with body_size. Nothing to wait for.
    virtual void commit(HeadPtr head) = 0;
};

struct StoreCounts {
    std::uint64_t entries = 0, bytes = 0, max_bytes = 0;
    bool loading = false;  ///< the index is still being rebuilt
    bool writable = true;  ///< false: traffic goes on without it
};

/// The second tier of a zone. Shared by all workers, outlives generations. Its functions can be
/// called on any thread; the ones that take a Loop are called on that loop's thread and answer
/// there. Nothing here blocks: the work is done by threads of its own. Its failures are misses; it
/// logs their causes.
class CacheStore {
  public:
    virtual ~CacheStore() = default;

    /// False: certainly not there, nothing to wait for. In memory, short lock at most.
    [[nodiscard]] virtual bool may_hold(const Key& key) const noexcept = 0;
    /// Null when there is none. `text` is compared with the entry's (valid until it returns).
    virtual Task<std::unique_ptr<StoreReader>> open(async::Loop& loop, const Key& key,
                                                    std::string_view text) = 0;
    /// Null: it cannot be stored. `head` complete but for body_size; `expected_size` as announced
    /// (UINT64_MAX = unknown). Takes the place of the entry of that key when committed, unless a
    /// remove() or purge() that means it came between.
    [[nodiscard]] virtual std::unique_ptr<StoreWriter> write(async::Loop& loop, HeadPtr head,
                                                             std::uint64_t expected_size) = 0;
    /// A new head for the body that is stored (304, markers, soft purge of one).
    virtual void update(HeadPtr head) = 0;
    virtual void remove(const Key& key) = 0;
    /// Used now, though from memory: for the order of removal and `inactive`. Called rarely.
    virtual void touch(const Key& key) noexcept = 0;

    /// Calls `each` on threads of its own for every entry there was; false ends it. In no order.
    virtual void for_each(std::function<bool(const StoredHead&)> each,
                          std::function<void()> done) = 0;
    /// `done(how many)` on a thread of its own.
    virtual void purge(Selector which, std::function<void(std::uint64_t)> done) = 0;
    [[nodiscard]] virtual StoreCounts counts() const noexcept = 0;
};

}  // namespace proxyd::cache
