#include "config/keys_actions.hpp"

#include <cstdlib>

#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

void store_text(Reader& reader, const Key& key, const Node& node, void* target) {
    if (auto text = reader.variables(node, key.name)) {
        static_cast<Action*>(target)->text = *std::move(text);
    }
}

/// Goes into a field: one line.
void store_target(Reader& reader, const Key& key, const Node& node, void* target) {
    if (node.is_scalar() && !is_field_value(reader, node, key.name)) return;
    store_text(reader, key, node, target);
}

void store_redirect_status(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto status = reader.number(node, key);
    if (!status) return;
    if (*status == 304 || *status == 305 || *status == 306 || *status == 300) {
        reader.report.error(node.at, "a redirect cannot have status " + node.text,
                            "301, 302, 303, 307 or 308");
    }
    static_cast<Action*>(target)->status = static_cast<int>(*status);
    static_cast<Action*>(target)->status_by_method = false;
}

void store_type(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    for (const char c : *text) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) {
            reader.report.error(node.at, "'type' must be printable ASCII");
            return;
        }
    }
    static_cast<Action*>(target)->content_type = *text;
}

constexpr Key kReturnKeys[] = {
    {.name = "status",
     .type = Type::count,
     .fallback = "200",
     .doc = "The status of the answer.",
     .range = {200, 599},
     .store = store<&Action::status>},
    {.name = "body",
     .type = Type::variables,
     .doc = "The body of the answer.",
     .store = store_text},
    {.name = "type",
     .type = Type::text,
     .fallback = "text/plain",
     .doc = "Content-Type of the body.",
     .nginx = "default_type",
     .store = store_type},
};

constexpr Key kRedirectKeys[] = {
    {.name = "to",
     .type = Type::variables,
     .doc = "The target, for Location.",
     .store = store_target},
    {.name = "status",
     .type = Type::count,
     .doc = "301, 302, 303, 307 or 308; without it 301 for GET and HEAD, else 308.",
     .range = {300, 308},
     .store = store_redirect_status},
};

constexpr Key kRewriteKeys[] = {
    {.name = "match",
     .type = Type::text,
     .doc = "A regex on the normalised path.",
     .store = store<&PathRule::match>},
    {.name = "to",
     .type = Type::variables,
     .doc = "The new path, with $1 .. $9 of the match.",
     .store = with_its_map},
};

}  // namespace

constinit const Table kReturnTable{.name = "return", .keys = kReturnKeys};
constinit const Table kRedirectTable{.name = "redirect", .keys = kRedirectKeys};
constinit const Table kRewriteTable{.name = "rewrite", .keys = kRewriteKeys};

std::optional<Action> read_return(Reader& reader, const Node& node) {
    Action action;
    action.kind = Action::Kind::answer;
    const std::size_t errors = reader.report.errors();
    reader.apply_defaults(kReturnTable, &action);
    reader.read_map(node.is_map() ? node : expand_shorthand(node, "status"), kReturnTable,
                    Where{"return"}, &action);
    if (reader.report.errors() != errors) return std::nullopt;
    return action;
}

std::optional<Action> read_redirect(Reader& reader, const Node& node) {
    Action action;
    action.kind = Action::Kind::redirect;
    action.status = 301;
    action.status_by_method = true;
    const std::size_t errors = reader.report.errors();
    const Node map = node.is_map() ? node : expand_shorthand(node, "to");
    reader.read_map(map, kRedirectTable, Where{"redirect"}, &action);
    if (reader.report.errors() == errors && action.text.empty()) {
        reader.report.error(node.at, "this redirect has no target", "to: https://host$request_uri");
    }
    if (reader.report.errors() != errors) return std::nullopt;
    return action;
}

std::optional<PathRule> read_rewrite(Reader& reader, const Node& node) {
    PathRule rule;
    rule.kind = PathRule::Kind::rewrite;
    const std::size_t errors = reader.report.errors();
    if (!node.is_map()) {
        reader.wrong(node, "rewrite", "a map", "rewrite: { match: '^/a/(.*)$', to: '/b/$1' }");
        return std::nullopt;
    }
    reader.read_map(node, kRewriteTable, Where{"rewrite"}, &rule);
    const Node* match = node.find("match");
    const Node* to = node.find("to");
    if (match == nullptr || to == nullptr) {
        reader.report.error(node.key_at, "'rewrite' needs 'match' and 'to'",
                            "rewrite: { match: '^/a/(.*)$', to: '/b/$1' }");
        return std::nullopt;
    }
    const auto groups = check_regex(reader, match->at, rule.match, true);
    auto target = reader.variables(*to, "to", true);
    if (!groups || !target || reader.report.errors() != errors) return std::nullopt;
    for (const auto& part : target->parts()) {
        if (part.literal || part.var != vars::Var::capture) continue;
        if (std::atoi(part.text.c_str()) > *groups) {
            reader.report.error(to->at, "'match' has no group for $" + part.text);
            return std::nullopt;
        }
    }
    rule.to = *std::move(target);
    return rule;
}

}  // namespace proxyd::config
