#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>

#include "proxyd/async/loop.hpp"

namespace proxyd::net::tls {

/// A step of a handshake computes longer than whole requests do. Those of one loop wait here for
/// their turn: so long as a slice, then everything else that the loop has to do comes first.
class HandshakeTurns {
  public:
    /// Leaves the line when it is destroyed.
    class Member : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
      public:
        /// May destroy the member.
        virtual void take_turn() = 0;

      protected:
        ~Member() = default;
    };

    static constexpr std::chrono::microseconds kSlice{1000};

    explicit HandshakeTurns(async::Loop& loop) : loop_(loop) {}
    HandshakeTurns(const HandshakeTurns&) = delete;
    HandshakeTurns& operator=(const HandshakeTurns&) = delete;

    /// Never called back from here.
    void enqueue(Member& member);

  private:
    void expect_turn();
    void run();

    async::Loop& loop_;
    boost::intrusive::list<Member, boost::intrusive::constant_time_size<false>> waiting_;
    bool turn_expected_ = false;
};

}  // namespace proxyd::net::tls
