#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <span>
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
        std::uint32_t location = 0;   ///< `first` of build() + the place among its locations
        bool slash_redirect = false;  ///< the path lacks the final slash of this location
        bool plain = false;           ///< forwards what the client sent: no edit, `path: raw`
    };

    Result<void> build(std::span<const config::Location> locations, std::uint32_t first);
    /// `path` decoded and normalised.
    [[nodiscard]] std::optional<Found> find(std::string_view path) const;

  private:
    struct Head {
        std::uint32_t prefix_count = 0, exact_count = 0;
        std::uint32_t first = 0;
        bool has_regexes = false;
    };
    /// 16 bytes: a search among ten locations stays in three cache lines.
    struct Entry {
        std::uint32_t offset = 0;  ///< of the text, into block_
        std::int32_t parent = -1;
        std::uint32_t location = 0;
        std::uint16_t size = 0;
        config::Matcher::Kind kind{};
        bool redirects : 1 = false;
        bool plain : 1 = false;
    };
    [[nodiscard]] std::string_view text(const Entry& entry) const noexcept {
        return {block_.get() + entry.offset, entry.size};
    }
    [[nodiscard]] const Head& head() const noexcept {
        return *reinterpret_cast<const Head*>(block_.get());
    }
    [[nodiscard]] std::span<const Entry> prefixes() const noexcept {
        const void* const entries = block_.get() + sizeof(Head);
        return {static_cast<const Entry*>(entries), head().prefix_count};
    }
    [[nodiscard]] std::span<const Entry> exact() const noexcept {
        return {prefixes().data() + head().prefix_count, head().exact_count};
    }
    [[nodiscard]] static Entry make_entry(const config::Location& location, std::uint32_t index);
    void fill_block(std::span<const config::Location> locations, Head head,
                    std::vector<Entry>& prefixes, std::vector<Entry>& exact);
    [[nodiscard]] const Entry* find_exact(std::string_view path) const;
    [[nodiscard]] const Entry* longest_prefix(std::string_view path, const Entry* last) const;
    [[nodiscard]] const Entry* find_redirect(std::string_view path, const Entry* next) const;

    /// The head; prefixes, sorted by text, a raw one before a bounded one; exact ones, sorted; all
    /// texts. One piece of memory, so that a host of ten thousand costs few cache misses.
    struct Freed {
        void operator()(char* block) const noexcept {
            ::operator delete(block, std::align_val_t{kLine});
        }
    };
    static constexpr std::size_t kLine = 64;
    std::unique_ptr<char[], Freed> block_;
    std::unique_ptr<RegexList> regexes_;  ///< null without
};

}  // namespace proxyd::routing
