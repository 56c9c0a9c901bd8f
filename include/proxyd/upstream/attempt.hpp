#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/http/stream.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

class ConnectionPool;
class Dial;
struct Opening;

/// The idle connections of one worker to all peers. Outlives generations; on the loop's thread.
/// Its connections close when their idle limit is over, the peer closes them or the worker stops.
class WorkerPools {
  public:
    explicit WorkerPools(async::Loop& loop);
    ~WorkerPools();
    [[nodiscard]] async::Loop& loop() noexcept;
    /// Closes every idle connection (drain); those in use close after their exchange.
    void close_idle();
    /// Lets go of the others; `peers`: by PeerState::id(). What still carries a stream stays.
    void keep_only(const std::vector<bool>& peers);

  private:
    friend class Attempts;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

struct AttemptSettings {
    std::chrono::milliseconds connect{5'000}, send{60'000}, read{300'000};
    std::size_t max_header_size = 64 * 1024;
    // Of the request, for the choice, for TLS and the PROXY protocol; the views outlive the
    // Attempts.
    std::string_view hash_key;       ///< expanded; where Group::hash_key() asks for it
    std::string_view client, local;  ///< addresses of the client's connection, texts
    std::uint16_t client_port = 0, local_port = 0;
    int preferred = -1;            ///< index of the peer that a sticky client had
    std::string_view server_name;  ///< `tls.server_name`, expanded
    std::string_view asked_host;   ///< by the client
    bool upgrade = false;          ///< a WebSocket: with TLS over HTTP/1.1, which every server takes
};

/// All tries of one exchange on one group: picks peers, takes connections from the pool or makes
/// them, keeps the books of health and in-flight counts. Owned by the exchange. open() gives one
/// stream at a time; the last must be gone before the next open().
class Attempts {
  public:
    Attempts(WorkerPools& pools, const Group& group, const AttemptSettings& settings);
    Attempts(const Attempts&) = delete;
    Attempts& operator=(const Attempts&) = delete;
    ~Attempts();

    /// A stream to a peer that was not tried yet; `fresh`: to the same peer as before, on a new
    /// connection. `may_fail` false: a pooled connection is looked at before it is trusted. Waits
    /// in the queue of the upstream while every peer is at max_conns.
    Task<Result<std::unique_ptr<http::ClientStream>>> open(bool may_fail, bool fresh = false);
    /// How the current try ended, for the peer's health.
    void failed(const Error& why);
    void succeeded();
    /// The peer has answered all: its place is free for the next request.
    void answered() noexcept;
    /// Whether there may be somebody left to ask.
    [[nodiscard]] bool another_peer_left() const noexcept;
    /// Takes a place for the next open(), so that what the current try brought is given up only for
    /// a peer that can be had; `may_wait`: or for the queue.
    [[nodiscard]] bool reserve_next(bool may_wait) noexcept;
    /// Makes a pending open() return `why`.
    void cancel(const Error& why);

    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] const Peer* peer() const noexcept { return peer_; }
    /// "127.0.0.1:3000, 127.0.0.1:3001", in order of the tries.
    [[nodiscard]] std::string addresses() const;
    [[nodiscard]] std::chrono::milliseconds connect_time() const noexcept { return connect_time_; }

  private:
    struct Waiting;
    struct Joining;
    [[nodiscard]] bool fault_of_name(const Error& why) const noexcept;
    using Opened = Result<std::unique_ptr<http::ClientStream>>;
    Task<Opened> open_at_peer(bool may_fail);
    Task<Opened> connect();
    Task<Opened> join_or_connect(bool may_fail);
    Task<Opened> connect_for_all();
    [[nodiscard]] std::unique_ptr<http::ClientStream> reuse(bool may_fail);
    Task<Opened> wait_in_line(bool may_fail);
    [[nodiscard]] PickRequest request() const noexcept;
    [[nodiscard]] bool has_queue() const noexcept;
    [[nodiscard]] bool others_wait() const noexcept;
    /// At the peer of the next open(), if not taken yet.
    [[nodiscard]] bool take_place() noexcept;
    void take_over(int index);
    void prepare();
    [[nodiscard]] ConnectionPool& pool() const;
    [[nodiscard]] std::string_view tag() const noexcept;
    [[nodiscard]] bool multiplexes() const noexcept;
    [[nodiscard]] Error no_peer() const;
    [[nodiscard]] Error busy(Reason reason) const;

    WorkerPools& pools_;
    const Group& group_;
    const AttemptSettings settings_;
    const Peer* peer_ = nullptr;
    bool holds_place_ = false;  ///< at peer_
    bool given_up_ = false;     ///< by cancel()
    Dial* dial_ = nullptr;      ///< while a connection is made
    Waiting* waiting_ = nullptr;
    Joining* joining_ = nullptr;  ///< while another request makes the connection
    std::unique_ptr<Opening> opening_;  ///< how connections to peer_ begin; null = plain
    PeerSet tried_;
    int reserved_ = -1;  ///< where the next open() has a place
    unsigned count_ = 0;
    std::array<const Peer*, 8> history_{};  ///< for addresses(); later tries are not listed
    std::chrono::milliseconds connect_time_{0};
};

}  // namespace proxyd::upstream
