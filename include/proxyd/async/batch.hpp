#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <cstddef>

namespace proxyd::async {

/// Something that waits for the end of a batch. Leaves the batch when it is destroyed.
class BatchMember : public boost::intrusive::list_base_hook<
                        boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    /// May destroy the member.
    virtual void at_end_of_batch() = 0;

  protected:
    ~BatchMember() = default;
};

/// The events that one epoll_wait brought are a batch. What they make us send is sent together when
/// all have been handled: the receivers wake once and not between any two messages, and the code of
/// each step is still in the cache for the next event. Only a busy loop gains by that; with few
/// events in a batch, and so at low load, nothing waits. One thread.
class Batch {
  public:
    explicit Batch(boost::asio::io_context& io) : io_(io) {}
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    /// False: the batch is not worth waiting for, do it now. Otherwise `member` hears of its end,
    /// at the latest after the event with which kMost members wait. Never called back from here.
    [[nodiscard]] bool collect(BatchMember& member);
    /// Last action of an event's handler: may destroy the members.
    void event_done() {
        ++events_;
        if (waiting_ >= kMost) run_members();
    }

  private:
    void expect_end();
    void end();
    void run_members();

    /// That many events make a batch worth it.
    static constexpr std::size_t kBusy = 4;
    static constexpr std::size_t kMost = 32;
    /// How many calls of collect() lie between two looks at an idle loop's batch.
    static constexpr unsigned kLookEvery = 64;

    using Members =
        boost::intrusive::list<BatchMember, boost::intrusive::constant_time_size<false>>;

    boost::asio::io_context& io_;
    Members members_;
    std::size_t waiting_ = 0;  ///< joined since the last run
    std::size_t events_ = 0;   ///< since the end was announced
    unsigned calls_ = 0;
    bool end_expected_ = false;
    bool busy_ = false;
};

}  // namespace proxyd::async
