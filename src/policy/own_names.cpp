#include "proxyd/policy/own_names.hpp"

#include <algorithm>
#include <charconv>

#include "proxyd/base/text.hpp"
#include "proxyd/http/uri.hpp"

namespace proxyd::policy {

void OwnNames::add(std::string_view authority) {
    const auto parts = http::parse_authority(authority);
    if (!parts) return;
    std::uint16_t port = 0;
    std::from_chars(parts->port.data(), parts->port.data() + parts->port.size(), port);
    const std::string_view host = parts->host;
    const bool local = host.starts_with("127.") || host == "[::1]";
    names_.push_back({std::string(host), port});
    if (local) names_.push_back({"localhost", port});
}

bool OwnNames::contain(std::string_view host, std::uint16_t port) const noexcept {
    return std::ranges::any_of(names_, [&](const Name& name) {
        const bool same_port = name.port == port || (name.port == 0 && (port == 80 || port == 443));
        return same_port && text::iequals(name.host, host);
    });
}

bool OwnNames::have_port(std::uint16_t port) const noexcept {
    return std::ranges::any_of(names_, [&](const Name& name) { return name.port == port; });
}

}  // namespace proxyd::policy
