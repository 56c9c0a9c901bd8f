#include "daemon/status_text.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>

#include "daemon/build_info.hpp"
#include "daemon/cache_text.hpp"

namespace proxyd::daemon {
namespace {

namespace json = boost::json;

/// "2026-01-31T12:00:00Z"
std::string time_text(std::int64_t unix_time) {
    const auto seconds = static_cast<std::time_t>(unix_time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string peer_line(const server::PeerStatus& peer) {
    std::string state = peer.state;
    if (!peer.cause.empty()) state += " (" + peer.cause + ")";
    std::string checks;
    if (peer.checked) {
        checks = fmt::format(", checks {} passed {} failed", peer.checks_passed,
                             peer.checks_failed);
    }
    return fmt::format(
        "  {:<24} {}{}: weight {}, in flight {}, requests {}, failures {}, idle {}{}, since {}\n",
        peer.address, state, peer.backup ? ", backup" : "", peer.weight, peer.in_flight,
        peer.requests, peer.failures, peer.idle_connections, checks, time_text(peer.since));
}

/// A sum, and what needs somebody.
std::string certificates_text(const std::vector<server::CertificateStatus>& certificates) {
    if (certificates.empty()) return "";
    const auto first = std::min_element(
        certificates.begin(), certificates.end(),
        [](const auto& a, const auto& b) { return a.not_after < b.not_after; });
    std::string text = fmt::format("certificates: {}, the first ends in {} days ({}, {})\n",
                                   certificates.size(), first->days_left, first->host,
                                   time_text(first->not_after));
    for (const server::CertificateStatus& each : certificates) {
        if (each.days_left >= config::kExpiresSoonDays && each.problem.empty()) continue;
        text += fmt::format("  {} {}: {} days left, until {}{}{}\n", each.host, each.file,
                            each.days_left, time_text(each.not_after),
                            each.problem.empty() ? "" : "; what lies there now is not served: ",
                            each.problem);
    }
    return text;
}

json::array certificate_array(const std::vector<server::CertificateStatus>& certificates) {
    json::array all;
    for (const server::CertificateStatus& each : certificates) {
        all.push_back(json::object{{"host", each.host},
                                   {"other_hosts", each.other_hosts},
                                   {"file", each.file},
                                   {"not_after", time_text(each.not_after)},
                                   {"days_left", each.days_left},
                                   {"problem", each.problem}});
    }
    return all;
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

/// Nothing where nobody spoke TLS.
std::string handshakes_line(const server::Status& status) {
    if (status.handshakes_tls12 + status.handshakes_tls13 + status.handshakes_failed == 0) {
        return "";
    }
    return fmt::format("tls handshakes: TLSv1.3 {}, TLSv1.2 {}, resumed {}, failed {}\n",
                       status.handshakes_tls13, status.handshakes_tls12,
                       status.handshakes_resumed, status.handshakes_failed);
}

json::object handshakes_object(const server::Status& status) {
    return {{"tls13", status.handshakes_tls13},
            {"tls12", status.handshakes_tls12},
            {"resumed", status.handshakes_resumed},
            {"failed", status.handshakes_failed}};
}

json::object mirrors_object(const server::Status& status) {
    return {{"running", status.mirrors_running},
            {"sent", status.mirrors_sent},
            {"failed", status.mirrors_failed},
            {"left_out", status.mirrors_left_out}};
}

json::object peer_object(const server::PeerStatus& peer) {
    return {{"address", peer.address},
            {"server", peer.server},
            {"state", peer.state},
            {"cause", peer.cause},
            {"since", time_text(peer.since)},
            {"ordered", peer.ordered},
            {"weight", peer.weight},
            {"backup", peer.backup},
            {"in_flight", peer.in_flight},
            {"requests", peer.requests},
            {"failures", peer.failures},
            {"idle_connections", peer.idle_connections},
            {"checked", peer.checked},
            {"checks_passed", peer.checks_passed},
            {"checks_failed", peer.checks_failed},
            {"last_check", peer.last_check}};
}

json::object upstream_object(const server::UpstreamStatus& upstream) {
    json::array peers;
    for (const server::PeerStatus& peer : upstream.peers) peers.push_back(peer_object(peer));
    return {{"name", upstream.name},
            {"waiting", upstream.waiting},
            {"retries", upstream.retries},
            {"retries_refused", upstream.retries_refused},
            {"peers", std::move(peers)}};
}

json::array upstream_array(const std::vector<server::UpstreamStatus>& upstreams) {
    json::array all;
    for (const auto& upstream : upstreams) all.push_back(upstream_object(upstream));
    return all;
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
    return text + handshakes_line(status) + mirrors_line(status) +
           certificates_text(status.certificates) + caches_text(status.caches) +
           upstreams_text(status.upstreams);
}

std::string upstreams_text(const std::vector<server::UpstreamStatus>& upstreams) {
    std::string text;
    for (const server::UpstreamStatus& upstream : upstreams) {
        text += "upstream " + upstream.name;
        if (upstream.waiting != 0) text += fmt::format(", waiting {}", upstream.waiting);
        if (upstream.retries != 0 || upstream.retries_refused != 0) {
            text += fmt::format(": retries {}, refused by retry.budget {}", upstream.retries,
                                upstream.retries_refused);
        }
        text += "\n";
        for (const server::PeerStatus& peer : upstream.peers) text += peer_line(peer);
    }
    return text;
}

std::string upstreams_json(const std::vector<server::UpstreamStatus>& upstreams) {
    return json::serialize(json::object{{"upstreams", upstream_array(upstreams)}}) + "\n";
}

std::string status_json(const server::Status& status) {
    const json::object object{
        {"version", version()},
        {"pid", ::getpid()},
        {"workers", status.workers},
        {"generation", status.generation},
        {"draining", status.draining},
        {"connections", status.connections},
        {"exchanges", status.exchanges},
        {"requests", status.requests},
        {"tls_handshakes", handshakes_object(status)},
        {"mirrors", mirrors_object(status)},
        {"listeners", json::array(status.listeners.begin(), status.listeners.end())},
        {"certificates", certificate_array(status.certificates)},
        {"caches", caches_array(status.caches)},
        {"upstreams", upstream_array(status.upstreams)}};
    return json::serialize(object) + "\n";
}

}  // namespace proxyd::daemon
