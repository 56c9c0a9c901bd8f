#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "net/dns_channel.hpp"
#include "proxyd/base/ip.hpp"

namespace proxyd::net {

struct HostAnswer {
    std::vector<IpAddress> addresses;
    std::chrono::seconds ttl{0};
    std::vector<int> missing;   ///< families that got no answer
    int status = ARES_SUCCESS;  ///< why there are no addresses
};

/// Looks one host up: in the hosts file, and when it has none by DNS, A and AAAA in requests of
/// their own, so that a family without an answer differs from one without addresses. Stays where it
/// is until `done` was called, which may happen in start().
class HostQuery {
  public:
    using Done = std::function<void(HostAnswer)>;

    /// `absolute`: a whole name, to which no search domain is added.
    HostQuery(std::string name, bool absolute, Done done)
        : name_(std::move(name)), absolute_(absolute), done_(std::move(done)) {}
    HostQuery(const HostQuery&) = delete;
    HostQuery& operator=(const HostQuery&) = delete;

    void start(DnsChannel& files, DnsChannel& dns);
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    struct Request {
        HostQuery* query;
        int family;
        int status = ARES_ENOTFOUND;
    };
    static void on_answer(void* request, int status, int timeouts, ares_addrinfo* found);
    void ask(DnsChannel& channel, const std::string& name, Request& request);
    void take(const ares_addrinfo& found);
    void finish();

    const std::string name_;
    const bool absolute_;
    const Done done_;
    Request file_{this, AF_UNSPEC};
    Request v4_{this, AF_INET}, v6_{this, AF_INET6};
    int pending_ = 0;
    HostAnswer answer_;
};

}  // namespace proxyd::net
