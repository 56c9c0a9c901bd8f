#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proxyd/http/fields/host.hpp"

namespace proxyd::routing {

/// A name in a table of hosts, and the host it stands for. Usual names lie inside, so that looking
/// one up among ten thousand costs one cache miss less; of longer ones it holds a view.
class alignas(32) HostName {
  public:
    HostName(std::string_view name, std::uint32_t host)
        : host_(host), size_(static_cast<std::uint8_t>(std::min(name.size(), kInside + 1))) {
        if (name.size() <= kInside) {
            std::ranges::copy(name, bytes_.begin());
        } else {
            std::memcpy(bytes_.data(), &name, sizeof name);
        }
    }

    [[nodiscard]] std::uint32_t host() const noexcept { return host_; }
    [[nodiscard]] std::string_view text() const noexcept {
        if (size_ <= kInside) return {bytes_.data(), size_};
        std::string_view name;
        std::memcpy(&name, bytes_.data(), sizeof name);
        return name;
    }

  private:
    static constexpr std::size_t kInside = 27;

    std::uint32_t host_;
    std::uint8_t size_;
    std::array<char, kInside> bytes_{};
};
static_assert(sizeof(HostName) == 32);

struct HostNameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return http::HostHash()(name); }
    std::size_t operator()(const HostName& name) const noexcept { return (*this)(name.text()); }
};
struct HostNameEqual {
    using is_transparent = void;
    bool operator()(const HostName& a, const HostName& b) const noexcept {
        return http::HostEqual()(a.text(), b.text());
    }
    bool operator()(std::string_view a, const HostName& b) const noexcept {
        return http::HostEqual()(a, b.text());
    }
    bool operator()(const HostName& a, std::string_view b) const noexcept { return (*this)(b, a); }
};

}  // namespace proxyd::routing
