#include "config/keys_defaults.hpp"

#include "config/keys_actions.hpp"
#include "config/keys_tls.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

/// One action for all hosts that name none; false after a report.
bool claim(Reader& reader, const Node& node, void* target) {
    auto& action = *static_cast<Claim*>(target);
    if (action.taken()) {
        reader.report.error(node.key_at,
                            "'" + node.key + "' and '" + action.key + "' exclude each other");
        return false;
    }
    action.take(node);
    return true;
}

void store_upstream(Reader& reader, const Key&, const Node& node, void* target) {
    if (claim(reader, node, target)) reader.destination.upstream = use_upstream(reader, node);
}

void store_split(Reader& reader, const Key&, const Node& node, void* target) {
    if (claim(reader, node, target)) reader.destination.split = read_split(reader, node);
}

void store_return(Reader& reader, const Key&, const Node& node, void* target) {
    if (claim(reader, node, target)) reader.answer = read_return(reader, node);
}

void store_redirect(Reader& reader, const Key&, const Node& node, void* target) {
    if (claim(reader, node, target)) reader.answer = read_redirect(reader, node);
}

void store_listen(Reader& reader, const Key& key, const Node& node, void*) {
    reader.listen = read_listen(reader, node, key.name);
}

void store_tls(Reader& reader, const Key&, const Node& node, void*) {
    reader.default_tls = read_host_tls(reader, node);
}

void store_redirect_http(Reader& reader, const Key& key, const Node& node, void*) {
    reader.redirect_http = reader.boolean(node, key.name);
}

constexpr Key kKeys[] = {
    {.name = "listen",
     .type = Type::list,
     .doc = "Names of listeners, for hosts that name none.",
     .store = store_listen},
    {.name = "upstream",
     .type = Type::address,
     .doc = "For hosts without an upstream of their own.",
     .store = store_upstream},
    {.name = "split",
     .type = Type::map,
     .doc = "For hosts without an upstream or a split of their own.",
     .nginx = "split_clients",
     .store = store_split,
     .inner = &kSplitTable,
     .scalar = "upstreams"},
    {.name = "return",
     .type = Type::map,
     .doc = "The answer of hosts that have neither an action nor locations.",
     .store = store_return,
     .inner = &kReturnTable,
     .scalar = "status"},
    {.name = "redirect",
     .type = Type::map,
     .doc = "Where clients are sent by hosts that have neither an action nor locations.",
     .store = store_redirect,
     .inner = &kRedirectTable,
     .scalar = "to"},
    {.name = "tls",
     .type = Type::map,
     .doc = "For hosts without `tls` of their own, as a wildcard certificate that all share.",
     .store = store_tls,
     .inner = &kHostTlsTable,
     .inherits = true},
    {.name = "redirect_http",
     .type = Type::boolean,
     .doc = "As in a host, for hosts with `tls` that do not say.",
     .store = store_redirect_http,
     .inherits = true},
};

}  // namespace

constinit const Table kDefaultsTable{.name = "'defaults'", .keys = kKeys, .more = &kPolicyTable};

std::shared_ptr<const Policy> builtin_policy(Reader& reader) {
    auto policy = std::make_shared<Policy>();
    reader.apply_defaults(kPolicyTable, policy.get());
    policy->access_log = reader.snapshot.access_log;
    return policy;
}

void store_defaults(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& policy = static_cast<Snapshot*>(target)->default_policy;
    Claim action;
    policy =
        read_level(reader, node, kDefaultsTable, Where{key.name}, &action, builtin_policy(reader));
    reader.broken_action = action.taken() && !reader.answer && reader.destination.empty();
}

}  // namespace proxyd::config
