#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/cache/selector.hpp"
#include "proxyd/cache/store.hpp"
#include "proxyd/config/model.hpp"

namespace proxyd::proxy {
class Generation;
}

namespace proxyd::server {

/// The numbers behind `proxyd status`.
struct PeerStatus {
    std::string address;
    std::string server;   ///< as configured; several addresses may share it
    std::string state;    ///< "up", "down" (configured or ordered), "drain", "unhealthy", "failed"
    std::string cause;    ///< why it is not up; empty when it is, or when it is so configured
    std::string ordered;  ///< "up", "drain", "down": `proxyd upstream`
    std::int64_t since = 0;  ///< unix time of the last change of the state
    bool checked = false;    ///< by active checks
    std::uint64_t checks_passed = 0, checks_failed = 0;
    std::string last_check;  ///< "passed", why it failed, or "" before the first
    unsigned weight = 1;
    bool backup = false;
    std::uint64_t in_flight = 0, requests = 0, failures = 0, idle_connections = 0;
};
struct UpstreamStatus {
    std::string name;
    std::vector<PeerStatus> peers;
    std::size_t waiting = 0;  ///< requests in its queue
    std::uint64_t retries = 0;          ///< requests that went to another server
    std::uint64_t retries_refused = 0;  ///< that did not because of retry.budget
};
/// A certificate that is served.
struct CertificateStatus {
    std::string host;             ///< the first that has it
    std::size_t other_hosts = 0;  ///< how many more
    std::string file;
    std::int64_t not_after = 0;  ///< unix time
    std::int64_t days_left = 0;  ///< whole days; below 0: it has expired
    std::string problem;         ///< why what lies in the files now is not served; "" = it is
};
/// What an operator may say of a server; see upstream::Admin.
enum class PeerOrder : std::uint8_t { up, drain, down };

struct CacheStatus {
    std::string name;
    std::uint64_t entries = 0, bytes = 0, max_bytes = 0;  ///< in memory
    std::uint64_t removed = 0;                            ///< from memory, to make room
    std::uint64_t fills = 0;                              ///< running
    bool on_disk = false;
    cache::StoreCounts disk;
    /// How often each word of the status header was given.
    std::vector<std::pair<std::string, std::uint64_t>> requests;
};
/// What a purge has reached.
struct CachePurged {
    bool known = false;  ///< there is such a cache
    std::uint64_t memory = 0, disk = 0;
};
/// An entry, in memory or on disk or both. Milliseconds.
struct CacheListed {
    std::string zone, url, tags;
    int status = 0;
    std::uint64_t size = 0;
    std::int64_t age = 0, fresh_for = 0;
    bool memory = false, disk = false;
};
struct CacheList {
    std::vector<CacheListed> entries;
    bool more = false;  ///< than were asked for
};

struct Status {
    std::uint64_t generation = 1;
    std::uint64_t connections = 0, exchanges = 0, requests = 0;
    /// Copies that `mirror` asked for.
    std::uint64_t mirrors_running = 0, mirrors_sent = 0, mirrors_failed = 0, mirrors_left_out = 0;
    /// TLS handshakes of clients: complete by version, how many of those resumed a session, and
    /// those that failed.
    std::uint64_t handshakes_tls12 = 0, handshakes_tls13 = 0, handshakes_resumed = 0;
    std::uint64_t handshakes_failed = 0;
    std::vector<std::string> listeners;  ///< "http 127.0.0.1:8080"
    std::vector<UpstreamStatus> upstreams;
    std::vector<CertificateStatus> certificates;
    std::vector<CacheStatus> caches;
    unsigned workers = 1;
    bool draining = false;
};

/// Built and not served yet.
struct NextGeneration {
    std::shared_ptr<const proxy::Generation> generation;
    std::vector<std::string> problems;  ///< a sentence for each name that does not resolve
    std::uint64_t addresses = 0;        ///< the state of the address book that it was built from
};

/// The workers, the listeners and the generation they serve. Lives on the control loop; members are
/// called on its thread, but for the two that say otherwise. start() binds before it returns, so a
/// failure is known at once.
class Server {
  public:
    explicit Server(async::Loop& control);
    ~Server();

    /// Serves what build() made first.
    Result<void> start(const NextGeneration& first);

    // Off the loop, one at a time: they block on the name service; `stop` ends that early. --------
    Result<NextGeneration> build(std::shared_ptr<const config::Snapshot> snapshot,
                                 const std::stop_token& stop);
    /// Looks up the names that are due; none when that changed no address.
    std::optional<NextGeneration> refresh_names(std::shared_ptr<const config::Snapshot> snapshot,
                                                const std::stop_token& stop);

    /// Binds and serves it; on an error the old one goes on untouched.
    Result<void> adopt(NextGeneration next);
    /// How long until a name that is served is due; none without names.
    [[nodiscard]] std::optional<std::chrono::milliseconds> refresh_after() const;
    /// Stops accepting, closes idle connections, calls `done` when the last exchange has ended or
    /// after `limit`, whatever comes first.
    void drain(std::chrono::milliseconds limit, std::function<void()> done);
    /// Cuts everything and joins the workers.
    void stop();
    /// USR1: error-free or the first problem.
    Result<void> reopen_logs();
    /// Asks the workers, then calls back on the control loop.
    void status(std::function<void(Status)> done);
    [[nodiscard]] std::vector<UpstreamStatus> upstreams() const;
    /// Holds until the next order, reloads included. `server`: an address, or a server as it is
    /// configured; empty = all. The addresses it was given to; empty = none is called so.
    std::vector<std::string> order_peers(const std::string& upstream, const std::string& server,
                                         PeerOrder order);
    [[nodiscard]] std::vector<CacheStatus> caches() const;
    /// Counts at once; calls back on the control loop when every entry was reached.
    void purge_cache(const std::string& zone, const cache::Selector& which,
                     std::function<void(CachePurged)> done);
    /// At most `most` entries of a zone, or of all when it is empty; calls back as purge_cache().
    void list_caches(const std::string& zone, std::size_t most,
                     std::function<void(CacheList)> done);
    [[nodiscard]] std::shared_ptr<const config::Snapshot> snapshot() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace proxyd::server
