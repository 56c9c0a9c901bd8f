#include "net/host_query.hpp"

#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace proxyd::net {
namespace {

/// A hosts file has no TTL; looking into it costs little.
constexpr std::chrono::seconds kHostsFileTtl{30};
constexpr std::chrono::seconds kLongestTtl{INT32_MAX};

IpAddress address_of(const sockaddr& address) {
    if (address.sa_family == AF_INET6) {
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, 16);
        return IpAddress::v6(bytes);
    }
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
    return IpAddress::v4(bytes);
}

/// Whether this machine could send there; nothing is sent.
bool has_route(const IpAddress& address) {
    const Endpoint endpoint = Endpoint::tcp(address, 1);
    const int probe = ::socket(endpoint.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) return false;
    const bool reaches = ::connect(probe, endpoint.data(), endpoint.size()) == 0;
    ::close(probe);
    return reaches;
}

bool is_failure(int status) {
    return status != ARES_SUCCESS && status != ARES_ENODATA && status != ARES_ENOTFOUND;
}

}  // namespace

void HostQuery::start(DnsChannel& files, DnsChannel& dns) {
    answer_.ttl = kLongestTtl;
    pending_ = 3;
    ask(files, name_, file_);  // answers at once
    if (file_.status == ARES_SUCCESS) {
        answer_.ttl = kHostsFileTtl;
        pending_ = 0;
        return finish();
    }
    const std::string name = absolute_ ? name_ + "." : name_;
    ask(dns, name, v4_);
    ask(dns, name, v6_);
}

void HostQuery::ask(DnsChannel& channel, const std::string& name, Request& request) {
    ares_addrinfo_hints hints{};
    hints.ai_family = request.family;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(channel.get(), name.c_str(), nullptr, &hints, on_answer, &request);
}

void HostQuery::on_answer(void* argument, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owner(found, ares_freeaddrinfo);
    Request& request = *static_cast<Request*>(argument);
    HostQuery& query = *request.query;
    // An answer without addresses is none, whatever it calls itself.
    const bool empty = found == nullptr || found->nodes == nullptr;
    request.status = status == ARES_SUCCESS && empty ? ARES_ENODATA : status;
    if (request.status == ARES_SUCCESS) query.take(*found);
    if (--query.pending_ == 0) query.finish();
}

void HostQuery::take(const ares_addrinfo& found) {
    int ttl = INT32_MAX;
    for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
        ttl = std::min(ttl, node->ai_ttl);
        answer_.addresses.push_back(address_of(*node->ai_addr));
    }
    for (const auto* alias = found.cnames; alias != nullptr; alias = alias->next) {
        ttl = std::min(ttl, alias->ttl);
    }
    answer_.ttl = std::min(answer_.ttl, std::chrono::seconds{std::max(ttl, 0)});
}

void HostQuery::finish() {
    for (const Request* request : {&v4_, &v6_}) {
        if (is_failure(request->status)) answer_.missing.push_back(request->family);
    }
    auto& all = answer_.addresses;
    if (all.empty()) {
        answer_.status =
            is_failure(v6_.status) && !is_failure(v4_.status) ? v6_.status : v4_.status;
    }
    // What a machine without IPv6 is told of it would only fail; alone it is better than nothing.
    const bool v4 = std::any_of(all.begin(), all.end(), [](const auto& ip) { return !ip.is_v6(); });
    if (v4) std::erase_if(all, [](const auto& ip) { return ip.is_v6() && !has_route(ip); });
    done_(std::move(answer_));
}

}  // namespace proxyd::net
