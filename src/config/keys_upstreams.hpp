#pragma once

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kServerTable;
extern const Table kTimeoutsTable;
extern const Table kStickyTable;
extern const Table kUpstreamTlsTable;

/// `tls` of an upstream, once its servers are known; `node` null = not given.
void read_upstream_tls(Reader& reader, const Node* node, const Position& upstream_at,
                       Upstream& upstream);

void store_sticky(Reader& reader, const Key& key, const Node& node, void* upstream);
void store_upstreams(Reader& reader, const Key& key, const Node& node, void* snapshot);

}  // namespace proxyd::config
