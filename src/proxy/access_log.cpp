#include "access_log.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "log_escape.hpp"

namespace proxyd::proxy {
namespace {

using vars::Var;

constexpr std::string_view kCombined =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
    "\"$http_referer\" \"$http_user_agent\"";
constexpr std::string_view kPlus =
    " $request_time \"$upstream_addr\" $upstream_response_time $upstream_cache_status $reason "
    "$request_id";

/// Every key is in every line (operations.md); empty when unknown.
struct JsonKey {
    std::string_view key;
    Var var;
    std::string_view name = {};
};
constexpr std::array kJsonKeys{
    JsonKey{"time", Var::time_iso8601},
    JsonKey{"remote_addr", Var::remote_addr},
    JsonKey{"remote_user", Var::remote_user},
    JsonKey{"host", Var::host},
    JsonKey{"request_method", Var::request_method},
    JsonKey{"request_uri", Var::request_uri},
    JsonKey{"server_protocol", Var::server_protocol},
    JsonKey{"status", Var::status},
    JsonKey{"body_bytes_sent", Var::body_bytes_sent},
    JsonKey{"request_time", Var::request_time},
    JsonKey{"upstream_addr", Var::upstream_addr},
    JsonKey{"upstream_status", Var::upstream_status},
    JsonKey{"upstream_connect_time", Var::upstream_connect_time},
    JsonKey{"upstream_header_time", Var::upstream_header_time},
    JsonKey{"upstream_response_time", Var::upstream_response_time},
    JsonKey{"upstream_cache_status", Var::upstream_cache_status},
    JsonKey{"http_referer", Var::http_field, "referer"},
    JsonKey{"http_user_agent", Var::http_field, "user_agent"},
    JsonKey{"ssl_protocol", Var::ssl_protocol},
    JsonKey{"request_id", Var::request_id},
    JsonKey{"trace_id", Var::trace_id},
    JsonKey{"reason", Var::reason},
};

void append_template(std::string& out, const vars::Template& line, const Exchange& exchange) {
    for (const vars::Template::Part& part : line.parts()) {
        if (part.literal) {
            out.append(part.text);
            continue;
        }
        const std::size_t start = out.size();
        exchange.append(part.var, part.text, out);
        if (out.size() == start) {
            out += '-';
        } else {
            escape_log_text(out, start);
        }
    }
}

/// JSON text is UTF-8: bytes that are not ASCII become \xHH text, as in the other formats.
std::string json_text(const Exchange& exchange, const JsonKey& key) {
    std::string value;
    exchange.append(key.var, key.name, value);
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (static_cast<unsigned char>(value[i]) >= 0x7f) {
            escape_log_text(value, i);
            break;
        }
    }
    return value;
}

void append_json(std::string& out, const Exchange& exchange) {
    boost::json::object line;
    for (const JsonKey& key : kJsonKeys) {
        const std::string value = json_text(exchange, key);
        if (key.var == Var::status) {
            line[key.key] = exchange.status;
        } else if (key.var == Var::body_bytes_sent) {
            line[key.key] = exchange.body_bytes();
        } else {
            line[key.key] = value;
        }
    }
    out += boost::json::serialize(line);
}

}  // namespace

vars::Template log_template(const config::AccessLog& settings) {
    using Format = config::AccessLog::Format;
    std::string text(kCombined);
    switch (settings.format) {
        case Format::custom: return settings.custom;
        case Format::combined_plus: text += kPlus; break;
        case Format::combined: break;
        case Format::json:
        case Format::off: return {};
    }
    auto parsed = vars::Template::parse(text);
    return parsed ? std::move(*parsed) : vars::Template{};
}

void write_access_log(const Exchange& exchange) {
    const LogPlan* log = exchange.plan->policy->log;
    if (log == nullptr) return;
    LogBuffer& buffer = exchange.worker.log_buffer(log->file);
    if (log->settings->format == config::AccessLog::Format::json) {
        append_json(buffer.text(), exchange);
    } else {
        append_template(buffer.text(), log->line, exchange);
    }
    buffer.text() += '\n';
    buffer.commit(log->settings->buffer, log->settings->flush);
}

}  // namespace proxyd::proxy
