#include "config/merge.hpp"

#include <unordered_map>

namespace proxyd::config {
namespace {

/// Sections whose entries are names: one name is defined in one place, never in two halves.
bool holds_names(std::string_view key) {
    for (const std::string_view section : {"hosts", "upstreams", "maps", "listeners", "caches",
                                           "rate_limits", "connection_limits", "formats"}) {
        if (key == section) return true;
    }
    return false;
}

void merge_map(Node& into, Node from, bool names, Report& report) {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < into.items.size(); ++i) places.emplace(into.items[i].key, i);
    for (Node& item : from.items) {
        const auto found = places.find(item.key);
        if (found == places.end()) {
            into.items.push_back(std::move(item));
            continue;
        }
        Node& first = into.items[found->second];
        if (first.is_null() && item.is_map()) {
            first = std::move(item);
            continue;
        }
        if (!names && first.is_map() && item.is_map()) {
            merge_map(first, std::move(item), holds_names(first.key), report);
        } else if (!(item.is_null() && first.is_map())) {
            report.error(item.key_at, "'" + item.key + "' is given twice",
                         "first given at " + first.key_at.text());
        }
    }
}

}  // namespace

void merge_file(Node& into, Node from, Report& report) {
    merge_map(into, std::move(from), false, report);
}

void override_with(Node& into, Node from) {
    for (Node& item : from.items) {
        Node* place = into.find(item.key);
        if (place == nullptr) {
            into.items.push_back(std::move(item));
        } else if (place->is_map() && item.is_map()) {
            override_with(*place, std::move(item));
        } else {
            *place = std::move(item);
        }
    }
}

}  // namespace proxyd::config
