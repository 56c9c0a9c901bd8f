#include "config/keys_health.hpp"

#include <algorithm>

#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

using Statuses = HealthCheck::Statuses;

constexpr auto kStatusHint = "as in 200, 200-399, 2xx or [200, 301]";

std::optional<int> parse_status(std::string_view text) {
    const auto number = units::parse_count(text);
    if (!number || *number < 100 || *number > 599) return std::nullopt;
    return static_cast<int>(*number);
}

/// "200", "200-399", "2xx". No answer ends with a status below 200.
std::optional<Statuses> parse_statuses(std::string_view text) {
    if (text.size() == 3 && text.ends_with("xx") && text[0] >= '2' && text[0] <= '5') {
        const int first = (text[0] - '0') * 100;
        return Statuses{first, first + 99};
    }
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto first = parse_status(text.substr(0, dash));
    const auto last = dash == text.size() ? first : parse_status(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last < 200) return std::nullopt;
    return Statuses{*first, *last};
}

void store_expect(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& check = *static_cast<HealthCheck*>(target);
    check.expect.clear();
    if (node.is_list() && node.items.empty()) {
        reader.report.error(node.at, "'expect' names no status", kStatusHint);
    }
    for (const Node* word : reader.scalars(node, key.name)) {
        if (const auto statuses = parse_statuses(word->text)) {
            check.expect.push_back(*statuses);
        } else {
            reader.report.error(word->at, "'" + word->text + "' is not a status of 'expect'",
                                kStatusHint);
        }
    }
}

void store_type(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (one_of(key.words, *text)) {
        static_cast<HealthCheck*>(target)->type =
            *text == "tcp" ? HealthCheck::Type::tcp : HealthCheck::Type::http;
    } else {
        reader.report.error(node.at, "unknown type '" + *text + "' of a health check",
                            "http or tcp");
    }
}

void store_path(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    const bool plain =
        std::ranges::all_of(*text, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
    if (plain && text->starts_with('/')) {
        static_cast<HealthCheck*>(target)->path = *text;
    } else {
        reader.report.error(node.at, "the path of a health check begins with '/' and has no blank",
                            "health_check: /healthz");
    }
}

void store_method(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (is_token(*text) && *text != "CONNECT") {
        static_cast<HealthCheck*>(target)->method = *text;
    } else {
        reader.report.error(node.at, "'" + *text + "' is not a method for a check", "GET or HEAD");
    }
}

void store_host(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text || !is_field_value(reader, node, key.name)) return;
    if (text->empty() || text->find_first_of(" \t/?#@") != std::string::npos) {
        reader.report.error(node.at, "'" + *text + "' is not a host", "as in app.example.com");
    } else {
        static_cast<HealthCheck*>(target)->host = *text;
    }
}

void store_body(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (text->starts_with('~') && !check_regex(reader, node.at, text->substr(1), true)) return;
    static_cast<HealthCheck*>(target)->body = *text;
}

constexpr Range kTime{100, 86'400'000};

constexpr Key kHealthKeys[] = {
    {.name = "type",
     .type = Type::word,
     .fallback = "http",
     .doc = "Ask for an answer, or only for a connection.",
     .words = "http|tcp",
     .store = store_type},
    {.name = "path",
     .type = Type::text,
     .doc = "What is asked for; / when not given.",
     .nginx = "health_check",
     .store = store_path},
    {.name = "host",
     .type = Type::text,
     .doc = "The Host field; the server's address when not given.",
     .store = store_host},
    {.name = "method",
     .type = Type::text,
     .fallback = "GET",
     .doc = "The method; no body is sent.",
     .store = store_method},
    {.name = "port",
     .type = Type::count,
     .doc = "Another port of the server's address.",
     .range = {1, 65'535},
     .store = store<&HealthCheck::port>},
    {.name = "interval",
     .type = Type::duration,
     .fallback = "5s",
     .doc = "Between two checks of a server, give or take a tenth.",
     .range = kTime,
     .store = store<&HealthCheck::interval>},
    {.name = "timeout",
     .type = Type::duration,
     .fallback = "2s",
     .doc = "The whole check, connection included.",
     .range = kTime,
     .store = store<&HealthCheck::timeout>},
    {.name = "expect",
     .type = Type::list,
     .fallback = "[200-399]",
     .doc = "The statuses that pass: 200, 200-399, 2xx or a list of these.",
     .store = store_expect},
    {.name = "body",
     .type = Type::text,
     .doc = "A text that the first 64 KiB of the body hold, or ~expression that matches in them.",
     .store = store_body},
    {.name = "rise",
     .type = Type::count,
     .fallback = "2",
     .doc = "Checks passed in a row that make an unhealthy server healthy.",
     .range = {1, 1'000},
     .store = store<&HealthCheck::rise>},
    {.name = "fall",
     .type = Type::count,
     .fallback = "3",
     .doc = "Checks failed in a row that make a healthy server unhealthy.",
     .range = {1, 1'000},
     .store = store<&HealthCheck::fall>},
};

/// `health_check: off`, which arrives as its path.
std::optional<bool> switch_of(const Node& node) {
    const Node* path = node.find("path");
    if (path == nullptr || node.items.size() != 1 || !path->is_scalar()) return std::nullopt;
    return parse_boolean(path->text);
}

/// -T writes defaults too; they are no contradiction.
void refuse_for_tcp(Reader& reader, const Node& node, const char* name, bool as_default) {
    const Node* key = node.find(name);
    if (key == nullptr || as_default) return;
    reader.report.error(key->key_at,
                        "'" + std::string(name) + "' means nothing to a check of the type tcp",
                        "type: http");
}

/// A connection shows no answer, and an answer to HEAD no body.
void check_together(Reader& reader, const Node& node, const HealthCheck& check) {
    if (check.method == "HEAD" && !check.body.empty()) {
        reader.report.error(node.find("body")->key_at, "an answer to HEAD has no body to look at",
                            "method: GET");
    }
    if (check.type != HealthCheck::Type::tcp) return;
    const HealthCheck plain;
    refuse_for_tcp(reader, node, "path", check.path == plain.path);
    refuse_for_tcp(reader, node, "host", check.host == plain.host);
    refuse_for_tcp(reader, node, "method", check.method == plain.method);
    refuse_for_tcp(reader, node, "expect", check.expect == plain.expect);
    refuse_for_tcp(reader, node, "body", check.body == plain.body);
}

}  // namespace

constinit const Table kHealthTable{.name = "health_check", .keys = kHealthKeys};

void store_health_check(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& upstream = *static_cast<Upstream*>(target);
    const auto on = switch_of(node);
    if (node.is_null() || on == false) return;
    auto check = std::make_shared<HealthCheck>();
    reader.apply_defaults(kHealthTable, check.get());
    if (!on) reader.read_map(node, *key.inner, Where{key.name}, check.get());
    check_together(reader, node, *check);
    upstream.health_check = std::move(check);
}

}  // namespace proxyd::config
