#include "net/srv_records.hpp"

#include <ares.h>
#include <arpa/nameser.h>

#include <algorithm>
#include <memory>

namespace proxyd::net {
namespace {

/// More are no list of servers any more.
constexpr std::size_t kMostRecords = 64;

/// c-ares does not tell the TTL of SRV records; this parser of the C library does.
std::chrono::seconds smallest_ttl(std::span<const unsigned char> message) {
    constexpr std::uint32_t kLongest = INT32_MAX;
    ns_msg parsed;
    if (::ns_initparse(message.data(), static_cast<int>(message.size()), &parsed) != 0) return {};
    std::uint32_t least = kLongest;
    for (int i = 0; i < ns_msg_count(parsed, ns_s_an); ++i) {
        ns_rr record;
        if (::ns_parserr(&parsed, ns_s_an, i, &record) != 0) return {};
        const std::uint32_t ttl = ns_rr_ttl(record);
        least = std::min(least, ttl > kLongest ? 0 : ttl);  // RFC 2181, 8
    }
    return std::chrono::seconds{least};
}

/// RFC 2782: a target of "." says that the service is not offered here.
bool offered(const ares_srv_reply& record) {
    const std::string_view host = record.host;
    return !host.empty() && host != "." && record.port != 0;
}

}  // namespace

SrvRecords parse_srv(std::span<const unsigned char> message) {
    ares_srv_reply* list = nullptr;
    const int status =
        ares_parse_srv_reply(message.data(), static_cast<int>(message.size()), &list);
    if (status != ARES_SUCCESS) return {{}, {}, ares_strerror(status)};
    const std::unique_ptr<void, void (*)(void*)> owner(list, ares_free_data);
    SrvRecords found;
    for (const auto* each = list; each != nullptr; each = each->next) {
        if (!offered(*each) || found.records.size() == kMostRecords) continue;
        found.records.push_back({each->host, each->port, each->priority, each->weight});
    }
    found.ttl = smallest_ttl(message);
    if (found.records.empty()) found.problem = "the service is not offered";
    return found;
}

}  // namespace proxyd::net
