#include "forward.hpp"

#include <algorithm>
#include <charconv>

#include "attempt_settings.hpp"
#include "cache_key.hpp"
#include "error_log.hpp"
#include "error_pages.hpp"
#include "local_response.hpp"
#include "mirror.hpp"
#include "proxyd/http/hop_by_hop.hpp"
#include "response_head.hpp"
#include "retry_rule.hpp"
#include "tunnel.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

using http::Framing;
using std::chrono::milliseconds;

/// Bodies up to this size go out with the head, before the answer is looked for.
constexpr std::size_t kInlineBody = 32 * 1024;
constexpr std::size_t kPiece = 256 * 1024;
/// How long the rest of a body may follow an answer that is complete and no error.
constexpr milliseconds kUploadGrace{1000};
/// A pool can hold many connections that died together.
constexpr unsigned kMaxStale = 3;

upstream::AttemptSettings settings_of(const Exchange& exchange) {
    const LocationPlan& plan = *exchange.plan;
    upstream::AttemptSettings settings = attempt_settings(exchange, *plan.group, plan.timeouts);
    settings.preferred = exchange.sticky_peer;
    return settings;
}

/// Over HTTP/2 every success opens the tunnel that was asked for (RFC 8441 5): only 101 may.
bool passes_for_a_tunnel(const http::RequestHead& request, int status) {
    return request.version == http::Version::http2 && !request.upgrade.empty() && status < 300;
}

}  // namespace

Forward::Forward(Exchange& exchange)
    : exchange_(exchange),
      settings_(exchange.plan->group->settings()),
      attempts_(exchange.worker.pools(), *exchange.plan->group, settings_of(exchange)),
      body_(exchange.stream->body(), exchange.request()),
      idempotent_(http::is_idempotent(exchange.request().method)) {
    exchange_.running = this;
}

Forward::~Forward() {
    exchange_.running = nullptr;
    exchange_.upstream.fields = nullptr;
}

void Forward::cancel(const Error& why) {
    if (canceled_ || finished_) return;
    canceled_ = why;
    // Whatever the exchange waits for ends now, and often the exchange with it.
    const Lifetime::Watch here(lifetime_);
    if (!stream_) {
        body_.stop();
        if (!here.ended()) attempts_.cancel(why);
    } else {
        if (exchange_.head_sent) exchange_.stream->reset(why);
        if (!here.ended()) stream_->reset(why);
    }
}

Task<void> Forward::run() {
    const config::Policy& policy = exchange_.policy();
    if (body_.present() && wants_request_buffering(exchange_.request(), policy)) {
        auto ready =
            co_await body_.buffer(policy.buffer_request, exchange_.outgoing.content_length);
        if (!ready) {
            co_await respond_error(exchange_, canceled_ ? *canceled_ : ready.error());
            co_return;
        }
        settle_framing(body_, exchange_.outgoing);
    }
    if (exchange_.plan->policy->mirror.group != nullptr) mirror_request(exchange_, body_);
    while (true) {
        auto head = co_await try_once();
        if (head && settles((*head)->status)) {
            note_try((*head)->status);
            co_await relay(**head);
            co_return;
        }
        Next next = Next::other_peer;
        Error why(Reason::upstream_status, Source::upstream);
        if (head) {
            note_try((*head)->status);
        } else {
            why = canceled_ ? *canceled_ : client_failed_ ? *client_failed_ : head.error();
            next = canceled_ || client_failed_ ? Next::give_up : after(why);
            note_try(status_of(why.code));
        }
        co_await end_attempt();
        if (next == Next::give_up) {
            co_await respond_error(exchange_, why);
            co_return;
        }
        log_attempt(exchange_, why, next == Next::same_peer);
        same_peer_ = next == Next::same_peer;
    }
}

Task<void> Forward::end_upload(milliseconds grace) {
    if (uploads_.size() == 0) co_return;
    async::Deadline over(
        exchange_.worker.loop().wheel(),
        [](void* self) { static_cast<Forward*>(self)->stop_upload(); }, this);
    over.arm(grace);
    if (!over.armed()) stop_upload();
    co_await uploads_.join();
}

/// Often ends the upload, and with it whoever waits for it: last action.
void Forward::stop_upload() {
    const Lifetime::Watch here(lifetime_);
    stream_->reset(Error(Reason::upstream_closed, Source::upstream));
    if (!here.ended()) body_.stop();
}

/// Closes what the last try left open, so that the next one starts clean.
Task<void> Forward::end_attempt() {
    co_await end_upload(milliseconds{0});
    stream_.reset();
}

Task<Result<http::ResponseHead*>> Forward::try_once() {
    began_ = exchange_.worker.loop().now();
    // What cannot be sent twice wants a connection that was looked at.
    const bool may_fail = idempotent_ && body_.held();
    auto opened = co_await attempts_.open(may_fail, std::exchange(same_peer_, false));
    if (canceled_) co_return *canceled_;
    if (!opened) co_return std::move(opened).error();
    stream_ = std::move(*opened);
    exchange_.upstream.connect_time = attempts_.connect_time().count();

    http::SendOptions options;
    options.end = !body_.present();
    auto sent = co_await stream_->send_head(exchange_.outgoing, options);
    if (body_.present()) {
        if (body_.held() && body_.buffered().size() <= kInlineBody) {
            sent = co_await body_.send_to(*stream_);
        } else {
            uploads_.spawn(upload());
        }
    }
    // A failed send is not the answer: the peer may have said why before it closed.
    auto head = co_await read_final_head();
    exchange_.upstream.header_time = exchange_.worker.loop().now() - began_;
    co_return head;
}

Task<Result<http::ResponseHead*>> Forward::read_final_head() {
    while (true) {
        auto head = co_await stream_->read_head();
        if (canceled_) co_return *canceled_;
        if (!head) co_return head;
        const int status = (*head)->status;
        if (status >= 200 || status == 101) co_return head;
        // 100 was ours to give; the others are the client's.
        if (status == 100) continue;
        http::remove_hop_by_hop((*head)->fields);
        if (auto passed = co_await exchange_.stream->send_informational(**head); !passed) {
            co_return std::move(passed).error();
        }
    }
}

Task<void> Forward::upload() {
    auto sent = co_await body_.send_to(*stream_);
    if (sent || canceled_ || sent.error().source != Source::downstream) co_return;
    if (exchange_.head_sent) {
        // The answer does not wait for the rest of the request, but who left wants no answer.
        if (sent.error().code == Reason::client_closed) cancel(sent.error());
        co_return;
    }
    client_failed_ = sent.error();
    if (stream_) stream_->reset(*client_failed_);
}

Forward::Next Forward::after(const Error& why) {
    const bool stale = why.retry == Retry::only_if_reused && stream_ && stream_->reused() &&
                       (idempotent_ || settings_.retry.non_idempotent);
    // HTTP/2: the peer says that it did nothing with the stream (RFC 9113 8.7).
    const bool refused = why.retry == Retry::yes && stream_;
    if ((stale || refused) && body_.replayable() && stale_ < kMaxStale) {
        ++stale_;
        return Next::same_peer;
    }
    const bool nobody =
        why.code == Reason::no_live_upstream || why.code == Reason::no_healthy_upstream;
    if (why.source != Source::upstream || nobody) return Next::give_up;
    attempts_.failed(why);
    const auto word = retry_word(why.code);
    if (!word) return Next::give_up;
    return may_ask_another(*word, why) ? Next::other_peer : Next::give_up;
}

bool Forward::may_ask_another(config::RetryOn word, const Error& why) {
    const config::Retry& retry = settings_.retry;
    const unsigned limit = retry.attempts != 0 ? retry.attempts : UINT32_MAX;
    const bool nothing_sent = why.retry == Retry::yes;
    return retry.has(word) && attempts_.count() < limit && body_.replayable() &&
           (nothing_sent || idempotent_ || retry.non_idempotent) &&
           (retry.timeout.count() == 0 || exchange_.elapsed() < retry.timeout.count()) &&
           attempts_.another_peer_left() && within_budget(why) &&
           attempts_.reserve_next(why.code != Reason::upstream_status);
}

/// Where nothing was sent, a second peer gets no more than the first was spared.
bool Forward::within_budget(const Error& why) {
    const upstream::Group& group = *exchange_.plan->group;
    if (why.retry == Retry::yes) {
        group.state().budget.take_free();
        return true;
    }
    if (group.state().budget.take(group.attempts(), settings_.retry.budget)) return true;
    log_over_budget(exchange_, why);
    return false;
}

/// What a status says of its peer's health; false when another peer shall be asked instead.
bool Forward::settles(int status) {
    const Error why(Reason::upstream_status, Source::upstream);
    const auto word = retry_word(status);
    const bool listed = word && settings_.retry.has(*word);
    // 403 and 404 are about the request, whoever lists them (nginx's max_fails counts neither).
    if (listed && *word != config::RetryOn::http_403 && *word != config::RetryOn::http_404) {
        attempts_.failed(why);
    } else {
        attempts_.succeeded();
    }
    return !listed || !may_ask_another(*word, why);
}

/// For the log: whom we asked and what came of it.
void Forward::note_try(int status) {
    UpstreamFacts& facts = exchange_.upstream;
    facts.addresses = attempts_.addresses();
    facts.peer = attempts_.peer();
    facts.response_time = exchange_.worker.loop().now() - began_;
    if (!facts.statuses.empty()) facts.statuses.append(", ");
    char digits[8];
    facts.statuses.append(digits, std::to_chars(digits, digits + sizeof digits, status).ptr);
}

// The answer ----------------------------------------------------------------------------------

Task<void> Forward::relay(http::ResponseHead& head) {
    exchange_.upstream.fields = &head.fields;
    if (head.status == 101) {
        co_await tunnel(head);
        co_return;
    }
    if (passes_for_a_tunnel(exchange_.request(), head.status)) {
        finished_ = true;
        co_await end_attempt();
        Error why(Reason::upstream_bad_response, Source::upstream, Retry::no,
                  "success without 101 for a WebSocket");
        co_await respond_error(exchange_, std::move(why));
        co_return;
    }
    if (exchange_.rest) {
        co_await relay_rest(head);
        co_return;
    }
    const config::Policy& policy = exchange_.policy();
    if (policy.intercept_errors && exchange_.fill == nullptr && head.status >= 400 &&
        find_error_page(policy, head.status) != nullptr) {
        co_await respond_intercepted(exchange_, head.status);
    } else {
        const bool unbuffered = !policy.buffering || wants_streaming(head);
        if (exchange_.plan->policy->cache.zone) invalidate_stored(exchange_, head);
        relay_response_head(exchange_, head);
        const bool has_body =
            head.framing != Framing::none && exchange_.request().method != http::Method::head;
        exchange_.stream->set_send_buffer(unbuffered ? 0 : policy.buffer_response);
        http::SendOptions options;
        options.end = !has_body;
        options.flush = has_body && !stream_->body().ready();
        exchange_.head_sent = true;
        if (!has_body) attempts_.answered();
        auto sent = co_await exchange_.stream->send_head(exchange_.response, options);
        if (!sent) {
            exchange_.reason = sent.error().code;
        } else if (has_body) {
            co_await copy_body(unbuffered);
        }
    }
    exchange_.upstream.response_time = exchange_.worker.loop().now() - began_;
    finished_ = true;
    // An answer that came early may have said all; one that kept pace is about to see the end.
    co_await end_upload(exchange_.status < 400 ? kUploadGrace : milliseconds{0});
}

/// The client has the head and the beginning from a fill that was given up.
Task<void> Forward::relay_rest(http::ResponseHead& head) {
    const AnswerRest& rest = *exchange_.rest;
    const auto etag = head.fields.get(http::FieldId::etag).value_or("");
    const auto modified = head.fields.get(http::FieldId::last_modified).value_or("");
    const bool known = !rest.etag.empty() || !rest.last_modified.empty();
    if (!known || head.status != rest.status || etag != rest.etag ||
        modified != rest.last_modified || head.framing == Framing::none) {
        const Error why(Reason::upstream_body_cut, Source::upstream, Retry::no,
                        "the rest of a shared answer cannot be told to be of the same one");
        co_await respond_error(exchange_, why);
    } else {
        co_await copy_body(false);
    }
    exchange_.upstream.response_time = exchange_.worker.loop().now() - began_;
    finished_ = true;
}

Task<void> Forward::copy_body(bool unbuffered) {
    http::BodySource& source = stream_->body();
    std::uint64_t skip = exchange_.rest ? exchange_.rest->skip : 0;
    while (true) {
        auto part = co_await source.read(kPiece);
        if (!part) {
            const Error& why = canceled_ ? *canceled_ : part.error();
            exchange_.reason = why.code;
            exchange_.detail = why.detail;
            log_error(exchange_, why);
            exchange_.stream->reset(why);
            co_return;
        }
        exchange_.upstream.response_bytes += part->data.size();
        http::SendOptions options;
        options.end = part->end;
        options.trailers = part->trailers;
        options.flush = unbuffered || !source.ready();
        if (part->end) attempts_.answered();
        const std::size_t known = std::min<std::uint64_t>(skip, part->data.size());
        skip -= known;
        auto sent = co_await exchange_.stream->send(part->data.substr(known), options);
        if (!sent) {
            exchange_.reason = sent.error().code;
            stream_->reset(sent.error());
            co_return;
        }
        if (part->end) co_return;
    }
}

Task<void> Forward::tunnel(http::ResponseHead& head) {
    auto upstream_end = stream_->upgrade();
    relay_response_head(exchange_, head);
    exchange_.head_sent = exchange_.upgraded = true;
    auto client_end = co_await exchange_.stream->upgrade(exchange_.response);
    if (!client_end) {
        exchange_.reason = client_end.error().code;
        co_return;
    }
    const TunnelResult result = co_await run_tunnel(
        exchange_.worker.loop(), **client_end, *upstream_end, exchange_.plan->timeouts.upgraded);
    exchange_.reason = canceled_ ? canceled_->code : result.reason;
    const bool ours = exchange_.reason != Reason::none && exchange_.reason != Reason::tunnel_closed;
    if (ours) log_error(exchange_, Error(exchange_.reason));
    exchange_.upstream.response_bytes = result.to_client;
    exchange_.upstream.response_time = exchange_.worker.loop().now() - began_;
}

}  // namespace proxyd::proxy
