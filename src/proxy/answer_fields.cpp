#include "answer_fields.hpp"

#include "proxyd/policy/location_rewrite.hpp"

namespace proxyd::proxy {
namespace {

using http::FieldId;

std::string_view client_path(const void* location, std::string_view path, Arena& arena) {
    return routing::client_path(*static_cast<const routing::RoutedLocation*>(location), path,
                                arena);
}

void rewrite_locations(Exchange& exchange) {
    const policy::LocationFacts facts{
        *exchange.plan->own_names, exchange.request().authority,
        exchange.outgoing.fields.get(FieldId::host).value_or(std::string_view{}), client_path,
        exchange.match.location};
    for (http::Field& field : exchange.response.fields.raw()) {
        if (field.id == FieldId::location) {
            field.value = policy::rewrite_reference(field.value, facts, exchange.arena);
        } else if (field.id == FieldId::refresh) {
            field.value = policy::rewrite_refresh(field.value, facts, exchange.arena);
        }
    }
}

}  // namespace

void rewrite_answer_fields(Exchange& exchange) {
    http::HeaderMap& fields = exchange.response.fields;
    const bool refers = fields.maybe(FieldId::location) || fields.maybe(FieldId::refresh);
    if (refers && exchange.policy().rewrite_location && exchange.plan->own_names != nullptr) {
        rewrite_locations(exchange);
    }
    const policy::CookieRules& cookies = exchange.plan->policy->cookie_rules;
    if (cookies.empty() || !fields.maybe(FieldId::set_cookie)) return;
    for (http::Field& field : fields.raw()) {
        if (field.id != FieldId::set_cookie) continue;
        field.value = cookies.rewrite(field.value, exchange, exchange.arena);
    }
}

policy::OwnNames own_names_of(const upstream::Group& group) {
    policy::OwnNames names;
    names.add(group.settings().name);
    for (const config::Server& server : group.settings().servers) names.add(server.address.text);
    for (const upstream::Peer& peer : group.peers()) names.add(peer.address);
    return names;
}

}  // namespace proxyd::proxy
