#include "peer_check.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "proxyd/base/log.hpp"
#include "proxyd/base/random.hpp"
#include "proxyd/http/fields/host.hpp"

namespace proxyd::upstream {
namespace {

/// The first checks of a start or reload spread over this much.
constexpr config::Duration kFirstSpread{1'000};
/// Until another try when too many checks run.
constexpr config::Duration kBusyPause{50};

std::int64_t random_below(std::int64_t limit) {
    const auto below = static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 1));
    return static_cast<std::int64_t>(random_number() % below);
}

/// The Host field where the check names none.
std::string host_of(const Peer& peer) {
    if (peer.endpoint->is_unix()) return "localhost";
    if (peer.server.starts_with("srv:")) return peer.host;
    constexpr std::string_view kScheme = "https://";
    return peer.server.substr(peer.server.starts_with(kScheme) ? kScheme.size() : 0);
}

/// The connection begins as one for a request does, but for nobody.
Opening opening_for(const ProbePlan& plan) {
    AttemptSettings nobody;
    const vars::Template& name = plan.upstream->tls.server_name;
    if (name.constant()) nobody.server_name = name.literal();
    nobody.asked_host = http::host_of(plan.host);
    return opening_of(*plan.upstream, plan.peer, nobody);
}

ProbePlan plan_of(const CheckedPeer& checked) {
    const config::HealthCheck& settings = *checked.upstream->health_check;
    ProbePlan plan;
    plan.upstream = checked.upstream;
    plan.peer = checked.peer;
    if (settings.port != 0 && !plan.peer.endpoint->is_unix()) {
        const net::Endpoint other = plan.peer.endpoint->with_port(settings.port);
        plan.peer.endpoint = std::make_shared<const net::Endpoint>(other);
    }
    plan.host = settings.host.empty() ? host_of(checked.peer) : settings.host;
    plan.opening = opening_for(plan);
    if (settings.body.starts_with('~')) {
        plan.body = std::make_shared<const re2::RE2>(settings.body.substr(1), RE2::Quiet);
    }
    return plan;
}

/// What a passed check contradicts: nobody was there. Not that requests went wrong.
bool was_gone(Reason why) {
    return why == Reason::upstream_refused || why == Reason::upstream_unreachable ||
           why == Reason::upstream_reset || why == Reason::upstream_closed ||
           why == Reason::upstream_timeout_connect;
}

}  // namespace

PeerCheck::PeerCheck(HealthChecker& checker, CheckedPeer peer)
    : checker_(checker),
      peer_(std::move(peer)),
      plan_(plan_of(peer_)),
      next_(
          checker.loop().wheel(), [](void* self) { static_cast<PeerCheck*>(self)->begin(); },
          this) {}

bool PeerCheck::same_as(const CheckedPeer& peer) const {
    const ProbePlan other = plan_of(peer);
    return *peer.upstream->health_check == settings() && other.host == plan_.host &&
           other.opening.tag == plan_.opening.tag &&
           other.peer.endpoint->text() == plan_.peer.endpoint->text();
}

void PeerCheck::start() {
    const auto spread = std::min(settings().interval, kFirstSpread);
    next_.arm(config::Duration(1 + random_below(spread.count())));
}

void PeerCheck::retire() {
    retired_ = true;
    next_.disarm();
    if (probe_ != nullptr) probe_->cancel();
}

void PeerCheck::begin() {
    if (checker_.running().size() >= HealthChecker::kMostAtOnce) return next_.arm(kBusyPause);
    checker_.running().spawn(check(shared_from_this()));
}

Task<void> PeerCheck::check(std::shared_ptr<PeerCheck> self) {
    self->began_ = self->checker_.loop().now();
    HealthProbe probe(self->checker_.loop(), self->checker_.contexts(), self->plan_);
    self->probe_ = &probe;
    const std::string cause = co_await probe.run();
    self->probe_ = nullptr;
    if (self->retired_) co_return;
    if (probe.could_ask()) self->judge(cause);
    self->schedule(self->began_);
}

/// A tenth to either side, so that many checks do not keep step.
void PeerCheck::schedule(async::Milliseconds began) {
    const std::int64_t interval = settings().interval.count();
    const std::int64_t wait = interval * 9 / 10 + random_below(interval / 5);
    const std::int64_t spent = checker_.loop().now() - began;
    next_.arm(config::Duration(std::max<std::int64_t>(wait - spent, 1)));
}

void PeerCheck::judge(const std::string& cause) {
    peer_.peer.state->note_check(cause.empty(), cause);
    if (cause.empty()) {
        failed_in_row_ = 0;
        ++passed_in_row_;
        passed();
    } else {
        passed_in_row_ = 0;
        ++failed_in_row_;
        failed(cause);
    }
}

void PeerCheck::passed() {
    PeerState& state = *peer_.peer.state;
    if (state.unhealthy.load(std::memory_order_relaxed)) {
        if (passed_in_row_ < settings().rise) return;
        log::info("upstream '{}': {} is healthy again after {} passed checks", peer_.upstream->name,
                  peer_.peer.address, passed_in_row_);
        state.end_rest();
        state.set_unhealthy(false);
        return;
    }
    const async::Milliseconds now = checker_.loop().now();
    if (!state.failed_at(now) || !was_gone(state.last_failure())) return;
    if (state.since(now) > began_) return;  // it failed since then
    log::info("upstream '{}': {} is back, a check passed", peer_.upstream->name,
              peer_.peer.address);
    state.end_rest();
}

void PeerCheck::failed(const std::string& cause) {
    PeerState& state = *peer_.peer.state;
    if (failed_in_row_ < settings().fall) return;
    if (state.unhealthy.load(std::memory_order_relaxed)) return;
    log::warn("upstream '{}': {} is unhealthy after {} failed checks ({})", peer_.upstream->name,
              peer_.peer.address, failed_in_row_, cause);
    state.set_unhealthy(true);
}

}  // namespace proxyd::upstream
