#include "error_log.hpp"

#include "proxyd/base/log.hpp"

namespace proxyd::proxy {
namespace {

constexpr std::size_t kLongestTarget = 512;

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

std::string request_line(const http::RequestHead& request) {
    std::string line(request.method_text);
    return line.append(" ").append(request.target.substr(0, kLongestTarget));
}

}  // namespace

void log_error(Exchange& exchange, const Error& why) {
    const log::Level level = level_of(why);
    if (!log::enabled(level)) return;
    LineQuota& quota = exchange.worker.error_lines;
    if (!quota.take(exchange.worker.loop().now())) return;
    if (const std::uint64_t missing = quota.take_missing(); missing != 0) {
        log::write(log::Level::error,
                   fmt::format("{} lines like the next ones were left out", missing));
    }
    std::string text = fmt::format("{}: {}", word(why.code), describe(why.code));
    if (!why.detail.empty()) text.append(": ").append(why.detail);
    fmt::format_to(std::back_inserter(text), "; client {}, \"{}\", host \"{}\"",
                   exchange.client.text, request_line(exchange.request()),
                   exchange.request().authority);
    if (!exchange.upstream.addresses.empty()) {
        text.append(", upstream ").append(exchange.upstream.addresses);
    }
    text.append(", id ").append(exchange.request_id());
    log::write(level, text);
}

}  // namespace proxyd::proxy
