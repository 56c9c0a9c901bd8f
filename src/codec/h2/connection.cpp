#include "connection.hpp"

#include "stream.hpp"

namespace proxyd::codec::h2 {

Leftover::Leftover(Connection& connection, Outflow rest, bool input_ended,
                   std::chrono::milliseconds limit)
    : connection_(connection),
      rest_(std::move(rest)),
      late_(
          connection.loop().wheel(),
          [](void* self) {
              auto& rest = *static_cast<Leftover*>(self);
              Connection& connection = rest.connection_;
              connection.session().reset(rest, ErrorCode::cancel);
              connection.wire().flush();  // ends it
          },
          this),
      limit_(limit),
      input_ended_(input_ended) {
    late_.arm(limit_);
}

void Leftover::on_data(std::string_view data) {
    connection_.session().consume_stream(*this, data.size());
}

void Leftover::take(char* into, std::size_t bytes) {
    rest_.take(into, bytes);
    late_.arm(limit_);
}

void Leftover::on_frame_sent(bool, std::size_t, bool end) {
    // The answer is complete: the rest of the request is of no use (RFC 9113 8.1).
    if (end && !input_ended_) connection_.session().reset(*this, ErrorCode::no_error);
}

Connection::Connection(async::Loop& loop, net::TransportPtr transport, Session::Side side,
                       Source source)
    : session_(side, *this), wire_(loop, std::move(transport), session_, *this, source) {}

Connection::~Connection() {
    leftovers_.clear_and_dispose([](Leftover* rest) { delete rest; });
}

void Connection::wake_later(Stream& stream) {
    WakeHook& hook = stream;
    if (!hook.is_linked()) waking_.push_back(hook);
    wire_.wake_soon();
}

void Connection::wake_streams() {
    const Lifetime::Watch here(lifetime_);
    while (!waking_.empty()) {
        auto& stream = static_cast<Stream&>(waking_.front());
        waking_.pop_front();
        stream.wake();
        if (here.ended()) return;
    }
}

void Connection::inherit(SessionStream& stream, Outflow rest, bool input_ended,
                         std::chrono::milliseconds limit) {
    auto* const heir = new Leftover(*this, std::move(rest), input_ended, limit);
    leftovers_.push_back(*heir);
    session_.replace(stream, *heir);
}

}  // namespace proxyd::codec::h2
