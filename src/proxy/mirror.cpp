#include "mirror.hpp"

#include <algorithm>

#include "attempt_settings.hpp"
#include "proxyd/base/random.hpp"

namespace proxyd::proxy {
namespace {

using std::chrono::milliseconds;

/// How long one copy may take in all where the shadow upstream's timeouts.total says no less.
constexpr milliseconds kLongest{30'000};
/// How much of an answer is read so that its connection can be used again.
constexpr std::uint64_t kMostOfAnswer = 1 << 20;
constexpr std::size_t kPiece = 64 * 1024;
constexpr std::string_view kMark = "X-Mirror";

milliseconds limit_of(const MirrorPlan& plan) {
    const milliseconds total = plan.timeouts.total;
    return total.count() > 0 ? std::min(total, kLongest) : kLongest;
}

/// Evenly distributed; nobody can guess which requests are copied.
bool drawn(unsigned percent) {
    if (percent >= 100) return true;
    return ((random_number() >> 32) * 100) >> 32 < percent;
}

std::size_t size_of(const http::RequestHead& head) {
    std::size_t size = head.method_text.size() + head.target.size();
    for (const http::Field& field : head.fields) size += field.name.size() + field.value.size();
    return size;
}

}  // namespace

Mirror::Mirror(Exchange& exchange, const MirrorPlan& plan, std::string_view body)
    : generation_(exchange.generation),
      upstream_(plan.group->settings().name),
      attempts_(exchange.worker.pools(), *plan.group, settings_of(exchange, plan)),
      limit_(
          exchange.worker.loop().wheel(),
          [](void* self) {
              static_cast<Mirror*>(self)->cancel(
                  Error(Reason::timeout_total, Source::upstream, Retry::no,
                        "the copy took too long (timeouts.total, at most 30s)"));
          },
          this) {
    const http::RequestHead& outgoing = exchange.outgoing;
    head_.method = outgoing.method;
    head_.method_text = keep(outgoing.method_text);
    head_.target = keep(outgoing.target);
    body_ = keep(body);
    head_.content_length = body.size();
    head_.framing = body.empty() ? http::Framing::none : http::Framing::length;
    for (const http::Field& field : outgoing.fields) {
        const bool gone = field.id == http::FieldId::trailer ||
                          (field.id == http::FieldId::other && text::iequals(field.name, kMark));
        if (!gone) head_.fields.add(field.id, keep(field.name), keep(field.value));
    }
    head_.fields.add(http::FieldId::other, kMark, "1");
    limit_.arm(limit_of(plan));
}

/// The copy outlives what the views of the exchange show.
upstream::AttemptSettings Mirror::settings_of(const Exchange& exchange, const MirrorPlan& plan) {
    auto settings = attempt_settings(exchange, *plan.group, plan.timeouts);
    for (std::string_view* text : {&settings.hash_key, &settings.client, &settings.local,
                                   &settings.server_name, &settings.asked_host}) {
        *text = keep(*text);
    }
    return settings;
}

std::string_view Mirror::keep(std::string_view text) {
    bytes_ += text.size();
    return arena_.copy(text);
}

void Mirror::cancel(const Error& why) {
    if (canceled_) return;
    canceled_ = why;
    if (stream_) {
        stream_->reset(why);
    } else {
        attempts_.cancel(why);
    }
}

/// A kept connection that the peer had closed, or a stream that it did not take, says nothing of
/// its health.
bool Mirror::went_stale(const Error& why) const {
    if (!stream_) return false;
    return why.retry == Retry::yes || (why.retry == Retry::only_if_reused && stream_->reused());
}

Task<Result<void>> Mirror::run() {
    auto result = co_await exchange();
    limit_.disarm();
    if (canceled_) co_return *canceled_;
    if (result) {
        attempts_.succeeded();
    } else if (!went_stale(result.error())) {
        attempts_.failed(result.error());
    }
    co_return result;
}

Task<Result<void>> Mirror::exchange() {
    auto opened = co_await attempts_.open(false);
    if (canceled_) co_return *canceled_;
    if (!opened) co_return std::move(opened).error();
    stream_ = std::move(*opened);
    auto sent = co_await send();
    // A failed send is not the answer: the peer may have said why before it closed.
    auto answered = co_await drop_answer();
    co_return sent ? std::move(answered) : std::move(sent);
}

Task<Result<void>> Mirror::send() {
    http::SendOptions options;
    options.end = body_.empty();
    auto sent = co_await stream_->send_head(head_, options);
    if (!sent || body_.empty()) co_return sent;
    options.end = options.flush = true;
    co_return co_await stream_->send(body_, options);
}

Task<Result<void>> Mirror::drop_answer() {
    http::ResponseHead* head = nullptr;
    while (head == nullptr || head->status < 200) {
        auto next = co_await stream_->read_head();
        if (!next) co_return std::move(next).error();
        head = *next;
    }
    if (head->framing == http::Framing::none || head_.method == http::Method::head) {
        co_return Result<void>{};
    }
    for (std::uint64_t read = 0; read < kMostOfAnswer;) {
        auto part = co_await stream_->body().read(kPiece);
        if (!part) co_return std::move(part).error();
        if (part->end) break;
        read += part->data.size();
    }
    co_return Result<void>{};  // what is longer ends with its connection
}

void mirror_request(Exchange& exchange, const RequestBody& body) {
    const MirrorPlan& plan = exchange.plan->policy->mirror;
    if (plan.group == nullptr || !exchange.request().upgrade.empty() || !drawn(plan.percent)) {
        return;
    }
    Mirrors& mirrors = exchange.worker.mirrors();
    if (!body.held()) return mirrors.leave_out();
    const std::string_view text = body.buffered();
    if (!mirrors.admit(size_of(exchange.outgoing) + text.size())) return;
    mirrors.start(std::make_unique<Mirror>(exchange, plan, text));
}

}  // namespace proxyd::proxy
