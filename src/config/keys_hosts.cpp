#include "config/keys_hosts.hpp"

#include "config/host_listeners.hpp"
#include "config/keys_actions.hpp"
#include "config/keys_defaults.hpp"
#include "config/keys_tls.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/tls_draft.hpp"

namespace proxyd::config {
namespace {

struct Draft {
    Host host;
    Destination destination;
    Claim sends;                   ///< `upstream` or `split`
    std::optional<Action> action;  ///< return or redirect: a host without locations
    Claim answer;
    const Node* locations = nullptr;
    HostListening tls;
};

void store_names(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& names = static_cast<Draft*>(target)->host.names;
    for (const Node* item : reader.scalars(node, key.name)) {
        read_host_name(reader, item->text, item->at, names);
    }
}

void store_listen(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    draft.host.listen = read_listen(reader, node, key.name);
    draft.tls.listen_at = node.at;
}

/// `upstream` and `split` exclude each other, and each replaces what `defaults` has.
void claim_destination(Reader& reader, Draft& draft, const Node& node) {
    if (draft.sends.taken()) {
        reader.report.error(node.key_at,
                            "'" + node.key + "' and '" + draft.sends.key + "' exclude each other",
                            "split replaces upstream");
    }
    draft.sends.take(node);
    draft.destination = {};
}

void store_upstream(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    claim_destination(reader, draft, node);
    draft.destination.upstream = use_upstream(reader, node);
}

void store_split(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    claim_destination(reader, draft, node);
    draft.destination.split = read_split(reader, node);
}

void claim_action(Reader& reader, Draft& draft, const Node& node, std::optional<Action> action) {
    if (draft.answer.taken()) {
        reader.report.error(node.key_at,
                            "'" + node.key + "' and '" + draft.answer.key + "' exclude each other");
    }
    draft.answer.take(node);
    draft.action = std::move(action);
}

void store_return(Reader& reader, const Key&, const Node& node, void* target) {
    claim_action(reader, *static_cast<Draft*>(target), node, read_return(reader, node));
}

void store_redirect(Reader& reader, const Key&, const Node& node, void* target) {
    claim_action(reader, *static_cast<Draft*>(target), node, read_redirect(reader, node));
}

/// Read at the end: locations start from the host's upstream and policy.
void store_locations(Reader& reader, const Key& key, const Node& node, void* target) {
    if (node.is_map() || node.is_null()) {
        static_cast<Draft*>(target)->locations = &node;
    } else {
        reader.wrong(node, key.name, "a map of paths", "locations: { /: app }");
    }
}

void store_tls(Reader& reader, const Key&, const Node& node, void* target) {
    auto& draft = *static_cast<Draft*>(target);
    draft.host.tls = read_host_tls(reader, node);
    draft.tls.at = node.key_at;
    draft.tls.own = draft.host.tls != nullptr;
}

void store_redirect_http(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& tls = static_cast<Draft*>(target)->tls;
    tls.redirect_http = reader.boolean(node, key.name);
    tls.redirect_at = node.at;
}

constexpr Key kKeys[] = {
    {.name = "names",
     .type = Type::list,
     .doc = "More names: exact, `*.x`, `x.*`, `.x` (x and *.x) or `'~regex'`.",
     .nginx = "server_name",
     .store = store_names},
    {.name = "listen",
     .type = Type::list,
     .doc = "Names of listeners; default: all that fit, which are the plain ones for a host "
            "without `tls`.",
     .store = store_listen},
    {.name = "upstream",
     .type = Type::address,
     .doc = "For its locations: a name of `upstreams`, a port, host:port, http://host:port or "
            "unix:/path.",
     .store = store_upstream},
    {.name = "split",
     .type = Type::map,
     .doc = "For its locations, instead of `upstream`: weights over several upstreams.",
     .nginx = "split_clients",
     .store = store_split,
     .inner = &kSplitTable,
     .scalar = "upstreams"},
    {.name = "return",
     .type = Type::map,
     .doc = "Answer at once, in a host without locations; a scalar is the status.",
     .store = store_return,
     .inner = &kReturnTable,
     .scalar = "status"},
    {.name = "redirect",
     .type = Type::map,
     .doc = "Send the client elsewhere, in a host without locations; a scalar is `to`.",
     .store = store_redirect,
     .inner = &kRedirectTable,
     .scalar = "to"},
    {.name = "locations",
     .type = Type::names,
     .doc = "Rules on the path: `= /x`, `/x`, `/x*`, `^~ /x`, `'~ regex'`, `'~* regex'`.",
     .nginx = "location",
     .store = store_locations,
     .inner = &kLocationTable,
     .scalar = "upstream"},
    {.name = "tls",
     .type = Type::map,
     .doc = "Certificates and protocols of this host; off = none.",
     .store = store_tls,
     .inner = &kHostTlsTable,
     .inherits = true},
    {.name = "redirect_http",
     .type = Type::boolean,
     .doc = "Plain requests are sent to the same address with https; default: on with `tls`.",
     .store = store_redirect_http,
     .inherits = true},
};

/// The host's own "/": what a host without locations is.
void add_root(Draft& draft, const std::shared_ptr<const Policy>& policy) {
    Location location;
    location.matcher.text = location.matcher.source = "/";
    location.policy = policy;
    location.origin = draft.host.origin;
    if (draft.action) {
        location.action = *std::move(draft.action);
    } else {
        draft.destination.give_to(location.action);
    }
    draft.host.locations.push_back(std::move(location));
}

void finish_host(Reader& reader, const Node& node, Draft& draft,
                 const std::shared_ptr<const Policy>& policy) {
    const std::string answer = "'" + draft.answer.key + "'";
    if (draft.answer.taken() && draft.sends.taken()) {
        reader.report.error(draft.answer.at,
                            answer + " and '" + draft.sends.key + "' exclude each other",
                            "a host has one action, or locations");
    } else if (draft.locations != nullptr) {
        if (draft.answer.taken()) {
            reader.report.error(draft.answer.at, answer + " in a host with locations",
                                "put it into a location");
        }
        read_locations(reader, *draft.locations, draft.host, draft.destination, policy);
    } else if (draft.action || !draft.destination.empty()) {
        add_root(draft, policy);
    } else {
        reader.report.error(node.key_at, "host '" + node.key + "' has no action",
                            "give it an upstream, locations, return or redirect");
    }
}

void read_host(Reader& reader, const Node& written) {
    const Node expanded = written.is_scalar() ? expand_shorthand(written, "upstream") : Node{};
    const Node& node = written.is_scalar() ? expanded : written;
    Draft draft;
    draft.host.name = node.key;
    draft.host.origin = node.key_at.origin();
    draft.host.listen = reader.listen;
    draft.host.tls = reader.default_tls;
    draft.destination = reader.destination;
    read_host_name(reader, node.key, node.key_at, draft.host.names);
    const std::size_t errors = reader.report.errors();
    if (node.is_list()) {
        reader.report.error(node.at, "host '" + node.key +
                                         "' wants a map of keys or an upstream, "
                                         "not a list");
        return;
    }
    const auto policy = read_level(reader, node, kHostTable, Where{"host", node.key}, &draft,
                                   reader.snapshot.default_policy);
    // With an error in the host itself or in `defaults`, a missing action may only follow from it.
    const bool failed = reader.report.errors() != errors || reader.broken_action;
    if (failed && draft.destination.empty()) draft.destination.upstream = "?";
    draft.host.policy = policy;
    if (!failed) {
        fit_listeners(reader, draft.tls, node.key_at, draft.host);
        warn_of_names(reader, draft.host, node.key_at);
    }
    const bool silent = !draft.sends.taken() && !draft.answer.taken() && draft.locations == nullptr;
    if (silent) draft.action = reader.answer;
    finish_host(reader, node, draft, policy);
    reader.snapshot.hosts.push_back(std::move(draft.host));
}

}  // namespace

constinit const Table kHostTable{.name = "a host", .keys = kKeys, .more = &kPolicyTable};

void store_hosts(Reader& reader, const Key& key, const Node& node, void*) {
    if (!node.is_map() && !node.is_null()) {
        return reader.wrong(node, key.name, "a map of names", "hosts: { app.example.com: 3000 }");
    }
    reader.snapshot.hosts.reserve(node.items.size());
    for (const Node& item : node.items) read_host(reader, item);
    check_tls_listeners(reader);
}

}  // namespace proxyd::config
