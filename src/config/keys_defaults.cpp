#include "config/keys_defaults.hpp"

#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

void store_upstream(Reader& reader, const Key&, const Node& node, void*) {
    reader.upstream = use_upstream(reader, node);
}

void store_listen(Reader& reader, const Key& key, const Node& node, void*) {
    reader.listen = read_listen(reader, node, key.name);
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
    {.name = "tls", .type = Type::map, .doc = "TLS of every host.", .inert = "off|false"},
    {.name = "redirect_http",
     .type = Type::boolean,
     .doc = "Send plain requests to https.",
     .inert = "off|false"},
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
    policy =
        read_level(reader, node, kDefaultsTable, Where{key.name}, nullptr, builtin_policy(reader));
}

}  // namespace proxyd::config
