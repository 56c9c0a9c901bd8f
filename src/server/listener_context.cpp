#include "listener_context.hpp"

namespace proxyd::server {

bool is_any(const net::Endpoint& endpoint) {
    if (endpoint.is_unix()) return false;
    return endpoint.ip() == IpAddress::v4({}) || endpoint.ip() == IpAddress::v6({});
}

ListenerContext make_listener_context(const config::Listener& listener,
                                      const net::Endpoint& endpoint) {
    ListenerContext context;
    context.name = listener.name;
    context.endpoint = endpoint;
    context.local_address = endpoint.is_unix() ? endpoint.text() : endpoint.ip().text();
    context.any_address = is_any(endpoint);
    context.backlog = listener.backlog;
    context.proxy_protocol = listener.proxy_protocol;
    context.tls = listener.tls;
    context.http2 = listener.http2;
    context.limits.header_timeout = listener.client.header_timeout;
    context.limits.body_timeout = listener.client.body_timeout;
    context.limits.send_timeout = listener.client.send_timeout;
    context.limits.keepalive_timeout = listener.client.keepalive_timeout;
    context.limits.min_rate = listener.client.min_rate;
    context.limits.keepalive_requests = listener.client.keepalive_requests;
    context.limits.max_header_size = listener.client.max_header_size;
    context.limits.max_headers = listener.client.max_headers;
    context.limits.max_concurrent_streams = listener.client.max_concurrent_streams;
    context.limits.max_resets_per_minute = listener.client.max_resets_per_minute;
    return context;
}

Result<net::Endpoint> endpoint_of(const config::Address& address) {
    if (address.kind == config::Address::Kind::unix_socket) {
        return net::Endpoint::unix_path(address.name);
    }
    if (address.any) return net::Endpoint::any(address.port);
    return net::Endpoint::tcp(address.ip, address.port);
}

}  // namespace proxyd::server
