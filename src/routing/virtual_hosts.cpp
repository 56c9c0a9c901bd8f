#include "routing/virtual_hosts.hpp"

#include <algorithm>
#include <array>

#include "proxyd/base/text.hpp"

namespace proxyd::routing {

void VirtualHosts::add(std::string_view name, std::uint32_t host) {
    if (name == "*") {
        if (!any_) any_ = host;
    } else if (name.starts_with('~')) {
        regexes_.add(std::string(name.substr(1)), true, host);
    } else if (name.starts_with("*.")) {
        suffixes_.emplace(http::host_of(name.substr(2)), host);
    } else if (name.ends_with(".*")) {
        prefixes_.emplace(name.substr(0, name.size() - 2), host);
    } else if (name.starts_with('.')) {
        exact_.emplace(http::host_of(name.substr(1)), host);
        suffixes_.emplace(http::host_of(name.substr(1)), host);
    } else {
        exact_.emplace(http::host_of(name), host);
    }
}

std::optional<std::uint32_t> VirtualHosts::find(std::string_view name) const {
    if (name.empty() || name.size() > kMaxName) return any_;
    if (const auto found = exact_.find(name); found != exact_.end()) return found->host();
    if (!suffixes_.empty()) {
        if (const auto found = find_suffix(name)) return found;
    }
    if (!prefixes_.empty()) {
        if (const auto found = find_prefix(name)) return found;
    }
    if (!regexes_.empty()) {
        if (const auto found = find_regex(name)) return found;
    }
    return any_;
}

std::optional<std::uint32_t> VirtualHosts::find_suffix(std::string_view name) const {
    for (std::size_t dot = name.find('.', 1); dot != name.npos; dot = name.find('.', dot + 1)) {
        const auto found = suffixes_.find(name.substr(dot + 1));
        if (found != suffixes_.end()) return found->host();
    }
    return std::nullopt;
}

std::optional<std::uint32_t> VirtualHosts::find_prefix(std::string_view name) const {
    for (std::size_t dot = name.rfind('.'); dot != name.npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
        const auto found = prefixes_.find(name.substr(0, dot));
        if (found != prefixes_.end()) return found->host();
    }
    return std::nullopt;
}

std::optional<std::uint32_t> VirtualHosts::find_regex(std::string_view name) const {
    std::array<char, kMaxName> lower;
    std::ranges::transform(name, lower.begin(), text::lower);
    const auto found = regexes_.find({lower.data(), name.size()});
    if (!found) return std::nullopt;
    return static_cast<std::uint32_t>(*found);
}

}  // namespace proxyd::routing
