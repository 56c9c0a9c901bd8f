#include "config/keys_resolver.hpp"

#include "config/address.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

constexpr std::size_t kMostServers = 16;

void store_name_servers(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& servers = static_cast<Resolver*>(target)->servers;
    servers.clear();
    for (const Node* item : reader.scalars(node, key.name)) {
        AddressResult result = parse_name_server(item->text);
        if (!result.address) {
            reader.report.error(item->at, std::move(result.problem), std::move(result.hint));
        } else if (servers.size() == kMostServers) {
            return reader.report.error(item->at, "more than 16 name servers");
        } else {
            servers.push_back(std::move(result.address->text));
        }
    }
}

constexpr Key kResolverKeys[] = {
    {.name = "servers",
     .type = Type::list,
     .doc = "Name servers, each an IP address with or without a port; none = those of the system.",
     .nginx = "resolver",
     .store = store_name_servers},
    {.name = "timeout",
     .type = Type::duration,
     .fallback = "5s",
     .doc = "How long a look-up may take, whatever the number of names and name servers.",
     .range = {100, 60'000},
     .nginx = "resolver_timeout",
     .store = store<&Resolver::timeout>},
};

}  // namespace

constinit const Table kResolverTable{.name = "resolver", .keys = kResolverKeys};

}  // namespace proxyd::config
