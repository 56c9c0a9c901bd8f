#include "connection_pool.hpp"

namespace proxyd::upstream {

ConnectionPool::ConnectionPool(async::Loop& loop, std::shared_ptr<PeerState> state)
    : loop_(loop), state_(std::move(state)) {}

ConnectionPool::~ConnectionPool() {
    close_idle();
    for (List* list : {&shared_, &busy_}) {
        while (!list->empty()) destroy(list->front());
    }
}

void ConnectionPool::configure(const config::Upstream& settings) noexcept {
    keepalive_ = settings.keepalive;
    max_exchanges_ = settings.keepalive_requests;
    idle_limit_ = settings.keepalive_timeout;
}

void ConnectionPool::move(Connection& connection, List& to) {
    List* const from = std::exchange(connection.place, &to);
    if (from != nullptr) from->erase(from->iterator_to(connection));
    if (from == &idle_) state_->idle.fetch_sub(1, std::memory_order_relaxed);
    to.push_front(connection);
    if (&to == &idle_) state_->idle.fetch_add(1, std::memory_order_relaxed);
}

std::unique_ptr<http::ClientStream> ConnectionPool::open(Connection& connection,
                                                         const codec::ClientLimits& limits) {
    connection.codec->set_idle_limit(idle_limit_);
    auto stream = connection.codec->open(limits);
    const bool shared =
        connection.multiplexes && connection.codec->room() != 0 && !spent(connection);
    List& fit = shared ? shared_ : busy_;
    if (connection.place != &fit) move(connection, fit);
    return stream;
}

std::unique_ptr<http::ClientStream> ConnectionPool::reuse(const codec::ClientLimits& limits,
                                                          bool must_be_quiet,
                                                          std::string_view tag) {
    for (Connection& connection : shared_) {
        if (connection.tag == tag && connection.codec->room() != 0) {
            return open(connection, limits);
        }
    }
    for (auto next = idle_.begin(); next != idle_.end();) {
        Connection& connection = *next++;
        if (connection.tag != tag) continue;
        // A server may allow no stream at all by now.
        const bool full = connection.multiplexes && connection.codec->room() == 0;
        if (full || (must_be_quiet && !connection.codec->quiet())) {
            closed(connection);
            continue;
        }
        return open(connection, limits);
    }
    return nullptr;
}

std::unique_ptr<http::ClientStream> ConnectionPool::adopt(net::TransportPtr transport,
                                                          Spoken spoken,
                                                          const codec::ClientLimits& limits,
                                                          std::string_view tag) {
    auto owner = std::make_unique<Connection>(*this);
    Connection& connection = *owner.release();
    connection.tag = tag;
    connection.multiplexes = spoken.http2;
    if (spoken.http2) {
        connection.making.emplace(dials_, connection.tag);
        connection.codec =
            codec::make_h2_client(loop_, std::move(transport), connection, spoken.scheme);
    } else {
        connection.codec = codec::make_h1_client(loop_, std::move(transport), connection);
    }
    return open(connection, limits);
}

/// Those who waited for it look again.
void ConnectionPool::made(Connection& connection) {
    if (!connection.making) return;
    connection.making.reset();
    const std::string tag = connection.tag;  // it may end before the last of them is awake
    dials_.found_shared(tag, connection.codec->capacity());
}

void ConnectionPool::got_room(Connection& connection) {
    const bool room = connection.codec->room() != 0 && !spent(connection);
    if (connection.place == &busy_ && room) move(connection, shared_);
    made(connection);
}

void ConnectionPool::became_idle(Connection& connection) {
    if (keepalive_ == 0 || spent(connection)) return destroy(connection);
    move(connection, idle_);
    if (idle_.size() > keepalive_) closed(idle_.back());
}

void ConnectionPool::closed(Connection& connection) {
    destroy(connection);
}

void ConnectionPool::destroy(Connection& connection) {
    if (connection.place == &idle_) state_->idle.fetch_sub(1, std::memory_order_relaxed);
    connection.place->erase(connection.place->iterator_to(connection));
    const bool awaited = connection.making.has_value();
    const std::string tag = awaited ? connection.tag : std::string();
    delete &connection;
    if (awaited) dials_.wake(tag);
}

void ConnectionPool::close_idle() {
    while (!idle_.empty()) destroy(idle_.front());
}

}  // namespace proxyd::upstream
