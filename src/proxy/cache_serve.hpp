#pragma once

#include <memory>
#include <optional>

#include "exchange.hpp"
#include "proxyd/cache/store.hpp"
#include "proxyd/cache/zone.hpp"
#include "proxyd/http/fields/range.hpp"

namespace proxyd::proxy {

/// A stored answer and where its body comes from: memory, a fill that runs, or the second tier.
struct CachedAnswer {
    cache::HeadPtr head;
    std::optional<std::uint64_t> size;  ///< none: a fill that does not know it yet
    cache::BodyPtr body;
    cache::FillPtr fill;
    std::unique_ptr<cache::StoreReader> reader;
};

/// Sends a stored answer as this client asked for it: whole, its head, 304, one range or several.
/// Lives in the exchange's CacheFlow; ends early when the stream is reset.
class CacheServe {
  public:
    /// `canceled` is looked at whenever `waiter` was woken.
    CacheServe(Exchange& exchange, CachedAnswer answer, cache::FillWaiter& waiter,
               const std::optional<Error>& canceled);

    Task<void> run();
    /// The fill ended in the middle because it is too large to be kept: rest() has to come from
    /// elsewhere.
    [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
    [[nodiscard]] AnswerRest rest() const;

  private:
    struct Piece {
        std::string_view bytes;
        bool more = false;  ///< there is more without waiting
    };
    void choose_shape();
    void choose_ranges();
    void fill_head();
    void set_range_fields();
    void age_field();
    Task<void> send_body();
    Task<bool> send_range(std::uint64_t first, std::uint64_t behind, bool last);
    Task<bool> send_text(std::string_view text, bool last);
    Task<Result<Piece>> read();
    [[nodiscard]] Piece read_memory();
    Task<Result<Piece>> read_fill();
    Task<Result<Piece>> read_store();
    [[nodiscard]] std::string_view part_head(const http::ByteRange& range);
    void cut(const Error& why);

    Exchange& exchange_;
    CachedAnswer answer_;
    cache::FillWaiter& waiter_;
    const std::optional<Error>& canceled_;
    enum class Shape : std::uint8_t { whole, head, not_modified, ranges, unsatisfiable } shape_{};
    std::vector<http::ByteRange> ranges_;
    std::string boundary_;
    std::uint64_t position_ = 0;
    std::size_t chunk_ = 0;  ///< memory: the chunk of position_
    std::uint64_t chunk_start_ = 0;
    cache::ChunkPtr held_;  ///< what the last piece lies in
    bool overflowed_ = false;
};

}  // namespace proxyd::proxy
