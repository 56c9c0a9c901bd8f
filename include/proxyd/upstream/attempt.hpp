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
    // For TLS and the PROXY protocol; they outlive the attempts.
    std::string_view server_name;    ///< `tls.server_name`, expanded
    std::string_view asked_host;     ///< by the client
    std::string_view client, local;  ///< addresses of the client's connection, texts
    std::uint16_t client_port = 0, local_port = 0;
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
    /// connection. `may_fail` false: a pooled connection is looked at before it is trusted.
    Task<Result<std::unique_ptr<http::ClientStream>>> open(bool may_fail, bool fresh = false);
    /// How the current try ended, for the peer's health.
    void failed(const Error& why);
    void succeeded();
    /// Whether open() would have somebody left to ask.
    [[nodiscard]] bool another_peer_left() const noexcept;
    /// Makes a pending open() return `why`.
    void cancel(const Error& why);

    [[nodiscard]] unsigned count() const noexcept { return count_; }
    [[nodiscard]] const Peer* peer() const noexcept { return peer_; }
    /// "127.0.0.1:3000, 127.0.0.1:3001", in order of the tries.
    [[nodiscard]] std::string addresses() const;
    [[nodiscard]] std::chrono::milliseconds connect_time() const noexcept { return connect_time_; }

  private:
    struct Connecting;
    struct Prepared;
    Task<Result<std::unique_ptr<http::ClientStream>>> connect();
    bool choose(bool same);
    void prepare();
    [[nodiscard]] std::string_view tag() const noexcept;
    void leave_peer() noexcept;

    WorkerPools& pools_;
    const Group& group_;
    const AttemptSettings settings_;
    const Peer* peer_ = nullptr;
    Connecting* connecting_ = nullptr;
    std::unique_ptr<Prepared> prepared_;  ///< how connections to peer_ begin; null = plain
    PeerSet tried_;
    unsigned count_ = 0;
    std::array<const Peer*, 8> history_{};  ///< for addresses(); later tries are not listed
    std::chrono::milliseconds connect_time_{0};
};

}  // namespace proxyd::upstream
