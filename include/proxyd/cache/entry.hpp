#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxyd/cache/chunk.hpp"
#include "proxyd/cache/key.hpp"
#include "proxyd/http/header_map.hpp"

namespace proxyd::cache {

/// Milliseconds since 1970-01-01T00:00:00Z: an entry on disk outlives the machine's clock of ticks.
using UnixMilliseconds = std::int64_t;

/// What was decided about an answer's time when it was stored or last validated. Milliseconds.
struct Validity {
    UnixMilliseconds stored_at = 0;           ///< response_time (RFC 9111 4.2.3)
    std::int64_t initial_age = 0;             ///< corrected_initial_age, at stored_at
    std::int64_t lifetime = 0;                ///< freshness_lifetime (RFC 9111 4.2.1)
    std::int64_t stale_while_revalidate = 0;  ///< RFC 5861; 0 = not allowed by the answer
    std::int64_t stale_if_error = 0;
    bool no_cache = false;         ///< validated before each use
    bool must_revalidate = false;  ///< never served stale; proxy-revalidate and s-maxage alike
    bool immutable = false;        ///< RFC 8246: a reload does not validate it while it is fresh
    /// Soft purge and its like: stale from then on, whatever the lifetime says. 0 = not.
    UnixMilliseconds expired_at = 0;

    [[nodiscard]] std::int64_t age_at(UnixMilliseconds now) const noexcept {
        return initial_age + (now > stored_at ? now - stored_at : 0);
    }
    friend bool operator==(const Validity&, const Validity&) = default;
};

/// Everything but the body of a stored answer. Immutable once shared, by any thread: what changes
/// it (304, soft purge) makes a new one that takes its place.
///
/// An URL whose answers vary has a *marker* under its own key: no answer (status 0), only the names
/// of the request fields that choose (`vary`) and `salt`. Its variants lie under keys of their own,
/// whose text is variant_text() of both. So removing the marker removes every variant: the next
/// marker has another salt. The store treats both kinds alike.
class StoredHead : public boost::intrusive_ref_counter<StoredHead, boost::thread_safe_counter> {
  public:
    StoredHead() = default;
    StoredHead(const StoredHead&) = delete;
    StoredHead& operator=(const StoredHead&) = delete;

    Key key;               ///< key_of(key_text)
    std::string key_text;  ///< compared in full by whoever looks up by `key`
    std::string url;       ///< scheme://host/target, for purge and list; empty: key_text is it
    int status = 0;        ///< 0 = a marker
    Validity validity;
    std::string vary;        ///< names in lower case, sorted, joined by ','; "" = none
    std::uint64_t salt = 0;  ///< of a marker
    std::string tags;        ///< of Surrogate-Key and Cache-Tag, joined by ' '
    std::uint64_t body_size = 0;

    [[nodiscard]] std::string_view the_url() const noexcept { return url.empty() ? key_text : url; }
    [[nodiscard]] bool is_marker() const noexcept { return status == 0; }

    /// Name and value are copied. In the order of the answer; without hop-by-hop fields, Age,
    /// Content-Length, and the fields that speak to us.
    void add_field(std::string_view name, std::string_view value);
    /// After the last one: from here on fields() is valid.
    void seal();
    [[nodiscard]] const std::vector<http::Field>& fields() const noexcept { return fields_; }
    [[nodiscard]] std::string_view field(http::FieldId id) const noexcept;
    [[nodiscard]] bool has(http::FieldId id) const noexcept { return present_.contains(id); }
    /// What it takes of a zone's memory, the body apart.
    [[nodiscard]] std::size_t memory() const noexcept;
    /// A copy to be changed; not sealed.
    [[nodiscard]] boost::intrusive_ptr<StoredHead> copy() const;

  private:
    struct Place {
        std::uint32_t name, value, end;
    };
    std::string text_;
    std::vector<Place> places_;
    std::vector<http::Field> fields_;  ///< views into text_
    http::FieldSet present_;
};
using HeadPtr = boost::intrusive_ptr<const StoredHead>;

/// A whole body. Immutable, shared.
class StoredBody : public boost::intrusive_ref_counter<StoredBody, boost::thread_safe_counter> {
  public:
    explicit StoredBody(std::vector<ChunkPtr> chunks);
    [[nodiscard]] const std::vector<ChunkPtr>& chunks() const noexcept { return chunks_; }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    std::vector<ChunkPtr> chunks_;
    std::uint64_t size_ = 0;
};
using BodyPtr = boost::intrusive_ptr<const StoredBody>;

/// What a look-up finds. `body` null: none, or it lies in the second tier only.
struct Entry {
    HeadPtr head;
    BodyPtr body;
    explicit operator bool() const noexcept { return static_cast<bool>(head); }
};

}  // namespace proxyd::cache
