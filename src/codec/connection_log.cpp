#include "connection_log.hpp"

#include "proxyd/base/log.hpp"

namespace proxyd::codec {
namespace {

constexpr unsigned kLinesPerSecond = 10;

/// Of the thread.
struct Allowance {
    async::Milliseconds since = 0;
    unsigned written = 0, left_out = 0;
};
thread_local Allowance allowance;

}  // namespace

void log_connection_error(async::Loop& loop, const http::StreamFacts& facts, const Error& why) {
    constexpr async::Milliseconds kSecond = 1000;
    if (loop.now() - allowance.since >= kSecond) {
        allowance.since = loop.now();
        allowance.written = 0;
    }
    if (++allowance.written > kLinesPerSecond) {
        ++allowance.left_out;
        return;
    }
    const unsigned left_out = std::exchange(allowance.left_out, 0);
    const std::string_view detail = why.detail.empty() ? describe(why.code) : why.detail;
    if (left_out == 0) {
        log::info("connection {} of {}: {}: {}", facts.connection_id, facts.remote_address,
                  word(why.code), detail);
    } else {
        log::info("connection {} of {}: {}: {} ({} such lines before were left out)",
                  facts.connection_id, facts.remote_address, word(why.code), detail, left_out);
    }
}

}  // namespace proxyd::codec
