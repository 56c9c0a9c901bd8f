#include "config/address.hpp"

#include <algorithm>

#include "proxyd/base/text.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

/// sockaddr_un holds 108 bytes with the NUL.
constexpr std::size_t kLongestSocketPath = 107;

AddressResult refuse(std::string problem, std::string hint = {}) {
    return AddressResult{std::nullopt, std::move(problem), std::move(hint)};
}

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

bool is_digits(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    const auto number = units::parse_count(text);
    if (!number || *number > 65'535) return std::nullopt;
    return static_cast<std::uint16_t>(*number);
}

AddressResult unix_address(std::string_view path) {
    if (!path.starts_with('/')) {
        return refuse("the socket " + quoted(path) + " needs an absolute path",
                      "unix:/run/app.sock");
    }
    if (path.size() > kLongestSocketPath) {
        return refuse("the path of a socket has at most 107 bytes");
    }
    Address address;
    address.kind = Address::Kind::unix_socket;
    address.name = path;
    address.text = "unix:" + address.name;
    return AddressResult{address, "", ""};
}

std::string with_port(const IpAddress& ip, std::uint16_t port) {
    const std::string text = ip.text();
    return (ip.is_v6() ? "[" + text + "]" : text) + ":" + std::to_string(port);
}

AddressResult ip_address(const IpAddress& ip, std::uint16_t port) {
    Address address;
    address.ip = ip;
    address.port = port;
    address.text = with_port(ip, port);
    return AddressResult{address, "", ""};
}

/// "host:port", "[v6]:port"; the port may be missing.
struct Split {
    std::string_view host;
    std::string_view port;
    bool bracketed = false;
    bool has_port = false;
    bool broken = false;
};

Split split(std::string_view text) {
    Split result;
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        result.bracketed = true;
        if (close == std::string_view::npos) {
            result.broken = true;
            return result;
        }
        result.host = text.substr(1, close - 1);
        const std::string_view rest = text.substr(close + 1);
        result.has_port = rest.starts_with(':');
        result.broken = !rest.empty() && !result.has_port;
        if (result.has_port) result.port = rest.substr(1);
        return result;
    }
    const std::size_t colon = text.rfind(':');
    result.host = text.substr(0, colon);
    result.has_port = colon != std::string_view::npos;
    if (result.has_port) result.port = text.substr(colon + 1);
    return result;
}

bool valid_name(std::string_view name) {
    if (name.empty() || name.size() > 253 || name.front() == '.' || name.front() == '-') {
        return false;
    }
    return std::all_of(name.begin(), name.end(), [](char c) {
        const char l = text::lower(c);
        return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

AddressResult host_address(const Split& parts, std::uint16_t port, std::string_view whole) {
    if (const auto ip = IpAddress::parse(parts.host)) {
        if (ip->is_v6() && !parts.bracketed) {
            return refuse(quoted(whole) + " is an IPv6 address without brackets",
                          "[" + std::string(parts.host) + "]:" + std::string(parts.port));
        }
        return ip_address(*ip, port);
    }
    const std::size_t last = parts.host.rfind('.');
    const bool numeric =
        is_digits(parts.host.substr(last == std::string_view::npos ? 0 : last + 1));
    if (parts.bracketed || !valid_name(parts.host) || numeric) {
        return refuse(quoted(whole) + " is not an address", "host:port, a port, or unix:/path");
    }
    Address address;
    address.kind = Address::Kind::name;
    for (const char c : parts.host) address.name += text::lower(c);
    address.port = port;
    address.text = address.name + ":" + std::to_string(port);
    return AddressResult{address, "", ""};
}

AddressResult any_address(std::string_view port_text, std::string_view whole) {
    const auto port = parse_port(port_text);
    if (!port) return refuse(quoted(whole) + " has no valid port");
    Address address;
    address.any = true;
    address.port = *port;
    address.text = ":" + std::to_string(*port);
    return AddressResult{address, "", ""};
}

/// Takes "http://" or "https://" off.
std::optional<AddressResult> take_scheme(std::string_view& text, bool& url, bool& https) {
    const std::size_t sign = text.find("://");
    if (sign == std::string_view::npos) return std::nullopt;
    const std::string_view scheme = text.substr(0, sign);
    https = text::iequals(scheme, "https");
    if (!https && !text::iequals(scheme, "http")) {
        return refuse("unknown scheme " + quoted(scheme), "http://host:port");
    }
    url = true;
    text.remove_prefix(sign + 3);
    return std::nullopt;
}

}  // namespace

AddressResult parse_service(std::string_view text) {
    const std::size_t protocol = text.find("._");
    const std::size_t domain =
        protocol == std::string_view::npos ? protocol : text.find('.', protocol + 2);
    if (!text.starts_with('_') || domain == std::string_view::npos || !valid_name(text)) {
        return refuse(quoted(text) + " is not the name of a service", "_http._tcp.app.internal");
    }
    Address address;
    address.kind = Address::Kind::srv;
    for (const char c : text) address.name += text::lower(c);
    address.text = "srv:" + address.name;
    return AddressResult{address, "", ""};
}

AddressResult parse_name_server(std::string_view text) {
    constexpr std::uint16_t kDns = 53;
    if (const auto ip = IpAddress::parse(text)) return ip_address(*ip, kDns);
    const Split parts = split(text);
    const auto ip = IpAddress::parse(parts.host);
    const auto port = parts.has_port ? parse_port(parts.port) : std::optional(kDns);
    if (parts.broken || !ip || !port || *port == 0 || ip->is_v6() != parts.bracketed) {
        return refuse(quoted(text) + " is not the IP address of a name server",
                      "127.0.0.53 or \"[::1]:5353\"");
    }
    return ip_address(*ip, *port);
}

std::optional<AskedName> asked_name(const Address& address) {
    if (address.kind == Address::Kind::name) return AskedName{address.name, false};
    if (address.kind == Address::Kind::srv) return AskedName{address.name, true};
    return std::nullopt;
}

bool looks_like_address(std::string_view text) noexcept {
    return is_digits(text) || text.find(':') != std::string_view::npos ||
           text.find('/') != std::string_view::npos;
}

AddressResult parse_listen_address(std::string_view text) {
    if (text.starts_with("unix:")) return unix_address(text.substr(5));
    if (is_digits(text)) return any_address(text, text);
    const Split parts = split(text);
    if (parts.broken) return refuse(quoted(text) + " is not an address", "[::]:80");
    if (!parts.has_port) return refuse(quoted(text) + " has no port", std::string(text) + ":80");
    if ((parts.host.empty() && !parts.bracketed) || parts.host == "*") {
        return any_address(parts.port, text);
    }
    const auto port = parse_port(parts.port);
    if (!port) return refuse(quoted(text) + " has no valid port");
    AddressResult result = host_address(parts, *port, text);
    if (result.address && result.address->kind == Address::Kind::name) {
        return refuse("a listener wants an IP address, not the name " + quoted(parts.host),
                      ":" + std::string(parts.port) + " listens on every address");
    }
    return result;
}

AddressResult parse_server_address(std::string_view text) {
    if (text.starts_with("unix:")) return unix_address(text.substr(5));
    const std::string_view whole = text;
    bool url = false, https = false;
    if (auto refused = take_scheme(text, url, https)) return *refused;
    // Even a slash alone: elsewhere it changes the path, and a reader could not know.
    if (text.find_first_of("/?#") != std::string_view::npos) {
        return refuse("the upstream " + quoted(whole) + " has a path",
                      "an upstream is an address only; to change the path use strip_prefix, "
                      "replace_prefix or rewrite in the location");
    }
    if (text.find('@') != std::string_view::npos) {
        return refuse("the upstream " + quoted(whole) + " has a user name");
    }
    if (is_digits(text) && !url) {
        const auto port = parse_port(text);
        if (!port || *port == 0) return refuse(quoted(whole) + " is not a port (1 to 65535)");
        return ip_address(IpAddress::v4({127, 0, 0, 1}), *port);
    }
    const Split parts = split(text);
    if (parts.broken) return refuse(quoted(whole) + " is not an address", "[::1]:3000");
    if (!parts.has_port && !url) {
        return refuse(quoted(whole) + " has no port", std::string(whole) + ":80");
    }
    const std::uint16_t usual = https ? 443 : 80;
    const auto port = parts.has_port ? parse_port(parts.port) : usual;
    if (!port || *port == 0) return refuse(quoted(whole) + " has no valid port (1 to 65535)");
    AddressResult result = host_address(parts, *port, whole);
    if (https && result.address) {
        result.address->https = true;
        result.address->text.insert(0, "https://");
    }
    return result;
}

}  // namespace proxyd::config
