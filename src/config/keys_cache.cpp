#include <algorithm>
#include <charconv>

#include "config/keys_retry.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

constexpr std::string_view kStaleList =
    "error|timeout|updating|invalid_header|http_500|http_502|http_503|http_504|http_403|http_404|"
    "http_429";

void store_zone(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    static_cast<Cache*>(target)->zone = *text;
    const auto& zones = reader.snapshot.caches;
    if (zones.contains(*text)) return;
    std::vector<std::string_view> names;
    for (const auto& [name, zone] : zones) names.push_back(name);
    std::string hint = did_you_mean(*text, names);
    if (hint.empty()) hint = "caches: { " + *text + ": { memory: 10m } }";
    reader.report.error(node.at, "no cache is called '" + *text + "'", std::move(hint));
}

/// "10m" alone is for the statuses that nginx takes without a list.
void store_valid(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& valid = static_cast<Cache*>(target)->valid;
    valid.clear();
    Key row = key;
    row.type = Type::duration;
    if (node.is_scalar()) {
        const auto time = reader.number(node, row);
        for (const int status : {200, 301, 302}) {
            if (time) valid.push_back({status, Duration{*time}});
        }
        return;
    }
    if (!node.is_map() && !node.is_null()) {
        return reader.wrong(node, key.name, "a map of statuses or a time",
                            "valid: { 200: 10m, 404: 1m }");
    }
    for (const Node& item : node.items) {
        int status = 0;
        const auto [end, failed] =
            std::from_chars(item.key.data(), item.key.data() + item.key.size(), status);
        const bool number = failed == std::errc{} && end == item.key.data() + item.key.size();
        if (item.key == "any") {
            status = 0;
        } else if (!number || status < 200 || status > 599 || status == 206 || status == 304) {
            reader.report.error(item.key_at, "'" + item.key + "' is not a status that is stored",
                                "200 to 599 without 206 and 304, or any");
            continue;
        }
        row.name = item.key;
        if (const auto time = reader.number(item, row)) {
            valid.push_back({status, Duration{*time}});
        }
    }
    std::ranges::stable_partition(valid, [](const Cache::Valid& each) { return each.status != 0; });
}

void store_use_stale(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& cache = *static_cast<Cache*>(target);
    cache.use_stale = 0;
    cache.stale_updating = false;
    for (const Node* word : reader.scalars(node, key.name)) {
        if (const std::uint32_t bit = retry_bit(word->text); bit != 0) {
            cache.use_stale |= bit;
        } else if (word->text == "updating") {
            cache.stale_updating = true;
        } else if (!(node.is_scalar() && parse_boolean(word->text) == false)) {
            reader.report.error(word->at, "unknown word '" + word->text + "' in 'use_stale'",
                                did_you_mean(word->text, split_words(kStaleList)));
        }
    }
}

template <std::vector<vars::Template> Cache::*Member>
void store_conditions(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& list = static_cast<Cache*>(target)->*Member;
    list.clear();
    for (const Node* item : reader.scalars(node, key.name)) {
        if (auto text = reader.variables(*item, key.name)) list.push_back(*std::move(text));
    }
}

void store_methods(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& cache = *static_cast<Cache*>(target);
    cache.head = false;
    bool get = false;
    for (const Node* item : reader.scalars(node, key.name)) {
        if (item->text == "GET") {
            get = true;
        } else if (item->text == "HEAD") {
            cache.head = true;
        } else {
            reader.report.error(item->at, "'" + item->text + "' is never answered from the cache",
                                "GET and HEAD are");
            return;
        }
    }
    if (!get) reader.report.error(node.at, "'methods' of a cache needs GET");
}

void store_status_header(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    auto& name = static_cast<Cache*>(target)->status_header;
    if (parse_boolean(*text) == false) {
        name.clear();
    } else if (!is_token(*text) || parse_boolean(*text) == true) {
        reader.report.error(node.at, "'" + *text + "' is not a field name",
                            "status_header: X-Cache-Status, or off");
    } else {
        name = *text;
    }
}

void store_client(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (*text != "honour" && *text != "ignore") {
        reader.report.error(node.at,
                            "'client_cache_control' wants honour or ignore, not '" + *text + "'",
                            did_you_mean(*text, split_words(key.words)));
        return;
    }
    static_cast<Cache*>(target)->honour_client = *text == "honour";
}

constexpr Key kKeys[] = {
    {.name = "zone",
     .type = Type::text,
     .doc = "The zone of `caches`.",
     .nginx = "proxy_cache",
     .store = store_zone,
     .inherits = true},
    {.name = "valid",
     .type = Type::map,
     .doc = "How long answers are fresh that do not say it themselves: a time by status, `any` for "
            "the others; a time alone is for 200, 301 and 302.",
     .range = {0, 86'400'000ULL * 3650},
     .nginx = "proxy_cache_valid",
     .store = store_valid,
     .inherits = true},
    {.name = "use_stale",
     .type = Type::list,
     .doc = "When an expired answer is better than none; never against must-revalidate.",
     .words = kStaleList,
     .nginx = "proxy_cache_use_stale",
     .store = store_use_stale,
     .inherits = true},
    {.name = "lock",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "One request fetches an answer, the others for the same wait and share it.",
     .nginx = "proxy_cache_lock",
     .store = store<&Cache::lock>,
     .inherits = true},
    {.name = "key",
     .type = Type::variables,
     .fallback = "$scheme$host$request_uri",
     .doc = "What tells answers apart. As it is by default it is the URL, port included.",
     .nginx = "proxy_cache_key",
     .store = store<&Cache::key>,
     .inherits = true},
    {.name = "bypass",
     .type = Type::list,
     .doc = "Texts with $variables: when one is neither empty nor 0, the cache is not asked.",
     .nginx = "proxy_cache_bypass",
     .store = store_conditions<&Cache::bypass>,
     .inherits = true},
    {.name = "no_store",
     .type = Type::list,
     .doc = "Texts with $variables: when one is neither empty nor 0, the answer is not stored.",
     .nginx = "proxy_no_cache",
     .store = store_conditions<&Cache::no_store>,
     .inherits = true},
    {.name = "methods",
     .type = Type::list,
     .fallback = "[GET, HEAD]",
     .doc = "What is answered from the cache.",
     .nginx = "proxy_cache_methods",
     .store = store_methods,
     .inherits = true},
    {.name = "min_uses",
     .type = Type::count,
     .fallback = "1",
     .doc = "Only what was asked for that often is stored.",
     .range = {1, 1'000'000},
     .nginx = "proxy_cache_min_uses",
     .store = store<&Cache::min_uses>,
     .inherits = true},
    {.name = "background_update",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Where use_stale has updating, or the answer allows it, nobody waits for a new one.",
     .nginx = "proxy_cache_background_update",
     .store = store<&Cache::background_update>,
     .inherits = true},
    {.name = "status_header",
     .type = Type::text,
     .fallback = "X-Cache-Status",
     .doc = "The field that says HIT, MISS and so on; off = none.",
     .store = store_status_header,
     .inherits = true},
    {.name = "client_cache_control",
     .type = Type::word,
     .fallback = "honour",
     .doc = "ignore = clients cannot force the cache to ask the upstream.",
     .words = "honour|ignore",
     .store = store_client,
     .inherits = true},
};

bool is_off(const Node& node) {
    if (node.is_scalar()) return parse_boolean(node.text) == false;
    const Node* zone = node.find("zone");
    return zone != nullptr && node.items.size() == 1 && zone->is_scalar() &&
           parse_boolean(zone->text) == false;
}

}  // namespace

constinit const Table kCacheTable{.name = "cache", .keys = kKeys};

/// A level's keys change those of the level around it.
void store_cache(Reader& reader, const Key& key, const Node& node, void* policy) {
    auto& place = static_cast<Policy*>(policy)->cache;
    if (is_off(node)) {
        place = nullptr;
        return;
    }
    auto cache = std::make_shared<Cache>();
    if (place != nullptr) {
        *cache = *place;
    } else {
        for (const Key& row : kKeys) {
            if (row.name != "key") continue;
            cache->key = *vars::Template::parse(row.fallback);
        }
    }
    const std::size_t errors = reader.report.errors();
    reader.read_map(node.is_map() ? node : expand_shorthand(node, key.scalar), kCacheTable,
                    Where{key.name}, cache.get());
    if (reader.report.errors() == errors && cache->zone.empty()) {
        reader.report.error(node.key_at, "'cache' needs a zone",
                            "cache: { zone: pages, valid: { 200: 10m } }");
    }
    place = std::move(cache);
}

}  // namespace proxyd::config
