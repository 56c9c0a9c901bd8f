#include "daemon/upstream_verb.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "daemon/control_words.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/status_text.hpp"

namespace proxyd::daemon {
namespace {

using server::ControlReply;
using Upstreams = std::vector<server::UpstreamStatus>;

constexpr std::string_view kPrefix = "upstream\t";

struct Request {
    std::string what, upstream, server;
    bool json = false;
};

Request parse(std::string_view line) {
    ControlWords words(line.substr(kPrefix.size()));
    Request request;
    request.what = words.next();
    request.upstream = words.next();
    request.server = words.next();
    request.json = words.next() == "json";
    return request;
}

ControlReply unknown_upstream(const Upstreams& upstreams, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& each : upstreams) names.push_back(each.name);
    return unknown_name("unknown upstream", name, names);
}

ControlReply unknown_server(const server::UpstreamStatus& upstream, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& each : upstream.peers) {
        names.push_back(each.address);
        names.push_back(each.server);
    }
    return unknown_name("upstream '" + upstream.name + "' has no server", name, names);
}

ControlReply list(Upstreams upstreams, const Request& request) {
    if (!request.upstream.empty()) {
        std::erase_if(upstreams, [&](const auto& each) { return each.name != request.upstream; });
    }
    return {kSuccess, request.json ? upstreams_json(upstreams) : upstreams_text(upstreams)};
}

std::optional<server::PeerOrder> order_of(std::string_view word) {
    if (word == "drain") return server::PeerOrder::drain;
    if (word == "down") return server::PeerOrder::down;
    if (word == "up") return server::PeerOrder::up;
    return std::nullopt;
}

const server::UpstreamStatus* find(const Upstreams& upstreams, const std::string& name) {
    const auto found =
        std::ranges::find_if(upstreams, [&](const auto& each) { return each.name == name; });
    return found == upstreams.end() ? nullptr : &*found;
}

ControlReply give_order(server::Server& server, const server::UpstreamStatus& upstream,
                        const Request& request) {
    const auto order = order_of(request.what);
    if (!order) return {kUsage, "proxyd: unknown control verb\n"};
    const auto reached = server.order_peers(upstream.name, request.server, *order);
    if (reached.empty()) return unknown_server(upstream, request.server);
    std::string text;
    const Upstreams now = server.upstreams();
    const auto& peers = find(now, upstream.name)->peers;
    for (const auto& peer : peers) {
        if (std::ranges::find(reached, peer.address) == reached.end()) continue;
        text += fmt::format(
            "proxyd: upstream '{}': {} is ordered {}, its state is {}, {} in "
            "flight\n",
            upstream.name, peer.address, peer.ordered, peer.state, peer.in_flight);
    }
    const bool served = std::ranges::any_of(
        peers, [](const auto& peer) { return peer.state == "up" || peer.state == "failed"; });
    if (!served) {
        text += fmt::format("proxyd: upstream '{}' has no server in service now\n", upstream.name);
    }
    return {kSuccess, text};
}

}  // namespace

std::string upstream_line(const Options& options) {
    return fmt::format("{}{}\t{}\t{}\t{}", kPrefix, options.order, options.upstream, options.server,
                       options.json ? "json" : "text");
}

bool is_upstream_line(std::string_view line) noexcept {
    return line.starts_with(kPrefix);
}

ControlReply answer_upstream(server::Server& server, std::string_view line) {
    const Request request = parse(line);
    Upstreams upstreams = server.upstreams();
    const server::UpstreamStatus* const upstream = find(upstreams, request.upstream);
    const bool all = request.what == "list" && request.upstream.empty();
    if (upstream == nullptr && !all) return unknown_upstream(upstreams, request.upstream);
    if (request.what == "list") return list(std::move(upstreams), request);
    return give_order(server, *upstream, request);
}

}  // namespace proxyd::daemon
