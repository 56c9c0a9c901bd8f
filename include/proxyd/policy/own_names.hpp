#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::policy {

/// The authorities under which an upstream knows itself: its name, its servers' names and
/// addresses, and "localhost" for those on this machine. Built with the generation, then read only.
class OwnNames {
  public:
    /// "host", "host:port", "[::1]:port"; other texts name nobody.
    void add(std::string_view authority);
    /// `host` without port; `port` as written, or the scheme's own.
    [[nodiscard]] bool contain(std::string_view host, std::uint16_t port) const noexcept;
    /// A port that one of them has.
    [[nodiscard]] bool have_port(std::uint16_t port) const noexcept;

  private:
    struct Name {
        std::string host;
        std::uint16_t port;  ///< 0 = the scheme's own
    };
    std::vector<Name> names_;
};

}  // namespace proxyd::policy
