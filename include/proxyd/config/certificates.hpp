#pragma once

#include "proxyd/base/result.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/net/tls/certificate.hpp"

namespace proxyd::config {

/// Reads the files of a host again. Certificates whose files have not changed are those that it
/// shows now. An error names the file and what is wrong with it. Blocks on the disk; any thread.
[[nodiscard]] Result<net::tls::CertificateSlot::Set> read_certificates(const HostTls& tls);

/// "2026-01-31", of a unix time.
[[nodiscard]] std::string day_of(std::int64_t unix_time);

}  // namespace proxyd::config
