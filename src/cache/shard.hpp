#pragma once

#include <boost/intrusive/list.hpp>
#include <unordered_map>

#include "proxyd/cache/zone.hpp"

namespace proxyd::cache {

/// One entry in memory. In the shard's table, linked in the order of use.
struct Zone::Node : boost::intrusive::list_base_hook<> {
    Entry entry;
    UnixMilliseconds used_at = 0;
    UnixMilliseconds told_at = 0;  ///< when the second tier last heard of a use
    std::size_t charge = 0;        ///< on the budget, the body apart
};

/// A part of a zone under one lock.
struct alignas(64) Zone::Shard {
    /// Keys are well mixed; the seed keeps a client from choosing buckets.
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Mark {
        UnixMilliseconds until = 0;  ///< forgotten then
        UnixMilliseconds pass_until = 0;
        unsigned uses = 0;
    };

    mutable std::mutex mutex;
    std::unordered_map<Key, Node, Hash> entries;
    boost::intrusive::list<Node, boost::intrusive::constant_time_size<false>>
        order;  ///< newest first
    std::unordered_map<Key, FillPtr, Hash> fills;
    std::unordered_map<Key, Mark, Hash> marks;
    /// When the last in `order` was used; read without the lock.
    std::atomic<UnixMilliseconds> oldest{INT64_MAX};

    // All under the lock; what is taken out is let go by the caller, outside.
    [[nodiscard]] Node* find(const Key& key, std::string_view text);
    void use(Node& node, UnixMilliseconds now);
    Entry insert(const Entry& entry, std::size_t charge, UnixMilliseconds now, std::size_t& freed);
    Entry erase(Node& node, std::size_t& freed);
    [[nodiscard]] Mark& mark(const Key& key, std::size_t most, UnixMilliseconds now);
    void note_oldest() noexcept;
};

}  // namespace proxyd::cache
