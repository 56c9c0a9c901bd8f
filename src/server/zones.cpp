#include "zones.hpp"

namespace proxyd::server {
namespace {

cache::ZoneSettings settings_of(const config::CacheZone& zone) {
    cache::ZoneSettings settings;
    settings.name = zone.name;
    settings.memory = zone.memory;
    settings.max_object_size = zone.max_object_size;
    settings.inactive = zone.inactive;
    settings.path = zone.path;
    settings.levels = zone.levels;
    settings.max_size = zone.max_size;
    return settings;
}

cache::DiskLimits limits_of(const cache::ZoneSettings& zone) {
    return {zone.max_size, zone.inactive};
}

/// The second tier of a zone with a path. `levels` holds digits and colons.
std::unique_ptr<cache::CacheStore> open_store(cache::DiskStores& stores,
                                              const cache::ZoneSettings& zone) {
    if (zone.path.empty()) return nullptr;
    cache::DiskOptions options;
    options.zone = zone.name;
    options.path = zone.path;
    options.levels.clear();
    for (const char c : zone.levels) {
        if (c != ':') options.levels.push_back(static_cast<unsigned>(c - '0'));
    }
    options.limits = limits_of(zone);
    return stores.open(options);
}

}  // namespace

/// A zone that is served stays the known one until another is served in its place.
cache::ZonePtr Zones::get(const config::CacheZone& zone) {
    const cache::ZoneSettings settings = settings_of(zone);
    const auto known = zones_.find(zone.name);
    cache::ZonePtr current = known == zones_.end() ? nullptr : known->second.lock();
    if (current && current->settings() == settings) return current;
    return std::make_shared<cache::Zone>(settings, open_store(stores_, settings));
}

void Zones::adopted(const ByName& zones) {
    zones_.clear();
    for (const auto& [name, zone] : zones) {
        zones_.emplace(name, zone);
        if (zone->store() == nullptr) continue;
        stores_.set_limits(zone->settings().path, limits_of(zone->settings()));
    }
}

}  // namespace proxyd::server
