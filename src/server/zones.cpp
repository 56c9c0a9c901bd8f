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

/// The second tier of a zone with a path.
std::unique_ptr<cache::CacheStore> open_store(const cache::ZoneSettings&) {
    return nullptr;
}

}  // namespace

cache::ZonePtr Zones::get(const config::CacheZone& zone) {
    const cache::ZoneSettings settings = settings_of(zone);
    std::weak_ptr<cache::Zone>& known = zones_[zone.name];
    cache::ZonePtr current = known.lock();
    if (current && current->settings() == settings) return current;
    current = std::make_shared<cache::Zone>(settings, open_store(settings));
    known = current;
    return current;
}

void Zones::forget_unused() {
    std::erase_if(zones_, [](const auto& each) { return each.second.expired(); });
}

}  // namespace proxyd::server
