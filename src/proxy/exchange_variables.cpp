#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <iterator>

#include "exchange.hpp"
#include "log_time.hpp"
#include "proxyd/http/fields/host.hpp"
#include "proxyd/policy/forwarded.hpp"
#include "proxyd/vars/registry.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

using vars::Var;

/// Seconds with milliseconds, as nginx writes times.
void append_seconds(std::string& out, async::Milliseconds time) {
    fmt::format_to(std::back_inserter(out), "{}.{:03}", time / 1000, time % 1000);
}

void append_number(std::string& out, std::uint64_t value) {
    const fmt::format_int text(value);
    out.append(text.data(), text.size());
}

std::string_view host_name() {
    static const std::string name = [] {
        char text[HOST_NAME_MAX + 1] = {};
        ::gethostname(text, sizeof text - 1);
        return std::string(text);
    }();
    return name;
}

void append_lower(std::string& out, std::string_view text) {
    for (const char c : text) out += text::lower(c);
}

std::string_view protocol(http::Version version) {
    switch (version) {
        case http::Version::http10: return "HTTP/1.0";
        case http::Version::http11: return "HTTP/1.1";
        case http::Version::http2: return "HTTP/2.0";
    }
    return {};
}

std::string_view client_fact(const http::ClientCertificateFacts& client, Var var) {
    switch (var) {
        case Var::ssl_client_s_dn: return client.subject;
        case Var::ssl_client_i_dn: return client.issuer;
        case Var::ssl_client_serial: return client.serial;
        case Var::ssl_client_fingerprint: return client.fingerprint;
        case Var::ssl_client_v_start: return client.not_before;
        case Var::ssl_client_v_end: return client.not_after;
        case Var::ssl_client_escaped_cert: return client.pem;
        default: return {};
    }
}

/// What the handshake and the client's certificate said.
std::string_view tls_fact(const http::TlsFacts& tls, Var var) {
    switch (var) {
        case Var::ssl_protocol: return tls.protocol;
        case Var::ssl_cipher: return tls.cipher;
        case Var::ssl_curve: return tls.curve;
        case Var::ssl_server_name: return tls.server_name;
        case Var::ssl_session_reused: return tls.session_reused ? "r" : ".";
        case Var::ssl_alpn_protocol: return tls.alpn;
        case Var::ssl_client_verify: return tls.client_verify;
        default: return tls.client != nullptr ? client_fact(*tls.client, var) : std::string_view();
    }
}

}  // namespace

void Exchange::append(Var var, std::string_view name, std::string& out) const {
    switch (var) {
        case Var::http_field: return vars::append_field(request().fields, name, out);
        case Var::http_host: return vars::append_field(request().fields, "host", out);
        case Var::sent_http_field: return vars::append_field(response.fields, name, out);
        case Var::upstream_http_field:
            if (upstream.fields != nullptr) vars::append_field(*upstream.fields, name, out);
            return;
        case Var::cookie: return vars::append_cookie(request().fields, name, out);
        case Var::arg: return vars::append_argument(match.query, name, out);
        case Var::map: return plans().maps->append(name, *this, out);
        case Var::capture: return;
        default: break;
    }
    if (var >= Var::ssl_protocol) {
        const http::TlsFacts* tls = stream->facts().tls;
        if (tls != nullptr) out += tls_fact(*tls, var);
    } else if (var >= Var::status) {
        append_outcome(var, out);
    } else {
        append_request(var, out);
    }
}

void Exchange::append_request(Var var, std::string& out) const {
    const http::RequestHead& head = request();
    const http::StreamFacts& facts = stream->facts();
    switch (var) {
        case Var::remote_addr: out += client.text; return;
        case Var::realip_remote_addr: out += facts.socket_address; return;
        case Var::proxy_protocol_addr: out += facts.proxy_protocol_address; return;
        case Var::proxy_protocol_port:
            if (facts.proxy_protocol_address.empty()) return;
            return append_number(out, facts.proxy_protocol_port);
        case Var::remote_port: return append_number(out, client.port);
        case Var::server_addr: out += facts.local_address; return;
        case Var::server_port: return append_number(out, facts.local_port);
        case Var::server_name:
            if (scratch.host != nullptr) out += scratch.host->config->name;
            return;
        case Var::server_protocol: out += protocol(head.version); return;
        case Var::scheme: out += http::scheme_text(head.scheme); return;
        case Var::https: out += facts.secure ? "on" : ""; return;
        case Var::host: return append_lower(out, http::host_of(head.authority));
        case Var::hostname: out += host_name(); return;
        case Var::request:
            out.append(head.method_text).append(" ").append(head.target).append(" ");
            out += protocol(head.version);
            return;
        case Var::request_method: out += head.method_text; return;
        case Var::request_uri: out += head.target; return;
        case Var::uri:
        case Var::document_uri: out += match.path; return;
        case Var::args:
        case Var::query_string: out += match.query; return;
        case Var::is_args: out += match.query.empty() ? "" : "?"; return;
        case Var::request_length: return append_number(out, stream->bytes_received());
        case Var::request_time: return append_seconds(out, elapsed());
        case Var::request_id: out += request_id(); return;
        case Var::content_length: out += head.fields.get(http::FieldId::content_length).value_or(""); return;
        case Var::content_type: out += head.fields.get(http::FieldId::content_type).value_or(""); return;
        default: return;
    }
}

void Exchange::append_outcome(Var var, std::string& out) const {
    switch (var) {
        case Var::status:
            if (status != 0) append_number(out, static_cast<std::uint64_t>(status));
            return;
        case Var::body_bytes_sent:
            return append_number(out, body_bytes());
        case Var::bytes_sent: return append_number(out, stream->bytes_sent());
        case Var::connection: return append_number(out, stream->facts().connection_id);
        case Var::connection_requests: return append_number(out, stream->facts().requests_before + 1);
        case Var::msec: {
            timespec now{};
            ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
            return append_seconds(out, now.tv_sec * 1000 + now.tv_nsec / 1'000'000);
        }
        case Var::time_local: out += local_log_time(); return;
        case Var::time_iso8601: out += iso8601_log_time(); return;
        case Var::proxy_host:
        case Var::upstream_name: {
            if (plan->group == nullptr) return;
            const std::string_view upstream = plan->group->settings().name;
            const bool url = var == Var::proxy_host && upstream.starts_with("https://");
            out += upstream.substr(url ? 8 : 0);
            return;
        }
        case Var::proxy_add_x_forwarded_for: {
            out += policy::forwarded_for(request().fields, forwarded_facts(*this), arena);
            return;
        }
        case Var::upstream_addr: out += upstream.addresses; return;
        case Var::upstream_status: out += upstream.statuses; return;
        case Var::upstream_cache_status: out += text_of(cache.word); return;
        case Var::upstream_response_time:
            if (upstream.response_time) append_seconds(out, *upstream.response_time);
            return;
        case Var::upstream_connect_time:
            if (upstream.connect_time) append_seconds(out, *upstream.connect_time);
            return;
        case Var::upstream_header_time:
            if (upstream.header_time) append_seconds(out, *upstream.header_time);
            return;
        case Var::upstream_response_length: return append_number(out, upstream.response_bytes);
        case Var::location_name:
            if (match.location != nullptr) out += match.location->config->matcher.source;
            return;
        case Var::listener: out += stream->facts().listener; return;
        case Var::reason: out += word(reason); return;
        case Var::pid: return append_number(out, static_cast<std::uint64_t>(::getpid()));
        default: return;
    }
}

}  // namespace proxyd::proxy
