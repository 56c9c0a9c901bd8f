#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/cache/entry.hpp"
#include "proxyd/cache/storable.hpp"

namespace proxyd::cache {

class Fill;
using FillPtr = boost::intrusive_ptr<Fill>;

/// A reader of a fill that waits for more. On its loop's thread, in the coroutine that awaits
/// `event`; destroying it ends the wait.
class FillWaiter : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    FillWaiter() = default;
    FillWaiter(const FillWaiter&) = delete;
    FillWaiter& operator=(const FillWaiter&) = delete;
    Event event;
};

/// One answer on its way from the upstream into the cache and to everybody who asks for it
/// meanwhile. One filler, on one loop; readers on any loop, each with a position of its own. What
/// is published never changes. Wakes each loop that has waiters with one post, however many they
/// are and however often it is called before that loop gets to it.
class Fill : public boost::intrusive_ref_counter<Fill, boost::thread_safe_counter> {
  public:
    enum class State : std::uint8_t {
        waiting,     ///< no head yet
        streaming,   ///< head() is there, the body grows
        complete,    ///< entry() is whole
        refused,     ///< may not be shared: everyone asks for himself
        failed,      ///< error(); what was published is not complete
        overflowed,  ///< more than is kept in memory: nothing follows here
    };

    Fill(const Key& key, std::string text, std::string url)
        : key_(key), text_(std::move(text)), url_(std::move(url)) {}

    [[nodiscard]] const Key& key() const noexcept { return key_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const std::string& url() const noexcept { return url_.empty() ? text_ : url_; }

    // The filler's side ------------------------------------------------------------------------
    /// `size`: as announced.
    void begin(HeadPtr head, std::optional<std::uint64_t> size);
    /// `bytes` are in `chunk`, behind what is published of it.
    void publish(const ChunkPtr& chunk, std::size_t bytes);
    void complete(Entry entry);
    void refuse(Storable why);
    void fail(Error why);
    void overflow();
    [[nodiscard]] std::vector<ChunkPtr> chunks() const;

    /// What is in it must not be stored any more (purge, an unsafe request). From any thread.
    void doom() noexcept { doomed_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool doomed() const noexcept { return doomed_.load(std::memory_order_relaxed); }

    /// Somebody waits who did not begin it.
    void note_joined() noexcept { joined_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool joined() const noexcept { return joined_.load(std::memory_order_relaxed); }

    // The readers' side ------------------------------------------------------------------------
    struct View {
        State state = State::waiting;
        HeadPtr head;
        std::optional<std::uint64_t> size;
        Entry entry;                       ///< State::complete
        Storable refused = Storable::yes;  ///< State::refused
        Error error;                       ///< State::failed
    };
    [[nodiscard]] View view() const;
    struct Piece {
        ChunkPtr chunk;  ///< holds `bytes`; null: nothing there yet
        std::string_view bytes;
        State state = State::waiting;
    };
    [[nodiscard]] Piece read(std::uint64_t position) const;
    /// Registers `waiter` unless there is a head (any state but `waiting`).
    [[nodiscard]] bool wait_for_head(async::Loop& loop, FillWaiter& waiter);
    /// Registers `waiter` unless something lies at `position` or nothing more will come.
    [[nodiscard]] bool wait_for(std::uint64_t position, async::Loop& loop, FillWaiter& waiter);
    [[nodiscard]] State state() const;

  private:
    using Waiters = boost::intrusive::list<FillWaiter, boost::intrusive::constant_time_size<false>>;
    struct Group {
        async::Loop* loop = nullptr;
        Waiters waiters;      ///< on the loop's thread only
        bool wanted = false;  ///< there are some
        bool posted = false;
    };
    struct Part {
        ChunkPtr chunk;
        std::uint64_t start = 0;
        std::size_t size = 0;  ///< published
    };

    template <class Change>
    void change(Change&& apply);
    void enlist(async::Loop& loop, FillWaiter& waiter);
    void wake(Group& group);

    const Key key_;
    const std::string text_, url_;
    std::atomic<bool> doomed_{false}, joined_{false};

    mutable std::mutex mutex_;
    State state_ = State::waiting;
    HeadPtr head_;
    std::optional<std::uint64_t> size_;
    std::vector<Part> parts_;
    std::uint64_t published_ = 0;
    Entry entry_;
    Storable refused_ = Storable::yes;
    Error error_;
    std::vector<std::unique_ptr<Group>> groups_;
};

}  // namespace proxyd::cache
