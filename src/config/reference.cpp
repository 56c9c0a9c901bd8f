#include <fmt/format.h>

#include <set>

#include "config/key_table.hpp"
#include "proxyd/base/units.hpp"
#include "proxyd/config/load.hpp"

namespace proxyd::config {
namespace {

constexpr std::string_view kHead = R"(# Keys of proxyd.yaml

Every key, from the tables that the parser uses. Regenerate after a change of a table:
`PROXYD_REGENERATE=1 ctest -R ConfigReference` (the test then writes this file).

- Durations: `500ms 60s 10m 1h 1d`, also `1h30m`. Sizes: bytes, or `8k 10m 1g` (powers of 1024).
- `off` and `false`, `on` and `true` are the same.
- A scalar stands for the map that it shortens; the table of the map says for which key.
- `${NAME}` and `${NAME:-default}` take an environment variable (upper case) when the file is
  loaded; `$name` and `${name}` are variables of the request.
- A relative path is seen from the directory of the file that names it.
- Levels merge by name: `defaults`, then the host, then the location.
)";

std::string limit(Type type, std::uint64_t value) {
    if (type == Type::size) return units::format_size(value);
    if (type == Type::duration) return units::format_duration(Duration{value});
    if (type == Type::percent) return std::to_string(value) + "%";
    return std::to_string(value);
}

std::string range_of(const Key& key) {
    if (!key.words.empty() && key.type == Type::word) {
        std::string words;
        for (const char c : key.words) words += c == '|' ? std::string(", ") : std::string(1, c);
        return words;
    }
    const bool number = key.type == Type::count || key.type == Type::size ||
                        key.type == Type::duration || key.type == Type::percent;
    const bool lower = key.range.min != 0;
    const bool upper = key.range.max != UINT64_MAX;
    if (!number || (!lower && !upper)) return "";
    if (!upper) return "from " + limit(key.type, key.range.min);
    return limit(key.type, key.range.min) + " to " + limit(key.type, key.range.max);
}

std::string code(std::string_view text) {
    return text.empty() ? "" : "`" + std::string(text) + "`";
}

/// A '|' would end the cell.
std::string cell(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '|') result += '\\';
        result += c;
    }
    return result;
}

std::string row(const Key& key) {
    std::string doc(key.doc);
    if (key.store == nullptr) doc += " Not built yet.";
    const Key* scalar = key.scalar.empty() ? nullptr : key.inner->find(key.scalar);
    const bool names = scalar != nullptr && scalar->type == Type::names;
    if (scalar != nullptr) {
        doc += fmt::format(" {} for `{}`.", names ? "Other names stand" : "A scalar stands",
                           key.scalar);
    }
    return fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", key.name, name_of(key.type),
                       cell(code(key.fallback)), range_of(key), code(key.nginx), cell(doc));
}

/// Outer tables first; a table that several maps share is written once and linked by its path.
class Writer {
  public:
    void section(const Table& table, const std::string& path) {
        out += "\n## " + (path.empty() ? std::string("Top level") : path) + "\n\n";
        out += "| Key | Type | Default | Range | nginx | |\n|---|---|---|---|---|---|\n";
        for (const Key& key : table.keys) out += row(key);
        if (table.more != nullptr) {
            out += "\nAnd the keys of " + link(*table.more) + ".\n";
        }
        const std::string prefix = path.empty() ? "" : path + ".";
        for (const Key& key : table.keys) {
            if (key.inner == nullptr || !written_.insert(key.inner).second) continue;
            section(*key.inner,
                    prefix + std::string(key.name) + (key.type == Type::names ? ".NAME" : ""));
        }
        if (table.more != nullptr && written_.insert(table.more).second) {
            section(*table.more, name(*table.more));
        }
    }

    std::string out;

  private:
    static std::string name(const Table& table) {
        if (&table == &kPolicyTable) return "Any level";
        return &table == &kClientTable ? "client" : "client.http2";
    }
    static std::string link(const Table& table) {
        if (&table == &kPolicyTable) return "[any level](#any-level)";
        return &table == &kClientTable ? "[client](#client)" : "[client.http2](#clienthttp2)";
    }

    std::set<const Table*> written_;
};

}  // namespace

std::string reference_markdown() {
    Writer writer;
    writer.out = kHead;
    writer.section(kTopTable, "");
    return std::move(writer.out);
}

}  // namespace proxyd::config
