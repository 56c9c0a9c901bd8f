#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "routing/host_name.hpp"
#include "routing/regex_list.hpp"

namespace proxyd::routing {

/// The names that one listener serves. Order: exact, longest "*.x", longest "x.*", first regex in
/// file order, "*". Built once, then immutable and shared by threads. The names are views: the
/// snapshot outlives it.
class VirtualHosts {
  public:
    /// `name` as in config::Host::names; of the same name given twice the first counts.
    void add(std::string_view name, std::uint32_t host);
    Result<void> build() { return regexes_.build(); }

    /// `name` without port and trailing dot, at most kMaxName bytes; empty: only "*".
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view name) const;

    static constexpr std::size_t kMaxName = 255;

  private:
    using Names = boost::unordered_flat_set<HostName, HostNameHash, HostNameEqual>;
    [[nodiscard]] std::optional<std::uint32_t> find_suffix(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint32_t> find_prefix(std::string_view name) const;
    [[nodiscard]] std::optional<std::uint32_t> find_regex(std::string_view name) const;

    Names exact_;
    Names suffixes_;  ///< "*.example.com" as "example.com"
    Names prefixes_;  ///< "www.example.*" as "www.example"
    RegexList regexes_;
    std::optional<std::uint32_t> any_;
};

}  // namespace proxyd::routing
