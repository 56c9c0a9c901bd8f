#include "response_head.hpp"

#include "answer_fields.hpp"
#include "proxyd/base/text.hpp"
#include "proxyd/http/hop_by_hop.hpp"
#include "sticky.hpp"

namespace proxyd::proxy {
namespace {

using http::FieldId;

bool has_media_type(const http::HeaderMap& fields, std::string_view type) {
    const auto value = fields.get(FieldId::content_type);
    return value && value->size() >= type.size() &&
           text::iequals(value->substr(0, type.size()), type);
}

/// X-Accel-* speak to the proxy, not to the client; where there is a cache Surrogate-Key does too.
bool is_for_us(const Exchange& exchange, const http::Field& field) {
    constexpr std::string_view kPrefix = "X-Accel-";
    const bool tags = exchange.plan->policy->cache.zone && field.id == FieldId::other;
    if (tags && text::iequals(field.name, "Surrogate-Key")) return true;
    return field.name.size() > kPrefix.size() &&
           text::iequals(field.name.substr(0, kPrefix.size()), kPrefix);
}

void set_server(Exchange& exchange, bool ours) {
    const config::Snapshot& snapshot = exchange.snapshot();
    http::HeaderMap& fields = exchange.response.fields;
    switch (snapshot.server_header) {
        case config::Snapshot::ServerHeader::off:
            fields.remove(FieldId::server);
            return;
        case config::Snapshot::ServerHeader::text:
            return fields.set(FieldId::server, http::name_of(FieldId::server),
                              snapshot.server_header_text);
        case config::Snapshot::ServerHeader::pass:
            if (ours) fields.add(FieldId::server, "proxyd");
    }
}

void add_cache_fields(Exchange& exchange) {
    const CacheFacts& cache = exchange.cache;
    if (cache.word == CacheWord::none) return;
    const std::string& name = exchange.policy().cache->status_header;
    http::HeaderMap& fields = exchange.response.fields;
    if (!name.empty()) fields.set(http::classify(name), name, text_of(cache.word));
    if (!cache.status.empty()) fields.add("Cache-Status", cache.status);
}

}  // namespace

void relay_response_head(Exchange& exchange, const http::ResponseHead& head) {
    http::ResponseHead& response = exchange.response;
    response.status = head.status;
    response.reason_phrase = head.reason_phrase;
    response.framing = head.framing;
    response.content_length = head.content_length;
    response.fields.clear();
    for (const http::Field& field : head.fields) {
        if (exchange.fill != nullptr || !is_for_us(exchange, field))
            response.fields.add(field.id, field.name, field.value);
    }
    // HEAD and 304 tell the length of what they leave out (RFC 9110 8.6).
    if (head.framing == http::Framing::none && head.status >= 200 &&
        head.fields.maybe(FieldId::content_length) && head.status != 204) {
        response.framing = http::Framing::length;
    } else if (exchange.request().method == http::Method::head &&
               http::status_has_body(head.status)) {
        response.framing = http::Framing::until_close;
    }
    http::remove_hop_by_hop(response.fields);
    if (exchange.fill != nullptr) {  // what one client gets is added when he gets it
        exchange.status = response.status;
        return;
    }
    rewrite_answer_fields(exchange);
    finish_response_head(exchange, false);
    keep_on_peer(exchange);  // behind the rules: they speak of what the upstream says
}

void finish_response_head(Exchange& exchange, bool ours) {
    http::ResponseHead& response = exchange.response;
    if (ours || !response.fields.maybe(FieldId::date)) {
        response.fields.set(FieldId::date, http::name_of(FieldId::date), exchange.worker.date());
    }
    set_server(exchange, ours);
    exchange.status = response.status;
    add_cache_fields(exchange);
    const policy::HeaderRules& rules = exchange.plan->policy->response_rules;
    if (!rules.empty()) rules.apply(response.fields, exchange, exchange.arena);
}

bool wants_streaming(const http::ResponseHead& head) {
    const http::HeaderMap& fields = head.fields;
    if (const auto accel = fields.get(FieldId::x_accel_buffering);
        accel && text::iequals(*accel, "no")) {
        return true;
    }
    return has_media_type(fields, "text/event-stream") ||
           has_media_type(fields, "application/grpc");
}

}  // namespace proxyd::proxy
