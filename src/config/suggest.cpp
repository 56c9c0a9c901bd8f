#include "config/suggest.hpp"

#include <algorithm>
#include <utility>

#include "proxyd/base/text.hpp"

namespace proxyd::config {
namespace {

constexpr std::size_t kLongest = 64;

/// Edits between two words: insert, delete, change, swap of neighbours (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), two_before;
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        two_before = std::exchange(before, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = text::lower(a[i - 1]) == text::lower(b[j - 1]);
            row[j] = std::min({before[j] + 1, row[j - 1] + 1, before[j - 1] + (same ? 0 : 1)});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], two_before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

void collect(const Table& table, std::vector<std::string_view>& names) {
    for (const Key& key : table.keys) names.push_back(key.name);
    if (table.more != nullptr) collect(*table.more, names);
}

/// "limits" of `listen`: a key that exists, but in another place.
std::string elsewhere(std::string_view given) {
    std::string place;
    walk(kTopTable, "", [&](const std::string& path, const Table& table, const Key& key) {
        if (key.name != given || !place.empty()) return;
        place = path == given ? "'" + path + "' belongs at the top level"
                              : "'" + path + "' is a key of " + std::string(table.name);
    });
    return place;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view words) {
    std::vector<std::string_view> result;
    while (!words.empty()) {
        const std::size_t bar = std::min(words.find('|'), words.size());
        result.push_back(words.substr(0, bar));
        words.remove_prefix(std::min(bar + 1, words.size()));
    }
    return result;
}

bool one_of(std::string_view words, std::string_view word) {
    const auto all = split_words(words);
    return std::find(all.begin(), all.end(), word) != all.end();
}

std::string nearest(std::string_view given, const std::vector<std::string_view>& candidates) {
    if (given.empty() || given.size() > kLongest) return "";
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, given.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > kLongest) continue;
        const std::size_t edits = distance(given, candidate);
        if (edits < best_distance && edits < candidate.size()) {
            best_distance = edits;
            best = candidate;
        }
    }
    if (!best.empty()) return std::string(best);
    // "warning" for "warn": too far to be a slip, but it begins the same.
    for (const std::string_view candidate : candidates) {
        if (candidate.size() > 3 && given.starts_with(candidate)) return std::string(candidate);
    }
    return "";
}

std::string did_you_mean(std::string_view given, const std::vector<std::string_view>& candidates) {
    const std::string best = nearest(given, candidates);
    return best.empty() ? "" : "did you mean '" + best + "'?";
}

std::string hint_for_key(std::string_view given, const Table& table) {
    std::vector<std::string_view> names;
    collect(table, names);
    // One edit away is a slip even where another proxy has that word ("server" in an upstream).
    const bool near = std::any_of(names.begin(), names.end(), [&](std::string_view name) {
        return given.size() > 3 && given.size() <= kLongest && distance(given, name) == 1;
    });
    std::string foreign = near ? "" : foreign_hint(given);
    if (!foreign.empty()) return foreign;
    std::string slip = did_you_mean(given, names);
    return slip.empty() ? elsewhere(given) : slip;
}

}  // namespace proxyd::config
