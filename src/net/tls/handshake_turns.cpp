#include "proxyd/net/tls/handshake_turns.hpp"

namespace proxyd::net::tls {

void HandshakeTurns::enqueue(Member& member) {
    if (!member.is_linked()) waiting_.push_back(member);
    expect_turn();
}

/// What is posted now comes behind the events that are here already, and what is posted by a turn
/// behind those that the next look at the network brings.
void HandshakeTurns::expect_turn() {
    if (turn_expected_) return;
    turn_expected_ = true;
    loop_.post([this] { run(); });
}

void HandshakeTurns::run() {
    using Clock = std::chrono::steady_clock;
    turn_expected_ = false;
    const Clock::time_point until = Clock::now() + kSlice;
    while (!waiting_.empty()) {
        Member& first = waiting_.front();
        waiting_.pop_front();
        first.take_turn();
        if (Clock::now() >= until) break;
    }
    if (!waiting_.empty()) expect_turn();
}

}  // namespace proxyd::net::tls
