#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace proxyd::config {

class Reader;
struct Node;
struct Key;
struct Table;

enum class Type : std::uint8_t {
    boolean,
    count,
    size,
    duration,
    percent,  ///< "20%", "20"
    text,
    word,       ///< one of Key::words
    path,       ///< a file; relative to the file that names it
    address,    ///< of a server
    bind,       ///< the address of a listener
    variables,  ///< a text with $variables
    list,
    map,    ///< fixed keys: Key::inner
    names,  ///< the operator's own names, each with the keys of Key::inner
    files,  ///< a map whose values are files
    other,  ///< see Key::doc
};
[[nodiscard]] std::string_view name_of(Type type) noexcept;

/// In milliseconds, bytes or numbers, by the key's type.
struct Range {
    std::uint64_t min = 0;
    std::uint64_t max = UINT64_MAX;
};
/// A time to wait, in ms: up to 30 days.
inline constexpr Range kWait{1, 86'400'000ULL * 30};

/// Puts the value into the object that the table describes; reports what is wrong with it.
using Store = void (*)(Reader&, const Key&, const Node&, void* target);

/// One row: the parser, "did you mean", -T and docs/reference/keys.md all read it.
struct Key {
    std::string_view name{};
    Type type = Type::text;
    std::string_view fallback{};  ///< the default, as an operator would write it; "" = none
    std::string_view doc{};       ///< one sentence
    Range range{};
    std::string_view words{};  ///< Type::word: "a|b"; words that a number may also be: "auto"
    std::string_view nginx{};  ///< directives of nginx that this answers, separated by blanks
    Store store = nullptr;     ///< null = not built yet
    const Table* inner = nullptr;
    std::string_view scalar{};  ///< the key of `inner` that a scalar (or list) stands for
    std::string_view inert{};   ///< not built yet, but these words change nothing: "off"
    bool inherits = false;      ///< the default comes from an outer level: neither set nor printed
};

struct Table {
    std::string_view name{};  ///< what it describes: "upstream", "location"
    std::span<const Key> keys{};
    const Table* more = nullptr;  ///< keys of another object that stand beside these (policy keys)
    [[nodiscard]] const Key* find(std::string_view key) const noexcept;  ///< without `more`
};

extern const Table kTopTable;
extern const Table kListenerTable;
extern const Table kClientTable;
extern const Table kHttp2Table;
extern const Table kLogTable;
extern const Table kUpstreamTable;
extern const Table kMapTable;
extern const Table kCacheZoneTable;
extern const Table kDefaultsTable;
extern const Table kHostTable;
extern const Table kLocationTable;
extern const Table kPolicyTable;

/// Calls `each(path, key)` for every row reachable from `table`, outer rows first; the path of a
/// row below names is "upstreams.NAME.servers". Policy keys are visited once for each level.
using Visit = std::function<void(const std::string& path, const Table& table, const Key& key)>;
void walk(const Table& table, const std::string& prefix, const Visit& each);

}  // namespace proxyd::config
