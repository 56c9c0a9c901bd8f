#include "cache_key.hpp"

#include <time.h>

#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

using http::FieldId;

bool is_safe(http::Method method) noexcept {
    return method == http::Method::get || method == http::Method::head ||
           method == http::Method::options || method == http::Method::trace;
}

std::string& scratch_text() {
    thread_local std::string text;
    text.clear();
    return text;
}

/// An absolute path stays on the host; of other URLs only those of the host count.
void invalidate_reference(const Exchange& exchange, std::string_view reference) {
    const http::RequestHead& head = exchange.request();
    std::string& text = scratch_text();
    std::string own;
    cache::append_url(own, http::scheme_text(client_scheme(exchange)), head.authority, "");
    if (reference.starts_with('/') && !reference.starts_with("//")) {
        text.append(own).append(reference);
    } else if (reference.starts_with(own) && reference.substr(own.size()).starts_with('/')) {
        text.append(reference);
    } else {
        return;
    }
    if (const std::size_t fragment = text.find('#'); fragment != text.npos) text.resize(fragment);
    exchange.plan->policy->cache.zone->remove(cache::key_of(text));
}

}  // namespace

cache::UnixMilliseconds unix_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

std::string_view cache_url(const Exchange& exchange) {
    const http::RequestHead& head = exchange.request();
    std::string& text = scratch_text();
    cache::append_url(text, http::scheme_text(client_scheme(exchange)), head.authority,
                      head.target);
    return exchange.arena.copy(text);
}

std::string_view cache_key_text(const Exchange& exchange) {
    const CachePlan& plan = exchange.plan->policy->cache;
    if (plan.url_key) return cache_url(exchange);
    std::string& text = scratch_text();
    plan.settings->key.expand(exchange, text);
    return exchange.arena.copy(text);
}

bool any_set(const std::vector<vars::Template>& texts, const Exchange& exchange) {
    for (const vars::Template& each : texts) {
        std::string& text = scratch_text();
        each.expand(exchange, text);
        if (!text.empty() && text != "0") return true;
    }
    return false;
}

void invalidate_stored(const Exchange& exchange, const http::ResponseHead& head) {
    if (is_safe(exchange.request().method) || head.status < 200 || head.status >= 400) return;
    const CachePlan& plan = exchange.plan->policy->cache;
    plan.zone->remove(cache::key_of(cache_key_text(exchange)));
    if (!plan.url_key) return;
    for (const FieldId id : {FieldId::location, FieldId::content_location}) {
        if (const auto reference = head.fields.get(id)) invalidate_reference(exchange, *reference);
    }
}

}  // namespace proxyd::proxy
