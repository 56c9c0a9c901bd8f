#include "config/keys_retry.hpp"

#include <algorithm>

#include "config/store.hpp"
#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

struct RetryWord {
    std::string_view name;
    RetryOn bit;
};
constexpr RetryWord kRetryWords[] = {
    {"error", RetryOn::error},
    {"timeout", RetryOn::timeout},
    {"invalid_header", RetryOn::invalid_header},
    {"http_500", RetryOn::http_500},
    {"http_502", RetryOn::http_502},
    {"http_503", RetryOn::http_503},
    {"http_504", RetryOn::http_504},
    {"http_403", RetryOn::http_403},
    {"http_404", RetryOn::http_404},
    {"http_429", RetryOn::http_429},
};
void store_retry_on(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& retry = *static_cast<Retry*>(target);
    retry.on = 0;
    for (const Node* word : reader.scalars(node, key.name)) {
        if (const std::uint32_t bit = retry_bit(word->text); bit != 0) {
            retry.on |= bit;
        } else if (!(node.is_scalar() && (word->text == "off" || word->text == ""))) {
            reader.report.error(word->at, "unknown word '" + word->text + "' in 'on'",
                                did_you_mean(word->text, split_words(kRetryList)));
        }
    }
}

constexpr Key kRetryKeys[] = {
    {.name = "on",
     .type = Type::list,
     .fallback = "[error, timeout]",
     .doc = "What makes the request go to the next server.",
     .words = kRetryList,
     .nginx = "proxy_next_upstream",
     .store = store_retry_on},
    {.name = "attempts",
     .type = Type::count,
     .fallback = "3",
     .doc = "Attempts in all; 1 = no retry, 0 = as many as there are servers.",
     .range = {0, 1'000},
     .nginx = "proxy_next_upstream_tries",
     .store = store<&Retry::attempts>},
    {.name = "timeout",
     .type = Type::duration,
     .fallback = "0s",
     .doc = "No new attempt after this time; 0 = no limit.",
     .range = {0, kWait.max},
     .nginx = "proxy_next_upstream_timeout",
     .store = store<&Retry::timeout>},
    {.name = "non_idempotent",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Also retry methods such as POST, which may then act twice.",
     .store = store<&Retry::non_idempotent>},
    {.name = "budget",
     .type = Type::percent,
     .fallback = "20%",
     .doc = "Share of the requests of the last 10 s that may be retries, and 3 a second on top; "
            "one after which no request had gone out is not counted.",
     .range = {0, 100},
     .store = store<&Retry::budget>},
};

}  // namespace

std::uint32_t retry_bit(std::string_view word) noexcept {
    const auto* row = std::find_if(std::begin(kRetryWords), std::end(kRetryWords),
                                   [&](const RetryWord& each) { return each.name == word; });
    return row == std::end(kRetryWords) ? 0 : static_cast<std::uint32_t>(row->bit);
}

constinit const Table kRetryTable{.name = "retry", .keys = kRetryKeys};

/// `retry: off` is `attempts: 1`.
void store_retry(Reader& reader, const Key& key, const Node& node, void* target) {
    Retry& retry = static_cast<Upstream*>(target)->retry;
    if (node.is_scalar()) {
        const auto on = reader.boolean(node, key.name);
        if (on && !*on) retry.attempts = 1;
        return;
    }
    reader.read_map(node, *key.inner, Where{key.name}, &retry);
}

}  // namespace proxyd::config
