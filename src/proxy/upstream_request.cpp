#include "upstream_request.hpp"

#include "proxyd/http/hop_by_hop.hpp"
#include "sticky.hpp"

namespace proxyd::proxy {
namespace {

using http::FieldId;

void set_host(http::RequestHead& outgoing, const Exchange& exchange) {
    const std::string_view authority = exchange.request().authority;
    if (outgoing.fields.get(FieldId::host) == authority && !authority.empty()) return;
    // absolute-form wins over Host; HTTP/1.0 may have none, but we speak 1.1.
    std::string_view upstream = exchange.plan->group->settings().name;
    if (upstream.starts_with("https://")) upstream.remove_prefix(8);
    const std::string_view spare = upstream.starts_with("unix:") ? "localhost" : upstream;
    const std::string_view host = authority.empty() ? spare : authority;
    outgoing.fields.set(FieldId::host, http::name_of(FieldId::host), host);
}

/// TE is of one connection (RFC 9110 10.1.4), but we pass trailers on, and gRPC servers ask for it.
/// The codec of HTTP/1.1 leaves it out.
bool takes_trailers(const Exchange& exchange) {
    if (!exchange.plan->group->settings().http2) return false;
    bool found = false;
    for (const http::Field& field : exchange.request().fields) {
        if (field.id != FieldId::te) continue;
        text::for_each_element(field.value, [&](std::string_view element) {
            found = found || text::iequals(element, "trailers");
            return !found;
        });
    }
    return found;
}

}  // namespace

policy::ForwardedFacts forwarded_facts(const Exchange& exchange) {
    const http::StreamFacts& facts = exchange.stream->facts();
    policy::ForwardedFacts forwarded;
    forwarded.peer = facts.remote_address;
    forwarded.client = exchange.client.text;
    forwarded.authority = exchange.request().authority;
    forwarded.scheme = exchange.request().scheme;
    forwarded.version = exchange.request().version;
    forwarded.local_port = facts.local_port;
    forwarded.trusted = exchange.client.trusted;
    forwarded.via = exchange.snapshot().via;
    return forwarded;
}

http::Scheme client_scheme(const Exchange& exchange) {
    const http::RequestHead& head = exchange.request();
    if (!exchange.client.trusted) return head.scheme;
    const auto given = head.fields.get(FieldId::x_forwarded_proto);
    if (!given) return head.scheme;
    return text::iequals(*given, "https") ? http::Scheme::https : http::Scheme::http;
}

void build_upstream_request(Exchange& exchange) {
    const http::RequestHead& head = exchange.request();
    http::RequestHead& outgoing = exchange.outgoing;
    if (!outgoing.fields.empty()) return;  // it always has Host
    outgoing.method = head.method;
    outgoing.method_text = head.method_text;
    outgoing.target = exchange.target;
    outgoing.framing = head.framing;
    outgoing.content_length = head.content_length;
    outgoing.upgrade = head.upgrade;
    for (const http::Field& field : head.fields) {
        if (field.id != FieldId::expect) outgoing.fields.add(field.id, field.name, field.value);
    }
    const bool trailers = takes_trailers(exchange);
    http::remove_hop_by_hop(outgoing.fields);
    if (trailers) outgoing.fields.add(FieldId::te, "trailers");
    http::remove_underscore_names(outgoing.fields);
    set_host(outgoing, exchange);
    exchange.sticky_peer = take_sticky_peer(exchange);
    policy::set_forwarded_fields(outgoing.fields, forwarded_facts(exchange), exchange.arena);
    outgoing.fields.set(FieldId::x_request_id, http::name_of(FieldId::x_request_id),
                        exchange.request_id());
    const policy::HeaderRules& rules = exchange.plan->policy->request_rules;
    if (!rules.empty()) rules.apply(outgoing.fields, exchange, exchange.arena);
}

bool wants_request_buffering(const http::RequestHead& head, const config::Policy& policy) {
    if (!policy.request_buffering || !head.upgrade.empty()) return false;
    const auto type = head.fields.get(FieldId::content_type);
    return !type || !text::iequals(type->substr(0, 16), "application/grpc");
}

void settle_framing(const RequestBody& body, http::RequestHead& outgoing) {
    if (!body.complete() || body.trailers() != nullptr) return;
    outgoing.content_length = body.buffered().size();
    outgoing.framing =
        outgoing.content_length == 0 ? http::Framing::none : http::Framing::length;
}

}  // namespace proxyd::proxy
