#include "http/uri_chars.hpp"
#include "proxyd/base/ip.hpp"
#include "proxyd/http/uri.hpp"

namespace proxyd::http {
namespace {

bool valid_host_name(std::string_view host) noexcept {
    for (std::size_t i = 0; i < host.size(); ++i) {
        if (host[i] == '%') {
            if (escaped_byte(host, i) <= 0) return false;
            i += 2;
        } else if (!is(host[i], kHostByte)) {
            return false;
        } else if (host[i] == '.' && (i == 0 || host[i - 1] == '.')) {
            return false;
        }
    }
    return !host.empty();
}

bool valid_port(std::string_view port) noexcept {
    if (port.size() > 5) return false;
    unsigned value = 0;
    for (const char c : port) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= 65535;
}

}  // namespace

Result<Authority> parse_authority(std::string_view authority) {
    const auto bad = [] { return Error(Reason::bad_host, Source::downstream); };
    constexpr std::size_t kMaxName = 255;  // RFC 1035 2.3.4
    Authority parts;
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) return bad();
        const std::string_view literal = authority.substr(1, close - 1);
        if (literal.find(':') == literal.npos || !IpAddress::parse(literal)) return bad();
        parts.host = authority.substr(0, close + 1);
    } else {
        parts.host = authority.substr(0, authority.find(':'));
        if (parts.host.size() > kMaxName || !valid_host_name(parts.host)) return bad();
    }
    const std::string_view rest = authority.substr(parts.host.size());
    if (rest.empty()) return parts;
    if (rest.front() != ':' || !valid_port(rest.substr(1))) return bad();
    parts.port = rest.substr(1);
    return parts;
}

}  // namespace proxyd::http
