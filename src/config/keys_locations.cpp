#include <unordered_map>

#include "config/keys_actions.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

/// A location while it is read: which of the keys that exclude each other are there.
struct Draft {
    Location location;
    Claim action;
    Claim path_rule;
};

/// Exactly one of upstream, split, return, redirect.
bool claim(Reader& reader, Claim& place, const Node& node, std::string_view what) {
    if (!place.taken()) {
        place.take(node);
        return true;
    }
    reader.report.error(node.key_at,
                        "'" + node.key + "' and '" + place.key + "' exclude each other",
                        "a location has one " + std::string(what));
    return false;
}

void store_upstream(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    if (claim(reader, draft.action, node, "action")) {
        draft.location.action.upstream = use_upstream(reader, node);
    }
}

void store_split(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    if (claim(reader, draft.action, node, "action")) {
        draft.location.action.split = read_split(reader, node);
    }
}

void store_return(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    if (!claim(reader, draft.action, node, "action")) return;
    if (auto action = read_return(reader, node)) draft.location.action = *std::move(action);
}

void store_redirect(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    if (!claim(reader, draft.action, node, "action")) return;
    if (auto action = read_redirect(reader, node)) draft.location.action = *std::move(action);
}

void store_strip(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    const auto on = reader.boolean(node, key.name);
    if (!on || !*on || !claim(reader, draft.path_rule, node, "change of the path")) return;
    draft.location.path_rule.kind = PathRule::Kind::strip;
}

void store_replace(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    const auto text = reader.text(node, key.name);
    if (!text || !claim(reader, draft.path_rule, node, "change of the path")) return;
    if (!text->starts_with('/')) {
        reader.report.error(node.at, "'replace_prefix' must start with '/'", "/" + *text);
        return;
    }
    draft.location.path_rule.kind = PathRule::Kind::replace;
    draft.location.path_rule.replacement = *text;
}

void store_rewrite(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    if (!claim(reader, draft.path_rule, node, "change of the path")) return;
    if (auto rule = read_rewrite(reader, node)) draft.location.path_rule = *std::move(rule);
}

constexpr Key kKeys[] = {
    {.name = "upstream",
     .type = Type::address,
     .doc = "A name of `upstreams`, a port, host:port, http://host:port or unix:/path.",
     .nginx = "proxy_pass",
     .store = store_upstream},
    {.name = "split",
     .type = Type::map,
     .doc = "Weights over several upstreams instead of one; a client stays on its share.",
     .nginx = "split_clients",
     .store = store_split,
     .inner = &kSplitTable,
     .scalar = "upstreams"},
    {.name = "return",
     .type = Type::map,
     .doc = "Answer at once; a scalar is the status.",
     .nginx = "return",
     .store = store_return,
     .inner = &kReturnTable,
     .scalar = "status"},
    {.name = "redirect",
     .type = Type::map,
     .doc = "Send the client elsewhere; a scalar is `to`.",
     .store = store_redirect,
     .inner = &kRedirectTable,
     .scalar = "to"},
    {.name = "strip_prefix",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Take the matched prefix off the path: /api/users becomes /users.",
     .store = store_strip},
    {.name = "replace_prefix",
     .type = Type::text,
     .doc = "Put this in place of the matched prefix.",
     .store = store_replace},
    {.name = "rewrite",
     .type = Type::map,
     .doc = "Change the path by a regex.",
     .store = store_rewrite,
     .inner = &kRewriteTable},
};

bool is_regex(const Matcher& matcher) {
    return matcher.kind == Matcher::Kind::regex || matcher.kind == Matcher::Kind::iregex;
}

/// "^~ /x" and "/x" are one prefix: only one of them could ever be chosen.
std::string identity(const Matcher& matcher) {
    const auto kind =
        matcher.kind == Matcher::Kind::final_prefix ? Matcher::Kind::prefix : matcher.kind;
    return std::to_string(static_cast<int>(kind)) + matcher.text;
}

/// What only shows when the whole location was read.
void check_draft(Reader& reader, const Node& node, Draft& draft, const Destination& outer) {
    Action& action = draft.location.action;
    if (!draft.action.taken()) {
        outer.give_to(action);
        if (outer.empty()) {
            reader.report.error(node.key_at, "location '" + node.key + "' has no action",
                                "give it an upstream, return or redirect");
            return;
        }
    }
    if (!draft.path_rule.taken()) return;
    const auto kind = draft.location.path_rule.kind;
    if (action.kind != Action::Kind::upstream) {
        reader.report.error(draft.path_rule.at,
                            "'" + draft.path_rule.key + "' needs an upstream here");
    } else if (is_regex(draft.location.matcher) &&
               (kind == PathRule::Kind::strip || kind == PathRule::Kind::replace)) {
        reader.report.error(draft.path_rule.at,
                            "'" + draft.path_rule.key + "': a regex has no prefix",
                            "use rewrite: { match: ..., to: ... }");
    }
}

void read_location(Reader& reader, const Node& node, Host& host, const Destination& outer,
                   const std::shared_ptr<const Policy>& policy) {
    Draft draft;
    auto matcher = parse_matcher(reader, node.key, node.key_at);
    if (matcher) draft.location.matcher = *std::move(matcher);
    draft.location.origin = node.key_at.origin();
    const Where where{"location", node.key};
    const std::size_t errors = reader.report.errors();
    if (node.is_scalar()) {
        draft.action.take(node);
        draft.location.action.upstream = use_upstream(reader, node);
        draft.location.policy = policy;
    } else if (node.is_list()) {
        reader.report.error(node.at, "location '" + node.key +
                                         "' wants a map of keys or an "
                                         "upstream, not a list");
    } else {
        draft.location.policy = read_level(reader, node, kLocationTable, where, &draft, policy);
    }
    if (reader.report.errors() == errors) check_draft(reader, node, draft, outer);
    host.locations.push_back(std::move(draft.location));
}

}  // namespace

constinit const Table kLocationTable{.name = "a location", .keys = kKeys, .more = &kPolicyTable};

void read_locations(Reader& reader, const Node& node, Host& host, const Destination& outer,
                    const std::shared_ptr<const Policy>& policy) {
    std::unordered_map<std::string, const Node*> seen;
    host.locations.reserve(node.items.size());
    for (const Node& item : node.items) {
        read_location(reader, item, host, outer, policy);
        const Matcher& matcher = host.locations.back().matcher;
        if (matcher.text.empty()) continue;
        const auto [first, fresh] = seen.emplace(identity(matcher), &item);
        if (fresh) continue;
        reader.report.error(
            item.key_at, "location '" + item.key + "' is shadowed by '" + first->second->key + "'",
            "the same matcher is given at " + first->second->key_at.text());
    }
}

}  // namespace proxyd::config
