#include "attempt_settings.hpp"

namespace proxyd::proxy {
namespace {

std::string_view expanded(const vars::Template& text, const Exchange& exchange) {
    thread_local std::string out;
    out.clear();
    text.expand(exchange, out);
    return exchange.arena.copy(out);
}

/// The key of `balance: hash`, where the upstream has one.
std::string_view hash_key(const Exchange& exchange, const upstream::Group& group) {
    const vars::Template* key = group.hash_key();
    return key == nullptr ? std::string_view{} : expanded(*key, exchange);
}

/// What TLS and the PROXY protocol say to the peer of this exchange.
void name_ends(const Exchange& exchange, const config::Upstream& upstream,
               upstream::AttemptSettings& settings) {
    if (upstream.tls.policy) {
        settings.server_name = expanded(upstream.tls.server_name, exchange);
        std::string host;
        exchange.append(vars::Var::host, {}, host);
        settings.asked_host = exchange.arena.copy(host);
    }
    if (upstream.proxy_protocol != config::ProxyProtocol::off) {
        const http::StreamFacts& facts = exchange.stream->facts();
        settings.client_port = exchange.client.port;
        settings.local = facts.local_address;
        settings.local_port = facts.local_port;
    }
}

}  // namespace

upstream::AttemptSettings attempt_settings(const Exchange& exchange, const upstream::Group& group,
                                           const config::EffectiveTimeouts& timeouts) {
    upstream::AttemptSettings settings;
    settings.connect = timeouts.connect;
    settings.send = timeouts.send;
    settings.read = timeouts.read;
    settings.max_header_size = exchange.policy().buffer_header;
    settings.hash_key = hash_key(exchange, group);
    settings.client = exchange.client.text;
    settings.upgrade = !exchange.request().upgrade.empty();
    name_ends(exchange, group.settings(), settings);
    return settings;
}

}  // namespace proxyd::proxy
