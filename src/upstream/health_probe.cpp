#include "health_probe.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace proxyd::upstream {
namespace {

constexpr std::size_t kMostBody = std::size_t{64} << 10;

bool expected(const config::HealthCheck& settings, int status) {
    return std::ranges::any_of(settings.expect, [status](const auto& each) {
        return each.first <= status && status <= each.last;
    });
}

Error given_up() {
    return Error(Reason::upstream_timeout_read, Source::upstream);
}

}  // namespace

HealthProbe::HealthProbe(async::Loop& loop, ClientContexts& contexts, const ProbePlan& plan)
    : loop_(loop),
      plan_(plan),
      settings_(*plan.upstream->health_check),
      limit_(
          loop.wheel(),
          [](void* self) {
              static_cast<HealthProbe*>(self)->late_ = true;
              static_cast<HealthProbe*>(self)->cancel();
          },
          this),
      dial_(loop, contexts) {}

HealthProbe::~HealthProbe() = default;

void HealthProbe::cancel() {
    stream_ ? stream_->reset(given_up()) : dial_.cancel(given_up());
}

Task<std::string> HealthProbe::run() {
    limit_.arm(settings_.timeout);
    auto transport =
        co_await dial_.open(*plan_.upstream, plan_.peer, plan_.opening, settings_.timeout);
    if (!transport) co_return cause_of(transport.error());
    if (settings_.type == config::HealthCheck::Type::tcp) {
        (*transport)->close();
        co_return std::string();
    }
    const auto scheme = plan_.peer.tls ? http::Scheme::https : http::Scheme::http;
    codec_ = dial_.http2() ? codec::make_h2_client(loop_, std::move(*transport), *this, scheme)
                           : codec::make_h1_client(loop_, std::move(*transport), *this);
    codec::ClientLimits limits;
    stream_ = codec_->open(limits);
    std::string cause = co_await ask();
    limit_.disarm();
    stream_.reset();
    codec_.reset();
    co_return cause;
}

Task<std::string> HealthProbe::ask() {
    http::ClientTimeouts timeouts;
    timeouts.send = timeouts.read = settings_.timeout;
    stream_->set_timeouts(timeouts);
    http::RequestHead head;
    head.method = http::parse_method(settings_.method);
    head.method_text = settings_.method;
    head.target = settings_.path;
    head.authority = plan_.host;
    head.fields.add(http::FieldId::host, plan_.host);
    head.fields.add(http::FieldId::user_agent, "proxyd health check");
    http::SendOptions options;
    options.end = true;
    // Whether it could be sent shows in the answer.
    (void)co_await stream_->send_head(head, options);
    int status = 0;
    while (status < 200) {
        auto answer = co_await stream_->read_head();
        if (!answer) co_return cause_of(answer.error());
        status = (*answer)->status;
    }
    if (!expected(settings_, status)) co_return fmt::format("status {}", status);
    if (settings_.body.empty()) co_return std::string();
    std::string cause = co_await look_at_body();
    co_return cause;
}

/// An expression waits for all there is to see, since more may turn a match into none.
Task<std::string> HealthProbe::look_at_body() {
    std::size_t look_at = 1;
    bool end = false;
    while (!end && body_.size() < kMostBody) {
        auto part = co_await stream_->body().read(kMostBody - body_.size());
        if (!part) co_return cause_of(part.error());
        body_.append(part->data);
        end = part->end;
        if (plan_.body || body_.size() < look_at) continue;
        if (body_matches()) co_return std::string();
        look_at = body_.size() * 2;  // bytes that come one by one are not searched as often
    }
    co_return std::string(body_matches() ? "" : "the body does not match");
}

bool HealthProbe::body_matches() const {
    if (!plan_.body) return body_.find(settings_.body) != std::string::npos;
    return RE2::PartialMatch(body_, *plan_.body);
}

std::string HealthProbe::cause_of(const Error& why) {
    could_ask_ = why.source != Source::internal;
    switch (why.code) {
        case Reason::upstream_refused:
            return "connect refused";
        case Reason::upstream_timeout_connect:
        case Reason::upstream_timeout_send:
        case Reason::upstream_timeout_read:
            return "timeout after " + std::to_string(settings_.timeout.count()) + " ms";
        case Reason::upstream_reset:
            return "connection reset";
        case Reason::upstream_closed:
            return "connection closed without an answer";
        default:
            break;
    }
    if (late_) return "timeout after " + std::to_string(settings_.timeout.count()) + " ms";
    std::string text(describe(why.code));
    if (!why.detail.empty()) text.append(": ").append(why.detail);
    return text;
}

}  // namespace proxyd::upstream
