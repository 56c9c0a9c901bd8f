#pragma once

#include <memory>

#include "config/reader.hpp"

namespace proxyd::config {

extern const Table kHostTlsTable;

/// `tls` of a host or of `defaults`; null for `off`, and after a report.
[[nodiscard]] std::shared_ptr<const HostTls> read_host_tls(Reader& reader, const Node& node);

/// What `served` has decoded is not decoded again.
void reuse_certificates(Reader& reader, const Snapshot& served);

/// Whether the tree has a host that is served with TLS.
[[nodiscard]] bool asks_for_tls(const Node& root);

}  // namespace proxyd::config
