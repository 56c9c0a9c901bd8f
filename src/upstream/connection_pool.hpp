#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "proxyd/codec/client_codec.hpp"
#include "proxyd/upstream/group.hpp"
#include "shared_dials.hpp"

namespace proxyd::upstream {

/// What a new connection turned out to speak.
struct Spoken {
    bool http2 = false;
    http::Scheme scheme = http::Scheme::http;
};

/// The connections of one worker to one peer: idle ones for reuse, the last used first, those that
/// carry streams and have room for more, and those that have none. On the loop's thread; outlives
/// its streams.
class ConnectionPool {
  public:
    ConnectionPool(async::Loop& loop, std::shared_ptr<PeerState> state);
    ~ConnectionPool();

    /// What the current generation allows.
    void configure(const config::Upstream& settings) noexcept;
    /// A stream on a connection that was adopted with this tag and has room, or null.
    /// `must_be_quiet`: ask the kernel about an idle one first.
    std::unique_ptr<http::ClientStream> reuse(const codec::ClientLimits& limits, bool must_be_quiet,
                                              std::string_view tag);
    /// `tag`: whom it may serve (a TLS name, one client); "" = everybody.
    std::unique_ptr<http::ClientStream> adopt(net::TransportPtr transport, Spoken spoken,
                                              const codec::ClientLimits& limits,
                                              std::string_view tag);
    /// The requests that wait for a connection which another one makes.
    [[nodiscard]] SharedDials& dials() noexcept { return dials_; }
    void close_idle();
    /// The peer is served no more: what is busy closes when its exchange ends.
    void retire() {
        keepalive_ = 0;
        close_idle();
    }
    [[nodiscard]] bool empty() const noexcept {
        return idle_.empty() && shared_.empty() && busy_.empty() && dials_.empty();
    }
    [[nodiscard]] async::Loop& loop() noexcept { return loop_; }

  private:
    struct Connection;
    using List = boost::intrusive::list<Connection>;
    struct Connection final : codec::ClientObserver, boost::intrusive::list_base_hook<> {
        explicit Connection(ConnectionPool& owner) : pool(owner) {}
        void on_idle(codec::ClientCodec&) override { pool.became_idle(*this); }
        void on_closed(codec::ClientCodec&) override { pool.closed(*this); }
        void on_room(codec::ClientCodec&) override { pool.got_room(*this); }
        ConnectionPool& pool;
        std::unique_ptr<codec::ClientCodec> codec;
        std::string tag;
        std::optional<SharedDials::Making> making;  ///< until it is known how many streams fit
        List* place = nullptr;
        bool multiplexes = false;
    };

    void move(Connection& connection, List& to);
    std::unique_ptr<http::ClientStream> open(Connection& connection,
                                             const codec::ClientLimits& limits);
    [[nodiscard]] bool spent(const Connection& connection) const noexcept {
        return connection.codec->exchanges() >= max_exchanges_;
    }
    void made(Connection& connection);
    void got_room(Connection& connection);
    void became_idle(Connection& connection);
    void closed(Connection& connection);
    void destroy(Connection& connection);

    async::Loop& loop_;
    std::shared_ptr<PeerState> state_;
    std::size_t keepalive_ = 32;
    std::uint64_t max_exchanges_ = 10'000;
    std::chrono::milliseconds idle_limit_{60'000};
    SharedDials dials_;
    List idle_;    ///< without a stream; the front was used last
    List shared_;  ///< with streams, and room for more
    List busy_;
};

}  // namespace proxyd::upstream
