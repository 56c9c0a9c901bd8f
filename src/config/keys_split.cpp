#include "config/keys_actions.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "proxyd/base/units.hpp"

namespace proxyd::config {
namespace {

constexpr std::uint64_t kMaxWeight = 1'000'000;

void report_weight(Reader& reader, const Node& node) {
    const bool zero = node.is_scalar() && node.text == "0";
    reader.report.error(node.at,
                        "the weight of '" + node.key + "' must be a number between 1 and 1000000" +
                            (node.is_scalar() ? ", not " + node.text : ""),
                        zero ? "leave '" + node.key + "' out to send nothing there" : "");
}

void store_share(Reader& reader, const Node& node, TrafficSplit& split) {
    Node name;
    name.kind = Node::Kind::scalar;
    name.text = node.key;
    name.at = node.key_at;
    TrafficSplit::Share share;
    share.upstream = use_upstream(reader, name);
    const auto weight = node.is_scalar() ? units::parse_count(node.text) : std::nullopt;
    if (!weight || *weight == 0 || *weight > kMaxWeight) return report_weight(reader, node);
    share.weight = static_cast<unsigned>(*weight);
    split.shares.push_back(std::move(share));
}

void store_upstreams_of_split(Reader& reader, const Key&, const Node& node, void* target) {
    if (!node.is_map()) {
        return reader.wrong(node, "split", "a map of upstreams and weights",
                            "split: { stable: 90, canary: 10 }");
    }
    for (const Node& item : node.items) {
        store_share(reader, item, *static_cast<TrafficSplit*>(target));
    }
}

constexpr Key kKeys[] = {
    {.name = "upstreams",
     .type = Type::names,
     .doc = "Names of `upstreams` (or addresses), each with its weight.",
     .store = store_upstreams_of_split},
    {.name = "key",
     .type = Type::variables,
     .fallback = "$remote_addr",
     .doc = "What keeps a client on its upstream; where it is empty, the client's address does.",
     .store = store<&TrafficSplit::key>},
};

}  // namespace

constinit const Table kSplitTable{.name = "split", .keys = kKeys};

std::shared_ptr<const TrafficSplit> read_split(Reader& reader, const Node& node) {
    auto split = std::make_shared<TrafficSplit>();
    const std::size_t errors = reader.report.errors();
    reader.apply_defaults(kSplitTable, split.get());
    reader.read_map(node, kSplitTable, Where{"split"}, split.get());
    if (reader.report.errors() == errors && split->shares.empty()) {
        reader.report.error(node.key_at, "this split has no upstreams",
                            "split: { stable: 90, canary: 10 }");
    }
    return reader.report.errors() == errors ? split : nullptr;
}

}  // namespace proxyd::config
