#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/config/model.hpp"
#include "routing/regex_list.hpp"

namespace proxyd::routing {

/// The locations of one host, chosen as nginx does: exact, longest prefix, regexes in file order
/// unless the prefix is final. Built once, then immutable and shared by threads.
///
/// Prefixes lie sorted in one array; each knows the longest other one that it begins with. The
/// last text that is not greater than the path is found by bisection; every prefix of the path is
/// that text or one of its ancestors.
class LocationTree {
  public:
    struct Found {
        std::uint32_t location = 0;   ///< index into the locations given to build()
        bool slash_redirect = false;  ///< the path lacks the final slash of this location
    };

    Result<void> build(std::span<const config::Location> locations);
    /// `path` decoded and normalised.
    [[nodiscard]] std::optional<Found> find(std::string_view path) const;

  private:
    struct Entry {
        std::uint32_t offset = 0;  ///< into texts_
        std::uint32_t size = 0;
        std::int32_t parent = -1;
        std::uint32_t location = 0;
        config::Matcher::Kind kind{};
        bool redirects = false;
    };
    [[nodiscard]] std::string_view text(const Entry& entry) const noexcept {
        return std::string_view(texts_).substr(entry.offset, entry.size);
    }
    [[nodiscard]] Entry make_entry(const config::Location& location, std::uint32_t index);
    void link_parents();
    [[nodiscard]] const Entry* find_exact(std::string_view path) const;
    [[nodiscard]] const Entry* find_prefix(std::string_view path) const;
    [[nodiscard]] const Entry* find_redirect(std::string_view path) const;

    std::string texts_;
    std::vector<Entry> exact_;     ///< sorted by text
    std::vector<Entry> prefixes_;  ///< sorted by text; a raw prefix before a bounded one
    RegexList regexes_;
    bool has_redirects_ = false;
};

}  // namespace proxyd::routing
