#include "connection_pool.hpp"

namespace proxyd::upstream {

ConnectionPool::ConnectionPool(async::Loop& loop, std::shared_ptr<PeerState> state)
    : loop_(loop), state_(std::move(state)) {}

ConnectionPool::~ConnectionPool() {
    close_idle();
    while (!busy_.empty()) destroy(busy_.front());
}

void ConnectionPool::configure(const config::Upstream& settings) noexcept {
    keepalive_ = settings.keepalive;
    max_exchanges_ = settings.keepalive_requests;
    idle_limit_ = settings.keepalive_timeout;
}

std::unique_ptr<http::ClientStream> ConnectionPool::reuse(const codec::ClientLimits& limits,
                                                          bool must_be_quiet,
                                                          std::string_view tag) {
    for (auto next = idle_.begin(); next != idle_.end();) {
        Connection& connection = *next++;
        if (connection.tag != tag) continue;
        if (must_be_quiet && !connection.codec->quiet()) {
            closed(connection);
            continue;
        }
        idle_.erase(idle_.iterator_to(connection));
        busy_.push_front(connection);
        connection.idle = false;
        state_->idle.fetch_sub(1, std::memory_order_relaxed);
        connection.codec->set_idle_limit(idle_limit_);
        return connection.codec->open(limits);
    }
    return nullptr;
}

std::unique_ptr<http::ClientStream> ConnectionPool::adopt(net::TransportPtr transport,
                                                          const codec::ClientLimits& limits,
                                                          std::string_view tag) {
    auto owner = std::make_unique<Connection>(*this);
    Connection& connection = *owner.release();
    connection.tag = tag;
    busy_.push_front(connection);
    connection.codec = codec::make_h1_client(loop_, std::move(transport), connection);
    connection.codec->set_idle_limit(idle_limit_);
    return connection.codec->open(limits);
}

void ConnectionPool::became_idle(Connection& connection) {
    if (keepalive_ == 0 || connection.codec->exchanges() >= max_exchanges_) {
        return destroy(connection);
    }
    busy_.erase(busy_.iterator_to(connection));
    idle_.push_front(connection);
    connection.idle = true;
    state_->idle.fetch_add(1, std::memory_order_relaxed);
    if (idle_.size() > keepalive_) closed(idle_.back());
}

void ConnectionPool::closed(Connection& connection) {
    destroy(connection);
}

void ConnectionPool::destroy(Connection& connection) {
    if (connection.idle) {
        state_->idle.fetch_sub(1, std::memory_order_relaxed);
        idle_.erase(idle_.iterator_to(connection));
    } else {
        busy_.erase(busy_.iterator_to(connection));
    }
    delete &connection;
}

void ConnectionPool::close_idle() {
    while (!idle_.empty()) destroy(idle_.front());
}

}  // namespace proxyd::upstream
