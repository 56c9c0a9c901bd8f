#pragma once

#include <ares.h>

#include <chrono>
#include <map>
#include <string>

#include "proxyd/net/resolver.hpp"

namespace proxyd::net {

/// A channel of c-ares, driven by poll() on its owner's thread for the time of one look-up: it
/// reads resolv.conf, which may change while the process runs, and takes new source ports.
/// Destroying or cancelling it calls back whatever is still asked.
class DnsChannel {
  public:
    /// `lookups`: "f" = the hosts file, at once; "b" = DNS.
    DnsChannel(const ResolverOptions& options, const char* lookups);
    DnsChannel(const DnsChannel&) = delete;
    DnsChannel& operator=(const DnsChannel&) = delete;
    ~DnsChannel();

    [[nodiscard]] ares_channel get() const noexcept { return channel_; }
    [[nodiscard]] const std::string& problem() const noexcept {
        return problem_;
    }  ///< "" = it works
    /// Waits for an event on its sockets or on `wake` (-1 = none), at most so long, and handles it.
    void drive(int wake, std::chrono::milliseconds most);
    void cancel() { ares_cancel(channel_); }

  private:
    /// A status of c-ares.
    int open(const ResolverOptions& options, const char* lookups, int flags);
    [[nodiscard]] bool has_one_server() const;
    static void note(void* self, ares_socket_t socket, int readable, int writable);
    void process(ares_socket_t readable, ares_socket_t writable) {
        ares_process_fd(channel_, readable, writable);
    }

    ares_channel channel_ = nullptr;
    std::string problem_;
    std::map<ares_socket_t, short> sockets_;  ///< c-ares opens and closes them; only watched here
};

}  // namespace proxyd::net
