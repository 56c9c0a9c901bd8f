#include "daemon/status_text.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "daemon/build_info.hpp"

namespace proxyd::daemon {
namespace {

namespace json = boost::json;

std::string peer_line(const server::PeerStatus& peer) {
    std::string state = peer.state;
    if (!peer.cause.empty()) state += " (" + peer.cause + ")";
    return fmt::format(
        "  {:<24} {}{}: weight {}, in flight {}, requests {}, failures {}, idle {}\n", peer.address,
        state, peer.backup ? ", backup" : "", peer.weight, peer.in_flight, peer.requests,
        peer.failures, peer.idle_connections);
}

/// Nothing where nobody asked for copies.
std::string mirrors_line(const server::Status& status) {
    if (status.mirrors_running + status.mirrors_sent + status.mirrors_failed +
            status.mirrors_left_out ==
        0) {
        return "";
    }
    return fmt::format("mirrors: running {}, sent {}, failed {}, left out {}\n",
                       status.mirrors_running, status.mirrors_sent, status.mirrors_failed,
                       status.mirrors_left_out);
}

json::object mirrors_object(const server::Status& status) {
    return {{"running", status.mirrors_running},
            {"sent", status.mirrors_sent},
            {"failed", status.mirrors_failed},
            {"left_out", status.mirrors_left_out}};
}

json::object peer_object(const server::PeerStatus& peer) {
    return {{"address", peer.address},
            {"state", peer.state},
            {"cause", peer.cause},
            {"weight", peer.weight},
            {"backup", peer.backup},
            {"in_flight", peer.in_flight},
            {"requests", peer.requests},
            {"failures", peer.failures},
            {"idle_connections", peer.idle_connections}};
}

json::object upstream_object(const server::UpstreamStatus& upstream) {
    json::array peers;
    for (const server::PeerStatus& peer : upstream.peers) peers.push_back(peer_object(peer));
    return {{"name", upstream.name}, {"waiting", upstream.waiting}, {"peers", std::move(peers)}};
}

}  // namespace

std::string listeners_text(const config::Snapshot& snapshot) {
    std::vector<std::string> names;
    for (const config::Listener& each : snapshot.listeners) {
        names.push_back(each.name + " " + each.address.text);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::string status_text(const server::Status& status) {
    std::string text = fmt::format(
        "proxyd {}, pid {}{}\n"
        "workers: {}\n"
        "generation: {}\n"
        "connections: {}\n"
        "exchanges: {}\n"
        "requests: {}\n"
        "listeners: {}\n",
        version(), ::getpid(), status.draining ? ", draining" : "", status.workers,
        status.generation, status.connections, status.exchanges, status.requests,
        fmt::join(status.listeners, ", "));
    text += mirrors_line(status);
    for (const server::UpstreamStatus& upstream : status.upstreams) {
        text += "upstream " + upstream.name;
        if (upstream.waiting != 0) text += fmt::format(", waiting {}", upstream.waiting);
        text += '\n';
        for (const server::PeerStatus& peer : upstream.peers) text += peer_line(peer);
    }
    return text;
}

std::string status_json(const server::Status& status) {
    json::array upstreams;
    for (const auto& upstream : status.upstreams) upstreams.push_back(upstream_object(upstream));
    const json::object object{
        {"version", version()},
        {"pid", ::getpid()},
        {"workers", status.workers},
        {"generation", status.generation},
        {"draining", status.draining},
        {"connections", status.connections},
        {"exchanges", status.exchanges},
        {"requests", status.requests},
        {"mirrors", mirrors_object(status)},
        {"listeners", json::array(status.listeners.begin(), status.listeners.end())},
        {"upstreams", std::move(upstreams)}};
    return json::serialize(object) + "\n";
}

}  // namespace proxyd::daemon
