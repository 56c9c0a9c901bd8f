#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>
#include <vector>

#include "proxyd/codec/client_codec.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

/// The connections of one worker to one peer: idle ones for reuse, the last used first, and those
/// that carry a stream. On the loop's thread; outlives its streams.
class ConnectionPool {
  public:
    ConnectionPool(async::Loop& loop, std::shared_ptr<PeerState> state);
    ~ConnectionPool();

    /// What the current generation allows.
    void configure(const config::Upstream& settings) noexcept;
    /// A stream on an idle connection that was adopted with this tag, or null. `must_be_quiet`: ask
    /// the kernel first.
    std::unique_ptr<http::ClientStream> reuse(const codec::ClientLimits& limits, bool must_be_quiet,
                                              std::string_view tag);
    /// `tag`: whom it may serve (a TLS name, one client); "" = everybody.
    std::unique_ptr<http::ClientStream> adopt(net::TransportPtr transport,
                                              const codec::ClientLimits& limits,
                                              std::string_view tag);
    void close_idle();
    /// The peer is served no more: what is busy closes when its exchange ends.
    void retire() {
        keepalive_ = 0;
        close_idle();
    }
    [[nodiscard]] bool empty() const noexcept { return idle_.empty() && busy_.empty(); }
    [[nodiscard]] async::Loop& loop() noexcept { return loop_; }

  private:
    struct Connection final : codec::ClientObserver, boost::intrusive::list_base_hook<> {
        explicit Connection(ConnectionPool& owner) : pool(owner) {}
        void on_idle(codec::ClientCodec&) override { pool.became_idle(*this); }
        void on_closed(codec::ClientCodec&) override { pool.closed(*this); }
        ConnectionPool& pool;
        std::unique_ptr<codec::ClientCodec> codec;
        std::string tag;
        bool idle = false;
    };
    using List = boost::intrusive::list<Connection>;

    void became_idle(Connection& connection);
    void closed(Connection& connection);
    void destroy(Connection& connection);

    async::Loop& loop_;
    std::shared_ptr<PeerState> state_;
    std::size_t keepalive_ = 32;
    std::uint64_t max_exchanges_ = 10'000;
    std::chrono::milliseconds idle_limit_{60'000};
    List idle_, busy_;  ///< idle_: the front was used last
};

}  // namespace proxyd::upstream
