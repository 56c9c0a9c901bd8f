#include "listeners.hpp"

#include <future>

namespace proxyd::server {
namespace {

Error with_detail(Error error, const std::string& more) {
    error.detail += more;
    return error;
}

}  // namespace

Listeners::Listeners(async::Loop& loop, bool loop_is_ours, Acceptor::Deliver deliver,
                     std::function<bool()> may_accept)
    : loop_(loop),
      loop_is_ours_(loop_is_ours),
      deliver_(std::move(deliver)),
      may_accept_(std::move(may_accept)) {}

Listeners::~Listeners() = default;

void Listeners::on_loop(const std::function<void()>& work) {
    if (loop_is_ours_) return work();
    std::promise<void> done;
    loop_.post([&] {
        work();
        done.set_value();
    });
    done.get_future().wait();
}

Result<Listeners::Prepared> Listeners::prepare(const std::vector<config::Listener>& wanted) const {
    Prepared prepared;
    for (const config::Listener& listener : wanted) {
        auto endpoint = endpoint_of(listener.address);
        if (!endpoint) return std::move(endpoint).error();
        Prepared::Entry entry;
        entry.context =
            std::make_shared<const ListenerContext>(make_listener_context(listener, *endpoint));
        const std::string address = listener.address.text;
        if (!open_.contains(address)) {
            auto socket = net::open_listen_socket(*endpoint, listener.backlog);
            if (!socket) return with_detail(std::move(socket).error(), holder_of(*endpoint));
            entry.socket = std::move(*socket);
        }
        prepared.entries.insert_or_assign(address, std::move(entry));
    }
    return prepared;
}

/// Two sockets listen on one port only when their addresses differ and neither is a wildcard.
std::string Listeners::holder_of(const net::Endpoint& endpoint) const {
    for (const auto& [address, acceptor] : open_) {
        const net::Endpoint& other = acceptor->listener().endpoint;
        if (endpoint.is_unix() || other.is_unix() || other.port() != endpoint.port()) continue;
        if (!is_any(endpoint) && !is_any(other)) continue;
        return " (the running listener '" + acceptor->listener().name + "' holds " + address +
               ": this change needs a restart)";
    }
    return {};
}

void Listeners::commit(Prepared prepared) {
    on_loop([&] {
        std::erase_if(open_, [&](const auto& item) {
            const bool gone = !prepared.entries.contains(item.first);
            if (gone) item.second->take_queued();
            return gone;
        });
        for (auto& [address, entry] : prepared.entries) {
            const auto found = open_.find(address);
            if (found != open_.end()) {
                found->second->set_listener(entry.context);
                continue;
            }
            auto acceptor = std::make_unique<Acceptor>(loop_, std::move(entry.socket),
                                                       entry.context, deliver_, may_accept_);
            acceptor->start();
            open_.emplace(address, std::move(acceptor));
        }
    });
}

void Listeners::close_all() {
    if (open_.empty()) return;
    on_loop([&] {
        for (auto& [address, acceptor] : open_) acceptor->take_queued();
        open_.clear();
    });
}

std::vector<std::string> Listeners::describe() const {
    std::vector<std::string> lines;
    for (const auto& [address, acceptor] : open_) {
        lines.push_back(acceptor->listener().name + " " + address);
    }
    return lines;
}

}  // namespace proxyd::server
