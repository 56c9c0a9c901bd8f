#include "shard.hpp"

#include "proxyd/base/random.hpp"

namespace proxyd::cache {
namespace {

/// How exact the order of use is, and how often a popular entry is moved at most.
constexpr UnixMilliseconds kUseStep = 100;

}  // namespace

std::size_t Zone::Shard::Hash::operator()(const Key& key) const noexcept {
    static const std::uint64_t seed = random_number();
    return (key.low ^ seed) * 0x9e3779b97f4a7c15ULL;
}

Zone::Node* Zone::Shard::find(const Key& key, std::string_view text) {
    const auto found = entries.find(key);
    if (found == entries.end() || found->second.entry.head->key_text != text) return nullptr;
    return &found->second;
}

void Zone::Shard::use(Node& node, UnixMilliseconds now) {
    if (now - node.used_at < kUseStep) return;
    node.used_at = now;
    order.erase(order.iterator_to(node));
    order.push_front(node);
    note_oldest();
}

Entry Zone::Shard::insert(const Entry& entry, std::size_t charge, UnixMilliseconds now,
                          std::size_t& freed) {
    const auto [place, fresh] = entries.try_emplace(entry.head->key);
    Node& node = place->second;
    Entry old = std::exchange(node.entry, entry);
    freed = std::exchange(node.charge, charge);
    if (!fresh) order.erase(order.iterator_to(node));
    node.used_at = now;
    order.push_front(node);
    note_oldest();
    return old;
}

Entry Zone::Shard::erase(Node& node, std::size_t& freed) {
    Entry old = std::move(node.entry);
    freed = node.charge;
    order.erase(order.iterator_to(node));
    entries.erase(old.head->key);
    note_oldest();
    return old;
}

/// Bounded: what was marked first in the table's order goes.
Zone::Shard::Mark& Zone::Shard::mark(const Key& key, std::size_t most, UnixMilliseconds now) {
    if (marks.size() >= most && !marks.contains(key)) {
        std::erase_if(marks, [&](const auto& each) { return each.second.until <= now; });
        while (marks.size() >= most) marks.erase(marks.begin());
    }
    return marks[key];
}

void Zone::Shard::note_oldest() noexcept {
    oldest.store(order.empty() ? INT64_MAX : order.back().used_at, std::memory_order_relaxed);
}

}  // namespace proxyd::cache
