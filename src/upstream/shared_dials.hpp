#pragma once

#include <boost/intrusive/list.hpp>
#include <optional>
#include <string_view>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/error.hpp"
#include "proxyd/base/task.hpp"

namespace proxyd::upstream {

/// The connections of one pool that are being made and will carry several streams, and the requests
/// that wait for one of them instead of making one too. On the loop's thread.
class SharedDials {
    using Hook = boost::intrusive::list_base_hook<
        boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

  public:
    /// One that is being made, from the dial until the peer has said how many streams it takes.
    /// `tag` outlives it.
    class Making : public Hook {
      public:
        Making(SharedDials& dials, std::string_view tag) : tag_(tag) {
            dials.making_.push_back(*this);
        }

      private:
        friend class SharedDials;
        std::string_view tag_;
    };

    /// A request that waits; lives in the frame that does.
    class Waiter : public Hook {
      public:
        Waiter(SharedDials& dials, async::Loop& loop, std::string_view tag,
               std::chrono::milliseconds limit);
        /// Returns when looking again is worth it, or with why there is nothing to wait for.
        Task<std::optional<Error>> wait();
        /// Makes wait() return `why`: last action.
        void end(const Error& why);

      private:
        friend class SharedDials;
        std::string_view tag_;
        Event woken_;
        std::optional<Error> why_;
        async::Deadline deadline_;
    };

    /// Whether what is being made has a stream for one more who waits.
    [[nodiscard]] bool worth_waiting(std::string_view tag) const noexcept;
    /// Wakes all of this tag, the first first: there is a connection, or none is made any more.
    void wake(std::string_view tag);
    /// What they waited for failed, and would fail them.
    void fail(std::string_view tag, const Error& why);
    /// A connection was made and takes so many streams (0: not known); wakes as wake().
    void found_shared(std::string_view tag, std::size_t streams);
    /// It takes one at a time (HTTP/1.1, chosen by ALPN): each makes its own from now on.
    void found_single(std::string_view tag);
    [[nodiscard]] bool empty() const noexcept { return making_.empty() && waiting_.empty(); }

  private:
    template <class T>
    using List = boost::intrusive::list<T, boost::intrusive::constant_time_size<false>>;
    void wake(std::string_view tag, const Error* why);

    List<Making> making_;
    List<Waiter> waiting_;
    bool multiplexes_ = true;
    std::size_t streams_ = 256;  ///< until one said so
};

}  // namespace proxyd::upstream
