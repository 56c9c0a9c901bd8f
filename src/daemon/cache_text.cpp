#include "daemon/cache_text.hpp"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <cstdlib>

namespace proxyd::daemon {
namespace {

namespace json = boost::json;

/// Of each request that a cache was asked for; words that never came are left out.
std::string requests_text(const server::CacheStatus& cache) {
    std::string text;
    for (const auto& [word, count] : cache.requests) {
        if (count != 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", word, count);
    }
    return text.empty() ? "" : "  requests: " + text + "\n";
}

std::string disk_text(const server::CacheStatus& cache) {
    if (!cache.on_disk) return "";
    std::string limit =
        cache.disk.max_bytes == 0 ? "" : fmt::format(" of {}", cache.disk.max_bytes);
    return fmt::format("  disk: entries {}, bytes {}{}{}{}\n", cache.disk.entries, cache.disk.bytes,
                       limit, cache.disk.loading ? ", still being found" : "",
                       cache.disk.writable ? "" : ", cannot be written");
}

std::string cache_text(const server::CacheStatus& cache) {
    return fmt::format(
               "cache {}: fills running {}\n  memory: entries {}, bytes {} of {}, removed {}\n",
               cache.name, cache.fills, cache.entries, cache.bytes, cache.max_bytes,
               cache.removed) +
           disk_text(cache) + requests_text(cache);
}

json::object disk_object(const cache::StoreCounts& disk) {
    return {{"entries", disk.entries},
            {"bytes", disk.bytes},
            {"max_bytes", disk.max_bytes},
            {"loading", disk.loading},
            {"writable", disk.writable}};
}

json::object cache_object(const server::CacheStatus& cache) {
    json::object requests;
    for (const auto& [word, count] : cache.requests) requests[word] = count;
    json::object object{{"name", cache.name},
                        {"fills", cache.fills},
                        {"memory",
                         {{"entries", cache.entries},
                          {"bytes", cache.bytes},
                          {"max_bytes", cache.max_bytes},
                          {"removed", cache.removed}}},
                        {"requests", std::move(requests)}};
    if (cache.on_disk) object["disk"] = disk_object(cache.disk);
    return object;
}

std::string_view tier_text(const server::CacheListed& entry) {
    if (entry.memory && entry.disk) return "both";
    return entry.memory ? "memory" : "disk";
}

json::object entry_object(const server::CacheListed& entry) {
    return {{"zone", entry.zone},  {"url", entry.url},        {"status", entry.status},
            {"bytes", entry.size}, {"age", entry.age / 1000}, {"fresh_for", entry.fresh_for / 1000},
            {"tags", entry.tags},  {"memory", entry.memory},  {"disk", entry.disk}};
}

}  // namespace

std::string caches_text(const std::vector<server::CacheStatus>& caches) {
    std::string text;
    for (const auto& each : caches) text += cache_text(each);
    return text;
}

json::array caches_array(const std::vector<server::CacheStatus>& caches) {
    json::array all;
    for (const auto& each : caches) all.push_back(cache_object(each));
    return all;
}

std::string caches_json(const std::vector<server::CacheStatus>& caches) {
    return json::serialize(json::object{{"caches", caches_array(caches)}}) + "\n";
}

std::string cache_list_text(const server::CacheList& list) {
    std::string text;
    for (const auto& each : list.entries) {
        text += fmt::format("{} {} {} bytes {} age {} s {} {} s{}{}\n", each.zone, each.status,
                            each.size, tier_text(each), each.age / 1000,
                            each.fresh_for > 0 ? "fresh for" : "stale for",
                            std::abs(each.fresh_for) / 1000,
                            each.tags.empty() ? "" : " tags " + each.tags, " " + each.url);
    }
    if (list.more) text += fmt::format("and more; these are {}\n", list.entries.size());
    return text;
}

std::string cache_list_json(const server::CacheList& list) {
    json::array entries;
    for (const auto& each : list.entries) entries.push_back(entry_object(each));
    return json::serialize(json::object{{"entries", std::move(entries)}, {"more", list.more}}) +
           "\n";
}

std::string purged_text(const std::string& zone, bool soft, const server::CachePurged& purged) {
    return fmt::format("proxyd: cache '{}': {} in memory and {} on disk {}\n", zone, purged.memory,
                       purged.disk, soft ? "made stale" : "purged");
}

std::string purged_json(const std::string& zone, bool soft, const server::CachePurged& purged) {
    const json::object object{
        {"zone", zone}, {"soft", soft}, {"memory", purged.memory}, {"disk", purged.disk}};
    return json::serialize(object) + "\n";
}

}  // namespace proxyd::daemon
