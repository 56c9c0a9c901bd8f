#include "cache_flow.hpp"

#include "cache_fill.hpp"
#include "cache_key.hpp"
#include "cache_status.hpp"
#include "error_log.hpp"
#include "local_response.hpp"
#include "proxyd/cache/vary.hpp"
#include "proxyd/proxy/cache_fills.hpp"
#include "response_head.hpp"
#include "retry_rule.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

using cache::Fill;
using http::FieldId;

/// How often a failed fill is begun anew by one of those who waited for it.
constexpr unsigned kHandovers = 1;
/// Another entry, another variant: each look may find something new, but not for ever.
constexpr unsigned kMostLooks = 16;
constexpr std::uint64_t kMostPromoted = 1 << 20;

}  // namespace

CacheFlow::CacheFlow(Exchange& exchange)
    : exchange_(exchange), plan_(exchange.plan->policy->cache), zone_(*plan_.zone) {
    exchange_.running = this;
}

CacheFlow::~CacheFlow() {
    exchange_.running = nullptr;
    if (!pipe_) return;
    exchange_.upstream.fields = nullptr;  // they lie in the fill
    pipe_->leave();
    // Nobody else wants it, and nobody knows yet whether it would be stored.
    if (pipe_->fill != nullptr && !own_fill_->joined() &&
        own_fill_->state() == Fill::State::waiting) {
        pipe_->fill->cancel(Error(Reason::client_closed, Source::downstream));
    }
}

/// Whatever the exchange waits for ends now, and often the exchange with it: last action.
void CacheFlow::cancel(const Error& why) {
    if (canceled_) return;
    canceled_ = why;
    const Lifetime::Watch here(lifetime_);
    if (exchange_.head_sent) exchange_.stream->reset(why);
    if (!here.ended()) waiter_.event.set();
    if (!here.ended() && pipe_) pipe_->given.set();
}

// Whether and under what --------------------------------------------------------------------

/// Only GET and HEAD without a body; a precondition is for the upstream to judge (RFC 9111 4).
bool CacheFlow::concerns_us() {
    const http::RequestHead& request = exchange_.request();
    const bool get = request.method == http::Method::get;
    if (!get && !(request.method == http::Method::head && plan_.settings->head)) return false;
    return request.upgrade.empty() && request.framing == http::Framing::none &&
           !request.fields.maybe(FieldId::if_match) &&
           !request.fields.maybe(FieldId::if_unmodified_since);
}

bool CacheFlow::must_not_be_asked() {
    if (any_set(plan_.settings->bypass, exchange_)) {
        note_miss("bypass", "configured");
        exchange_.cache.word = CacheWord::bypass;
        return true;
    }
    if (plan_.settings->honour_client) {
        asked_ = http::request_cache_control(exchange_.request().fields);
    }
    return false;
}

void CacheFlow::choose_key(std::string_view text) {
    text_ = text;
    key_ = cache::key_of(text);
}

/// The variant that this request chooses.
void CacheFlow::choose_variant(const cache::StoredHead& marker) {
    build_upstream_request(exchange_);
    std::string text;
    cache::append_variant(text, primary_, marker.vary, marker.salt, exchange_.outgoing.fields);
    choose_key(exchange_.arena.copy(text));
    varied_ = true;
}

void CacheFlow::look_up() {
    varied_ = false;
    choose_key(primary_);
    entry_ = zone_.find(key_, text_, now_);
    if (!entry_ || !entry_.head->is_marker()) return;
    const cache::HeadPtr marker = entry_.head;
    choose_variant(*marker);
    entry_ = zone_.find(key_, text_, now_);
}

/// What memory does not hold may lie on disk; a marker found there is memory's from then on.
Task<void> CacheFlow::look_up_store() {
    cache::CacheStore& store = *zone_.store();
    for (int level = 0; level < 2 && store.may_hold(key_); ++level) {
        auto reader = co_await store.open(exchange_.worker.loop(), key_, text_);
        if (!reader || canceled_) co_return;
        cache::Entry found;
        found.head = reader->head();
        if (found.head->is_marker()) {
            zone_.put(found, now_);
            choose_variant(*found.head);
            entry_ = zone_.find(key_, text_, now_);
            if (entry_) co_return;
            continue;
        }
        entry_ = found;
        reader_ = std::move(reader);
        co_await promote();
        co_return;
    }
}

/// What is small comes into memory with its first use.
Task<void> CacheFlow::promote() {
    const std::uint64_t size = entry_.head->body_size;
    if (size > std::min<std::uint64_t>(kMostPromoted, zone_.memory_object_limit())) co_return;
    std::vector<cache::ChunkPtr> chunks;
    if (size > 0) {
        auto whole = zone_.chunk(static_cast<std::size_t>(size));
        if (!whole) co_return;
        while (whole->size() < size) {
            auto piece = co_await reader_->read();
            if (!piece || !*piece || whole->append((*piece)->bytes()) == 0) break;
        }
        if (whole->size() < size) {  // broken: a miss
            entry_ = {};
            reader_.reset();
            co_return;
        }
        chunks.push_back(std::move(whole));
    }
    reader_.reset();
    if (!chunks.empty()) entry_.body = new cache::StoredBody(std::move(chunks));
    zone_.put(entry_, now_);
}

Task<bool> CacheFlow::run() {
    if (!concerns_us() || must_not_be_asked()) co_return true;
    primary_ = cache_key_text(exchange_);
    for (unsigned look = 0; look < kMostLooks; ++look) {
        const Next next = co_await step();
        if (canceled_ && !exchange_.head_sent) {
            co_await respond_error(exchange_, *canceled_);
            co_return false;
        }
        if (next == Next::done) co_return false;
        if (next == Next::upstream) co_return true;
    }
    note_miss("uri-miss", "busy");
    co_return true;
}

// One look ------------------------------------------------------------------------------------

Task<CacheFlow::Next> CacheFlow::step() {
    now_ = unix_now();
    reader_.reset();
    look_up();
    if (!entry_ && zone_.store() != nullptr) co_await look_up_store();
    if (canceled_) co_return Next::done;
    if (entry_) {
        const cache::Reuse reuse = cache::judge_reuse(entry_.head->validity, asked_, now_);
        if (reuse == cache::Reuse::fresh) co_return co_await serve(CacheWord::hit, {});
        if (reuse == cache::Reuse::stale) co_return co_await serve(CacheWord::stale, "max-stale");
    }
    if (asked_.only_if_cached) {  // RFC 9111 5.2.1.7
        co_await respond_error(exchange_, Error(Reason::not_in_cache, Source::downstream));
        co_return Next::done;
    }
    if (asked_.no_store) {
        note_miss("request", "no-store");
        co_return Next::upstream;
    }
    if (exchange_.request().method == http::Method::head && !entry_) {
        note_miss("method", {});
        co_return Next::upstream;
    }
    if (entry_ && !asked_.no_cache &&
        cache::judge_reuse(entry_.head->validity, {}, now_) == cache::Reuse::validate &&
        cache::stale_while_revalidate(entry_.head->validity, plan_.settings->stale_updating,
                                      now_)) {
        co_return co_await serve_updating();
    }
    co_return co_await fetch();
}

Task<CacheFlow::Next> CacheFlow::serve(CacheWord word, std::string_view detail) {
    CacheStatus status;
    status.hit = true;
    status.ttl = -cache::staleness(entry_.head->validity, now_) / 1000;
    status.detail = detail;
    set_cache_status(exchange_, word, status);
    exchange_.reason = Reason::cache_hit;
    CachedAnswer answer;
    answer.head = entry_.head;
    answer.body = entry_.body;
    answer.size = entry_.body ? entry_.body->size() : entry_.head->body_size;
    answer.reader = std::move(reader_);
    CacheServe serve(exchange_, std::move(answer), waiter_, canceled_);
    co_await serve.run();
    co_return Next::done;
}

cache::Zone::Ask CacheFlow::ask() const {
    cache::Zone::Ask ask;
    ask.known = entry_.head.get();
    ask.url = std::string(varied_ ? primary_ : plan_.url_key ? "" : cache_url(exchange_));
    return ask;
}

/// Nobody waits: the stored answer at once, and a new one in the background.
Task<CacheFlow::Next> CacheFlow::serve_updating() {
    const auto joined = zone_.join(key_, text_, ask(), now_);
    if (joined.entry) co_return Next::look_again;
    if (joined.leads && !plan_.settings->background_update) {
        begin_fill(joined.fill, false);
        co_return co_await follow(joined.fill, true);
    }
    if (joined.leads) begin_fill(joined.fill, true);
    co_return co_await serve(joined.leads ? CacheWord::stale : CacheWord::updating,
                             "stale-while-revalidate");
}

Task<CacheFlow::Next> CacheFlow::fetch() {
    cache::Zone::Ask wanted = ask();
    wanted.min_uses = plan_.settings->min_uses;
    wanted.alone = !plan_.settings->lock;
    auto joined = zone_.join(key_, text_, wanted, now_);
    if (joined.entry) co_return Next::look_again;
    if (joined.pass) {
        note_miss(miss_word(), "pass");
        co_return Next::upstream;
    }
    if (joined.leads) begin_fill(joined.fill, false);
    co_return co_await follow(std::move(joined.fill), joined.leads);
}

void CacheFlow::begin_fill(const cache::FillPtr& fill, bool background) {
    FillOrder order;
    order.fill = fill;
    order.stale = entry_;
    order.primary = primary_;
    order.asked = asked_;
    if (!background) {
        pipe_ = std::make_shared<PassPipe>();
        order.pipe = pipe_;
        own_fill_ = fill;
    }
    exchange_.worker.fills().start(std::make_unique<CacheFill>(exchange_, std::move(order)));
}

// The fill ------------------------------------------------------------------------------------

Task<CacheFlow::Next> CacheFlow::follow(cache::FillPtr fill, bool leads) {
    while (fill->wait_for_head(exchange_.worker.loop(), waiter_)) {
        co_await waiter_.event.wait();
        if (canceled_) co_return Next::done;
    }
    Fill::View view = fill->view();
    if (leads) adopt_upstream_facts();
    if (view.state == Fill::State::refused) {
        if (leads) co_return co_await pass_on(view.refused);
        note_miss(miss_word(), cache::word(view.refused));
        co_return Next::upstream;
    }
    if (view.state == Fill::State::failed) co_return co_await after_failure(view, leads);
    if (!leads && view.state == Fill::State::overflowed) {
        note_miss(miss_word(), "too-large");
        co_return Next::upstream;
    }
    if (!leads && !same_variant(*view.head)) co_return Next::look_again;
    const bool elsewhere = view.state == Fill::State::complete && !view.entry.body &&
                           view.head->body_size > 0;  // validated, and in the second tier only
    if (elsewhere && !reader_) co_return Next::look_again;
    co_return co_await serve_fill(std::move(fill), std::move(view), leads);
}

/// Whether the fill's answer is the one for this request too (RFC 9111 4.1).
bool CacheFlow::same_variant(const cache::StoredHead& head) {
    if (head.key_text == text_) return true;
    const std::string_view before = text_;
    const cache::Entry marker = zone_.find(cache::key_of(primary_), primary_, now_);
    if (!marker || !marker.head->is_marker()) return false;
    choose_variant(*marker.head);
    const bool same = head.key_text == text_;
    if (!same) choose_key(before);
    return same;
}

Task<CacheFlow::Next> CacheFlow::serve_fill(cache::FillPtr fill, Fill::View view, bool leads) {
    const bool validated =
        entry_ && view.state == Fill::State::complete && view.entry.body == entry_.body;
    CacheStatus status;
    status.fwd = miss_word();
    status.collapsed = !leads;
    status.fwd_status = validated ? 304 : view.head->status;
    status.stored = !fill->doomed();
    const CacheWord word = !leads      ? CacheWord::hit
                           : validated ? CacheWord::revalidated
                                       : fetched_word();
    set_cache_status(exchange_, word, status);
    if (!leads || validated) exchange_.reason = Reason::cache_hit;
    CachedAnswer answer;
    answer.head = view.head;
    answer.size = view.size;
    answer.body = view.entry.body;
    if (view.state != Fill::State::complete) answer.fill = std::move(fill);
    if (validated && reader_) answer.reader = std::move(reader_);
    if (answer.reader) answer.size = view.head->body_size;
    CacheServe serve(exchange_, std::move(answer), waiter_, canceled_);
    co_await serve.run();
    if (!serve.overflowed()) co_return Next::done;
    if (!leads) {  // the rest he fetches for himself
        exchange_.rest = serve.rest();
        co_return Next::upstream;
    }
    co_await pass_body();
    co_return Next::done;
}

bool CacheFlow::stale_helps(const Error& why) const {
    if (!entry_) return false;
    bool ordered = false;
    if (why.code == Reason::upstream_status) {
        ordered = true;  // it was judged by its status
    } else if (const auto word = retry_word(why.code)) {
        ordered = plan_.settings->has(*word);
    } else if (why.source == Source::upstream) {
        ordered = plan_.settings->has(config::RetryOn::error);
    }
    const bool failed = why.source == Source::upstream || why.code == Reason::timeout_total;
    return failed && cache::stale_if_error(entry_.head->validity, ordered, asked_, now_);
}

Task<CacheFlow::Next> CacheFlow::after_failure(const Fill::View& view, bool leads) {
    const Error why = view.error;
    if (stale_helps(why)) {
        if (leads) log_error(exchange_, why);
        co_return co_await serve(CacheWord::stale, word(why.code));
    }
    const bool abandoned = why.code == Reason::client_closed;  // by the client that began it
    if (!leads && (abandoned || failures_++ < kHandovers)) co_return Next::look_again;
    note_miss(miss_word(), {});
    co_await respond_error(exchange_, why);
    co_return Next::done;
}

/// What the fill got is for this client only.
Task<CacheFlow::Next> CacheFlow::pass_on(cache::Storable why) {
    while (pipe_->head == nullptr && !pipe_->failed && !canceled_) co_await pipe_->given.wait();
    if (canceled_) co_return Next::done;
    if (pipe_->head == nullptr) {
        co_await respond_error(exchange_, *pipe_->failed);
        co_return Next::done;
    }
    const http::ResponseHead& head = *pipe_->head;
    exchange_.upstream.fields = &head.fields;
    CacheStatus status;
    status.fwd = miss_word();
    status.fwd_status = head.status;
    status.detail = cache::word(why);
    set_cache_status(exchange_, fetched_word(), status);
    const http::SendOptions options = pipe_->options;
    relay_response_head(exchange_, head);
    exchange_.head_sent = true;
    const bool unbuffered = !exchange_.policy().buffering || wants_streaming(head);
    exchange_.stream->set_send_buffer(unbuffered ? 0 : exchange_.policy().buffer_response);
    auto sent = co_await exchange_.stream->send_head(exchange_.response, options);
    pipe_->head = nullptr;
    if (!sent) {
        exchange_.reason = sent.error().code;
        co_return Next::done;
    }
    pipe_->taken.set();
    if (!options.end) co_await pass_body();
    co_return Next::done;
}

Task<void> CacheFlow::pass_body() {
    const PassPipePtr pipe = pipe_;
    bool end = false;
    while (!end) {
        while (!pipe->piece && !pipe->failed && !canceled_) co_await pipe->given.wait();
        if (canceled_) co_return;
        if (!pipe->piece) {
            exchange_.reason = pipe->failed->code;
            exchange_.detail = pipe->failed->detail;
            exchange_.stream->reset(*pipe->failed);
            co_return;
        }
        end = pipe->options.end;
        exchange_.upstream.response_bytes += pipe->data.size();
        auto sent = co_await exchange_.stream->send(pipe->data, pipe->options);
        if (!sent) {
            exchange_.reason = sent.error().code;
            co_return;
        }
        pipe->piece = false;
        pipe->taken.set();
    }
}

// What is said of it ------------------------------------------------------------------------------

std::string_view CacheFlow::miss_word() const noexcept {
    if (entry_) return asked_.no_cache || asked_.max_age ? "request" : "stale";
    return varied_ ? "vary-miss" : "uri-miss";
}

CacheWord CacheFlow::fetched_word() const noexcept {
    return entry_ ? CacheWord::expired : CacheWord::miss;
}

void CacheFlow::note_miss(std::string_view fwd, std::string_view detail) {
    CacheStatus status;
    status.fwd = fwd;
    status.detail = detail;
    set_cache_status(exchange_, fetched_word(), status);
}

void CacheFlow::adopt_upstream_facts() {
    exchange_.upstream = pipe_->facts;
    exchange_.upstream.fields = nullptr;
}

}  // namespace proxyd::proxy
