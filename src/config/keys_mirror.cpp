#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

void store_upstream(Reader& reader, const Key&, const Node& node, void* target) {
    static_cast<Mirror*>(target)->upstream = use_upstream(reader, node);
}

constexpr Key kKeys[] = {
    {.name = "upstream",
     .type = Type::address,
     .doc = "Who gets the copies: a name of `upstreams` or an address.",
     .store = store_upstream,
     .inherits = true},
    {.name = "percent",
     .type = Type::count,
     .fallback = "100",
     .doc = "How many of a hundred requests are copied, chosen at random.",
     .range = {0, 100},
     .store = store<&Mirror::percent>,
     .inherits = true},
};

bool is_off(const Node& node) {
    const Node* upstream = node.find("upstream");
    return upstream != nullptr && node.items.size() == 1 && upstream->is_scalar() &&
           parse_boolean(upstream->text) == false;
}

}  // namespace

constinit const Table kMirrorTable{.name = "mirror", .keys = kKeys};

/// A level's keys change those of the level around it.
void store_mirror(Reader& reader, const Key& key, const Node& node, void* policy) {
    auto& place = static_cast<Policy*>(policy)->mirror;
    if (is_off(node)) return place.reset();
    Mirror mirror = place.value_or(Mirror{});
    const std::size_t errors = reader.report.errors();
    reader.read_map(node, kMirrorTable, Where{key.name}, &mirror);
    if (reader.report.errors() == errors && mirror.upstream.empty()) {
        reader.report.error(node.key_at, "'mirror' needs an upstream",
                            "mirror: { upstream: shadow, percent: 10 }");
    }
    place = std::move(mirror);
}

}  // namespace proxyd::config
