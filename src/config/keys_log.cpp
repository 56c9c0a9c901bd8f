#include "config/keys_log.hpp"

#include <algorithm>

#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

constexpr std::string_view kDefaultPath = "/var/log/proxyd/access.log";
constexpr std::string_view kLevels = "trace|debug|info|warn|error|critical|off";

std::optional<AccessLog::Format> builtin_format(std::string_view name) {
    if (name == "combined") return AccessLog::Format::combined;
    if (name == "combined_plus") return AccessLog::Format::combined_plus;
    if (name == "json") return AccessLog::Format::json;
    return std::nullopt;
}

void store_log_path(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    auto& log = *static_cast<AccessLog*>(target);
    const auto word = parse_boolean(*text);
    if (*text == "syslog") {
        // syslog(3) waits when the daemon behind it does not read; an access log must not.
        reader.wrong(node, key.name, "a file, stdout, stderr or off",
                     "only the error log goes to syslog");
    } else if (word) {
        log.path = *word ? (log.path.empty() ? std::string(kDefaultPath) : log.path) : "";
    } else {
        log.path = resolve_path(node);
    }
}

void store_format(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    auto& log = *static_cast<AccessLog*>(target);
    log.custom = vars::Template();
    if (const auto builtin = builtin_format(*text)) {
        log.format = *builtin;
        return;
    }
    log.format = AccessLog::Format::custom;
    if (const auto named = reader.formats.find(*text); named != reader.formats.end()) {
        log.custom = named->second;
    } else if (text->find('$') != std::string::npos) {
        if (auto parsed = reader.variables(node, key.name)) log.custom = *std::move(parsed);
    } else {
        std::vector<std::string_view> names{"combined", "combined_plus", "json"};
        for (const auto& [name, format] : reader.formats) names.push_back(name);
        reader.report.error(node.at, "unknown format '" + *text + "'", did_you_mean(*text, names));
    }
}

/// A file named "off" is what other proxies make of it.
void store_error_path(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (const auto word = parse_boolean(*text)) {
        reader.wrong(node, key.name, "stderr, syslog or a file", *word ? "" : "level: off");
        return;
    }
    static_cast<ErrorLog*>(target)->path = resolve_path(node);
}

void store_level(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (one_of(kLevels, *text)) {
        static_cast<ErrorLog*>(target)->level = *text;
        return;
    }
    reader.report.error(node.at, "unknown level '" + *text + "'",
                        did_you_mean(*text, split_words(kLevels)));
}

void store_formats(Reader& reader, const Key& key, const Node& node, void*) {
    if (!node.is_map() && !node.is_null()) {
        reader.wrong(node, key.name, "a map of names", "formats: { mine: '$remote_addr $status' }");
        return;
    }
    for (const Node& item : node.items) {
        if (builtin_format(item.key) || item.key == "off") {
            reader.report.error(item.key_at, "'" + item.key + "' is a format of proxyd itself",
                                "choose another name");
        }
        auto parsed = reader.variables(item, item.key);
        if (parsed) reader.formats.insert_or_assign(item.key, *std::move(parsed));
    }
}

void store_access(Reader& reader, const Key&, const Node& node, void* target) {
    static_cast<Snapshot*>(target)->access_log = read_access_log(reader, node, nullptr);
}

constexpr Key kErrorKeys[] = {
    {.name = "path",
     .type = Type::path,
     .fallback = "stderr",
     .doc = "`stderr`, `syslog` or a file.",
     .store = store_error_path},
    {.name = "level",
     .type = Type::word,
     .fallback = "info",
     .doc = "What is worth a line.",
     .words = kLevels,
     .store = store_level},
};
constinit const Table kErrorTable{.name = "log.error", .keys = kErrorKeys};

constexpr Key kLogKeys[] = {
    {.name = "error",
     .type = Type::map,
     .doc = "The error log; a scalar is its path.",
     .nginx = "error_log",
     .store = store_map<&Snapshot::error_log>,
     .inner = &kErrorTable,
     .scalar = "path"},
    {.name = "access",
     .type = Type::map,
     .fallback = "off",
     .doc = "The access log of every request; a scalar is its path.",
     .store = store_access,
     .inner = &kAccessLogTable,
     .scalar = "path"},
    {.name = "formats",
     .type = Type::names,
     .doc = "Formats of one's own: a name and a text with $variables.",
     .nginx = "log_format",
     .store = store_formats},
};

constexpr Key kAccessKeys[] = {
    {.name = "path",
     .type = Type::path,
     .fallback = kDefaultPath,
     .doc = "A file, `stdout` or `stderr`; `off` = no access log.",
     .store = store_log_path},
    {.name = "format",
     .type = Type::text,
     .fallback = "combined",
     .doc = "`combined`, `combined_plus`, `json`, a name of log.formats or a text with $variables.",
     .store = store_format},
    {.name = "buffer",
     .type = Type::size,
     .fallback = "64k",
     .doc = "Bytes that each worker collects before it writes; 0 = every line at once.",
     .range = {0, 64 << 20},
     .store = store<&AccessLog::buffer>},
    {.name = "flush",
     .type = Type::duration,
     .fallback = "1s",
     .doc = "How long a line may stay in the buffer.",
     .range = {1, 3'600'000},
     .store = store<&AccessLog::flush>},
};

}  // namespace

constinit const Table kLogTable{.name = "log", .keys = kLogKeys};
constinit const Table kAccessLogTable{.name = "an access log", .keys = kAccessKeys};

void apply_log_defaults(Reader& reader) {
    reader.apply_defaults(kErrorTable, &reader.snapshot.error_log);
}

/// Formats first: `access` may name one.
void store_log(Reader& reader, const Key& key, const Node& node, void* target) {
    Node ordered = node;
    std::stable_partition(ordered.items.begin(), ordered.items.end(),
                          [](const Node& item) { return item.key == "formats"; });
    reader.read_map(ordered, *key.inner, Where{key.name}, target);
}

std::shared_ptr<const AccessLog> read_access_log(Reader& reader, const Node& node,
                                                 const std::shared_ptr<const AccessLog>& outer) {
    auto log = std::make_shared<AccessLog>();
    if (outer != nullptr) {
        *log = *outer;
    } else {
        reader.apply_defaults(kAccessLogTable, log.get());
    }
    reader.read_map(node.is_map() ? node : expand_shorthand(node, "path"), kAccessLogTable,
                    Where{node.key}, log.get());
    if (log->path.empty()) return nullptr;
    return log;
}

}  // namespace proxyd::config
