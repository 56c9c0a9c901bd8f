#include "config/keys_caches.hpp"

#include "config/sections.hpp"
#include "config/store.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

constexpr std::uint64_t kMega = 1 << 20;

/// nginx's spelling: up to three levels of one or two digits.
void store_levels(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    std::size_t levels = 0;
    bool valid = !text->empty() && text->size() % 2 == 1;
    for (std::size_t i = 0; i < text->size(); ++i) {
        const char c = (*text)[i];
        valid = valid && (i % 2 == 0 ? c == '1' || c == '2' : c == ':');
        levels += i % 2 == 0;
    }
    if (!valid || levels > 3) {
        reader.report.error(node.at, "'levels' wants one to three of 1 and 2, not '" + *text + "'",
                            "levels: \"1:2\"");
        return;
    }
    static_cast<CacheZone*>(target)->levels = *text;
}

constexpr Key kKeys[] = {
    {.name = "path",
     .type = Type::path,
     .doc = "The directory of its files; without one it lives in memory only.",
     .store = store<&CacheZone::path>},
    {.name = "levels",
     .type = Type::text,
     .fallback = "1:2",
     .doc = "Directories below path: how many hexadecimal digits name each level.",
     .store = store_levels},
    {.name = "memory",
     .type = Type::size,
     .fallback = "10m",
     .doc = "What the entries in memory take, bodies included; never exceeded.",
     .range = {64 * 1024, 1024 * 1024 * kMega},
     .nginx = "keys_zone",
     .store = store<&CacheZone::memory>},
    {.name = "max_size",
     .type = Type::size,
     .fallback = "1g",
     .doc = "What the files take together.",
     .range = {kMega, UINT64_MAX},
     .store = store<&CacheZone::max_size>},
    {.name = "max_object_size",
     .type = Type::size,
     .fallback = "1g",
     .doc = "A longer body is not stored; in memory a quarter of `memory` is the limit too.",
     .range = {1, UINT64_MAX},
     .store = store<&CacheZone::max_object_size>},
    {.name = "inactive",
     .type = Type::duration,
     .fallback = "10m",
     .doc = "What nobody asked for that long is removed, fresh or not.",
     .range = {1'000, 86'400'000ULL * 3650},
     .store = store<&CacheZone::inactive>},
};

void read_zone(Reader& reader, const Node& node) {
    CacheZone zone;
    zone.name = node.key;
    zone.origin = node.key_at.origin();
    reader.apply_defaults(kCacheZoneTable, &zone);
    if (!node.is_null()) {
        reader.read_map(node, kCacheZoneTable, Where{"cache", node.key}, &zone);
    }
    const std::string name = zone.name;
    reader.snapshot.caches.emplace(name, std::move(zone));
}

/// Two zones in one directory would take each other's files away.
void check_paths(Reader& reader, const Node& node) {
    std::map<std::string, std::string> owners;
    for (const Node& item : node.items) {
        const auto found = reader.snapshot.caches.find(item.key);
        if (found == reader.snapshot.caches.end() || found->second.path.empty()) continue;
        const auto [owner, fresh] = owners.emplace(found->second.path, item.key);
        if (!fresh) {
            reader.report.error(
                item.key_at,
                "cache '" + item.key + "' has the path of cache '" + owner->second + "'",
                "each zone needs a directory of its own");
        }
    }
}

}  // namespace

constinit const Table kCacheZoneTable{.name = "a cache", .keys = kKeys};

void store_caches(Reader& reader, const Key& key, const Node& node, void*) {
    if (!node.is_map() && !node.is_null()) {
        return reader.wrong(node, key.name, "a map of names", "caches: { pages: { memory: 10m } }");
    }
    for (const Node& item : node.items) read_zone(reader, item);
    check_paths(reader, node);
}

}  // namespace proxyd::config
