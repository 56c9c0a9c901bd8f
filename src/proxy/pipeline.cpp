#include "pipeline.hpp"

#include <algorithm>
#include <array>

#include "local_response.hpp"
#include "proxyd/policy/body_limits.hpp"
#include "proxyd/policy/redirect.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

enum class Verdict : std::uint8_t { go_on, answer, error };

/// What a phase that does not go on leaves behind.
struct Outcome {
    LocalResponse answer;
    Error error;
};

constexpr std::size_t kLongestRequestId = 128;

bool is_sound_request_id(std::string_view id) {
    return !id.empty() && id.size() <= kLongestRequestId &&
           std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7f; });
}

using Phase = Verdict (*)(Exchange&, Outcome&);

Verdict refuse(Outcome& outcome, Error why) {
    outcome.error = std::move(why);
    return Verdict::error;
}

/// Who asks: everything behind (rules, logs, limits) speaks of this address.
Verdict real_ip(Exchange& exchange, Outcome&) {
    const http::StreamFacts& facts = exchange.stream->facts();
    exchange.client = exchange.plans().real_ip->resolve(facts.remote_address, facts.remote_port,
                                                        exchange.request().fields, exchange.arena);
    return Verdict::go_on;
}

/// One id through all logs: a trusted proxy's where it gave a sound one, else ours.
Verdict request_id(Exchange& exchange, Outcome&) {
    if (!exchange.client.trusted) return Verdict::go_on;
    const auto given = exchange.request().fields.get(http::FieldId::x_request_id);
    if (given && is_sound_request_id(*given)) exchange.adopt_request_id(*given);
    return Verdict::go_on;
}

/// A head that the codec refused gets its answer here, logged like any other.
Verdict refused_head(Exchange& exchange, Outcome& outcome) {
    const Error* why = exchange.stream->refused();
    return why == nullptr ? Verdict::go_on : refuse(outcome, *why);
}

/// The plan of the upstream that this client stays on.
const LocationPlan& share_of(const SplitPlan& split, const Exchange& exchange) {
    thread_local std::string key;
    key.clear();
    split.settings.key.expand(exchange, key);
    return split.plans[split.shares.choose(key.empty() ? exchange.client.text : key)];
}

/// Of a host that asks for client certificates only its own handshake lets in. Others are told by
/// name, so that a reload which changes the settings of a host does not turn its clients away.
bool agreed_for(const Exchange& exchange, const config::Host& host) {
    const http::StreamFacts& facts = exchange.stream->facts();
    if (host.tls == nullptr) return false;
    if (host.tls->identity == facts.tls->identity) return true;
    if (host.tls->asks_clients) return false;
    const routing::RoutedHost* agreed =
        exchange.plans().routes->find_host(facts.tls->server_name, facts.listener);
    return agreed != nullptr && agreed->config->tls == host.tls;
}

/// Whether this connection may carry the host's requests: plain ones are sent to https, and TLS
/// must have been agreed with what the host has (RFC 9110 15.5.20).
Verdict transport(Exchange& exchange, Outcome& outcome) {
    const config::Host& host = *exchange.scratch.host->config;
    const http::RequestHead& head = exchange.request();
    if (exchange.stream->facts().tls != nullptr) {
        if (agreed_for(exchange, host)) return Verdict::go_on;
        return refuse(outcome, Error(Reason::misdirected, Source::downstream, Retry::no,
                                     "TLS was agreed for another host"));
    }
    if (!host.redirect_http || client_scheme(exchange) == http::Scheme::https) {
        return Verdict::go_on;
    }
    if (head.authority.empty()) {
        return refuse(outcome, Error(Reason::bad_host, Source::downstream, Retry::no,
                                     "redirect_http needs the name of a host"));
    }
    outcome.answer.status = policy::permanent_redirect_status(head.method);
    outcome.answer.location =
        policy::https_target(head.authority, host.https_port, head.target, exchange.arena);
    return Verdict::answer;
}

/// Virtual host, then location, then its share of a split.
Verdict route(Exchange& exchange, Outcome& outcome) {
    const Plans& plans = exchange.plans();
    auto match = plans.routes->route(exchange.request(), exchange.stream->facts().listener,
                                     exchange.scratch);
    if (!match) {
        const routing::RoutedHost* host = exchange.scratch.host;
        if (host != nullptr) exchange.plan = plans.plans[plans.hosts[host->index]].get();
        if (match.error().code == Reason::no_location) {
            const Verdict verdict = transport(exchange, outcome);
            if (verdict != Verdict::go_on) return verdict;
        }
        return refuse(outcome, std::move(match).error());
    }
    exchange.match = *match;
    exchange.plan = plans.plans[plans.locations[match->location_index]].get();
    if (exchange.plan->split != nullptr) exchange.plan = &share_of(*exchange.plan->split, exchange);
    exchange.limit_total(exchange.plan->timeouts.total);
    return Verdict::go_on;
}

Verdict methods(Exchange& exchange, Outcome& outcome) {
    if (exchange.plan->policy->methods.allows(exchange.request())) return Verdict::go_on;
    return refuse(outcome, Error(Reason::method_not_allowed, Source::downstream));
}

/// Before anything that costs: the announced length, and what is counted while reading.
Verdict body_limit(Exchange& exchange, Outcome& outcome) {
    if (policy::announces_too_much(exchange.request(), exchange.policy())) {
        return refuse(outcome, Error(Reason::body_too_large, Source::downstream, Retry::no,
                                     "Content-Length is above max_body_size"));
    }
    exchange.stream->set_max_body(exchange.policy().max_body_size);
    return Verdict::go_on;
}

/// `return`, `redirect`, and the slash that a directory-like location wants.
Verdict local_action(Exchange& exchange, Outcome& outcome) {
    const http::Method method = exchange.request().method;
    if (exchange.match.slash_redirect) {
        outcome.answer.status = policy::permanent_redirect_status(method);
        outcome.answer.location = routing::slash_redirect_target(exchange.match, exchange.arena);
        return Verdict::answer;
    }
    if (exchange.plan->group != nullptr) return Verdict::go_on;
    const config::Action& action = exchange.match.location->config->action;
    if (action.kind == config::Action::Kind::redirect) {
        outcome.answer.status = policy::redirect_status(action, method);
        outcome.answer.location = policy::redirect_target(action.text, exchange, exchange.arena);
        return Verdict::answer;
    }
    std::string body;
    action.text.expand(exchange, body);
    outcome.answer.status = action.status;
    outcome.answer.body = exchange.arena.copy(body);
    outcome.answer.content_type = action.content_type;
    return Verdict::answer;
}

Verdict upgrade_allowed(Exchange& exchange, Outcome& outcome) {
    if (exchange.request().upgrade.empty() || exchange.policy().websocket) return Verdict::go_on;
    return refuse(outcome, Error(Reason::upgrade_refused, Source::downstream, Retry::no,
                                 "websocket is off here"));
}

/// The path as the upstream sees it.
Verdict forward_path(Exchange& exchange, Outcome& outcome) {
    auto target =
        routing::forward_target(exchange.match, exchange.request(), exchange, exchange.arena);
    if (!target) return refuse(outcome, std::move(target).error());
    exchange.target = *target;
    return Verdict::go_on;
}

constexpr std::array<Phase, 10> kPhases{
    real_ip,          // first: every later phase and the log speak of the client
    request_id,       // needs the verdict on the peer; every answer and line has it
    refused_head,     // nothing of a broken request is looked at further
    route,            // decides whose rules hold
    transport,        // nothing of a host is told over the wrong connection
    methods,          // cheap refusals before anything is read
    body_limit,       //
    local_action,     // answers that need no upstream
    upgrade_allowed,  //
    forward_path,     // last: what goes upstream, if it goes there
};

}  // namespace

Task<bool> run_pipeline(Exchange& exchange) {
    Outcome outcome;
    for (const Phase phase : kPhases) {
        const Verdict verdict = phase(exchange, outcome);
        if (verdict == Verdict::go_on) continue;
        if (verdict == Verdict::answer) {
            co_await respond(exchange, outcome.answer);
        } else {
            co_await respond_error(exchange, std::move(outcome.error));
        }
        co_return false;
    }
    co_return true;
}

}  // namespace proxyd::proxy
