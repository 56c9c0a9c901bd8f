#include "error_log.hpp"

#include "log_escape.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::proxy {
namespace {

constexpr std::size_t kLongestText = 512;

log::Level level_of(const Error& why) {
    switch (why.code) {
        case Reason::body_too_large:
        case Reason::header_too_large:
        case Reason::uri_too_long:
        case Reason::client_timeout_header:
        case Reason::client_timeout_body:
        case Reason::client_timeout_send:
            return log::Level::info;
        default:
            return why.source == Source::downstream ? log::Level::debug : log::Level::error;
    }
}

/// Text that a peer chose, between quotes.
void append_quoted(std::string& out, std::string_view text) {
    const std::size_t start = out.size();
    out.append(text.substr(0, kLongestText));
    escape_log_text(out, start);
    out += '"';
}

void write(Exchange& exchange, const Error& why, log::Level level, std::string_view outcome) {
    if (!log::enabled(level)) return;
    LineQuota& quota = exchange.worker.error_lines;
    if (!quota.take(exchange.worker.loop().now())) return;
    if (const std::uint64_t missing = quota.take_missing(); missing != 0) {
        log::write(log::Level::error,
                   fmt::format("{} lines like the next ones were left out", missing));
    }
    const http::RequestHead& request = exchange.request();
    std::string text = fmt::format("{}{}: {}", outcome, word(why.code), describe(why.code));
    if (!why.detail.empty()) text.append(": ").append(why.detail);
    text.append("; client ").append(exchange.client.text).append(", \"");
    text.append(request.method_text).append(" ");
    append_quoted(text, request.target);
    append_quoted(text.append(", host \""), request.authority);
    if (!exchange.upstream.addresses.empty()) {
        text.append(", upstream ").append(exchange.upstream.addresses);
    }
    text.append(", id ").append(exchange.request_id());
    log::write(level, text);
}

}  // namespace

void log_error(Exchange& exchange, const Error& why) {
    write(exchange, why, level_of(why), "");
}

void log_attempt(Exchange& exchange, const Error& why, bool stale) {
    write(exchange, why, stale ? log::Level::debug : log::Level::warn, "asking again after ");
}

void log_over_budget(Exchange& exchange, const Error& why) {
    write(exchange, why, log::Level::warn, "not asked again, retry.budget is used up: ");
}

}  // namespace proxyd::proxy
