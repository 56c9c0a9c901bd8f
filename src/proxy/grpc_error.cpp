#include "grpc_error.hpp"

#include "proxyd/base/text.hpp"

namespace proxyd::proxy {

bool is_grpc(const http::HeaderMap& fields) noexcept {
    constexpr std::string_view kType = "application/grpc";
    const auto type = fields.get(http::FieldId::content_type);
    if (!type || !text::iequals(type->substr(0, kType.size()), kType)) return false;
    const std::string_view rest = type->substr(kType.size());
    return rest.empty() || rest.front() == '+' || rest.front() == ';' || rest.front() == ' ';
}

/// Codes of the gRPC status: DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE.
std::string_view grpc_status(const Exchange& exchange, int status) noexcept {
    const http::RequestHead& head = exchange.request();
    if (head.version != http::Version::http2 || !is_grpc(head.fields)) return {};
    switch (status) {
        case 500:
            return "13";
        case 502:
        case 503:
            return "14";
        case 504:
            return "4";
        default:
            return {};
    }
}

}  // namespace proxyd::proxy
