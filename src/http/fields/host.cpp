#include "proxyd/http/fields/host.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "proxyd/base/text.hpp"

namespace proxyd::http {
namespace {

/// Where the port's colon stands, or the end.
std::size_t end_of_host(std::string_view authority) noexcept {
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        return close == std::string_view::npos ? authority.size() : close + 1;
    }
    return std::min(authority.find(':'), authority.size());
}

}  // namespace

std::string_view host_of(std::string_view authority) noexcept {
    std::string_view host = authority.substr(0, end_of_host(authority));
    if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
    return host;
}

std::string_view port_of(std::string_view authority) noexcept {
    const std::string_view rest = authority.substr(end_of_host(authority));
    return rest.empty() ? rest : rest.substr(1);
}

std::size_t HostHash::operator()(std::string_view name) const noexcept {
    constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
    constexpr std::uint64_t kFold = 0x2020202020202020;  // makes letters lower-case
    std::uint64_t hash = name.size() * kMultiplier;
    const auto mix = [&hash](std::uint64_t word) {
        hash = (hash ^ (word | kFold)) * kMultiplier;
        hash ^= hash >> 32;
    };
    std::uint64_t word = 0;
    for (; name.size() >= 8; name.remove_prefix(8)) {
        std::memcpy(&word, name.data(), 8);
        mix(word);
    }
    word = 0;
    if (!name.empty()) std::memcpy(&word, name.data(), name.size());
    mix(word);
    return hash;
}

bool HostEqual::operator()(std::string_view a, std::string_view b) const noexcept {
    return a == b || text::iequals(a, b);
}

std::string lower_case(std::string_view name) {
    std::string out(name);
    std::ranges::transform(out, out.begin(), text::lower);
    return out;
}

}  // namespace proxyd::http
