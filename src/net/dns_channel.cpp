#include "net/dns_channel.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace proxyd::net {
namespace {

using std::chrono::milliseconds;

/// A lost packet, or a server that is dead, costs a fifth of the time that there is for all.
constexpr int kTriesInLimit = 5;
constexpr milliseconds kShortestTry{50};
constexpr int kTries = 3;

/// c-ares wants it once, before there are channels.
int library() {
    static const int status = ares_library_init(ARES_LIB_INIT_ALL);
    return status;
}

std::string join(const std::vector<std::string>& servers) {
    std::string all;
    for (const std::string& server : servers) all += (all.empty() ? "" : ",") + server;
    return all;
}

}  // namespace

/// A server that fails is passed over for the next one; the reason is lost then. With one server it
/// is told.
DnsChannel::DnsChannel(const ResolverOptions& options, const char* lookups) {
    int status = library();
    if (status == ARES_SUCCESS) status = open(options, lookups, 0);
    if (status == ARES_SUCCESS && has_one_server()) {
        ares_destroy(std::exchange(channel_, nullptr));
        status = open(options, lookups, ARES_FLAG_NOCHECKRESP);
    }
    if (status != ARES_SUCCESS) problem_ = ares_strerror(status);
}

int DnsChannel::open(const ResolverOptions& options, const char* lookups, int flags) {
    std::string order = lookups;
    ares_options wanted{};
    wanted.flags = flags;
    wanted.timeout =
        static_cast<int>(std::max(options.limit / kTriesInLimit, kShortestTry).count());
    wanted.tries = kTries;
    wanted.lookups = order.data();
    wanted.sock_state_cb = note;
    wanted.sock_state_cb_data = this;
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
                     ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&channel_, &wanted, mask);
    if (status == ARES_SUCCESS && !options.servers.empty()) {
        status = ares_set_servers_ports_csv(channel_, join(options.servers).c_str());
    }
    return status;
}

bool DnsChannel::has_one_server() const {
    ares_addr_node* list = nullptr;
    if (ares_get_servers(channel_, &list) != ARES_SUCCESS) return false;
    const bool one = list != nullptr && list->next == nullptr;
    ares_free_data(list);
    return one;
}

DnsChannel::~DnsChannel() {
    if (channel_ != nullptr) ares_destroy(channel_);
}

void DnsChannel::note(void* self, ares_socket_t socket, int readable, int writable) {
    auto& sockets = static_cast<DnsChannel*>(self)->sockets_;
    const int events = (readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0);
    if (events == 0) {
        sockets.erase(socket);
    } else {
        sockets[socket] = static_cast<short>(events);
    }
}

void DnsChannel::drive(int wake, milliseconds most) {
    timeval limit{most.count() / 1'000, most.count() % 1'000 * 1'000};
    timeval left{};
    const timeval& wait = *ares_timeout(channel_, &limit, &left);
    std::vector<pollfd> watched{{wake, POLLIN, 0}};
    for (const auto& [socket, events] : sockets_) watched.push_back({socket, events, 0});
    const auto milli = wait.tv_sec * 1'000 + (wait.tv_usec + 999) / 1'000;
    ::poll(watched.data(), watched.size(), static_cast<int>(milli));
    for (std::size_t i = 1; i < watched.size(); ++i) {
        const pollfd& each = watched[i];
        const bool broken = (each.revents & (POLLERR | POLLHUP)) != 0;
        const bool readable = broken || (each.revents & POLLIN) != 0;
        const bool writable = (each.revents & POLLOUT) != 0;
        if (!readable && !writable) continue;
        process(readable ? each.fd : ARES_SOCKET_BAD, writable ? each.fd : ARES_SOCKET_BAD);
    }
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what has waited too long
}

}  // namespace proxyd::net
