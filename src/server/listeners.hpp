#pragma once

#include <map>
#include <memory>
#include <vector>

#include "acceptor.hpp"

namespace proxyd::server {

/// The open listening sockets, compared by address at reload: an unchanged one stays open, so no
/// queued connection is lost. Created and used on the control thread; the acceptors themselves
/// live on `loop`, which may be a worker's.
class Listeners {
  public:
    Listeners(async::Loop& loop, bool loop_is_ours, Acceptor::Deliver deliver,
              std::function<bool()> may_accept);
    ~Listeners();

    /// Sockets of a new configuration, bound but not accepting yet.
    struct Prepared {
        struct Entry {
            std::shared_ptr<const ListenerContext> context;
            net::ListenSocket socket;  ///< empty: already open
        };
        std::map<std::string, Entry> entries;  ///< by address
    };
    [[nodiscard]] Result<Prepared> prepare(const std::vector<config::Listener>& wanted) const;
    /// Takes the new set over and closes what it no longer has. Cannot fail.
    void commit(Prepared prepared);
    void close_all();
    /// "http 127.0.0.1:8080"
    [[nodiscard]] std::vector<std::string> describe() const;

  private:
    /// What to say when an address can't be bound because a listener that it replaces has it.
    [[nodiscard]] std::string holder_of(const net::Endpoint& endpoint) const;
    /// Runs on the acceptors' loop and returns when done.
    void on_loop(const std::function<void()>& work);

    async::Loop& loop_;
    const bool loop_is_ours_;
    Acceptor::Deliver deliver_;
    std::function<bool()> may_accept_;
    std::map<std::string, std::unique_ptr<Acceptor>> open_;  ///< by address
};

}  // namespace proxyd::server
