#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "directory_watch.hpp"
#include "proxyd/config/certificates.hpp"

namespace proxyd::server {

/// The files of the hosts that share a HostTls, and what was found in them.
struct CertificateEntry {
    std::shared_ptr<const config::HostTls> tls;
    std::string host;        ///< the first of them
    std::size_t others = 0;  ///< how many more
    std::string signature;
    std::string problem;  ///< why the files are not shown; "" = they are
    unsigned failures = 0;
    [[nodiscard]] std::string hosts() const;
};
[[nodiscard]] std::vector<CertificateEntry> entries_of(const config::Snapshot& snapshot);

/// What a look at the files of one entry brought.
struct CertificateLook {
    std::size_t index = 0;
    std::string signature;
    std::vector<DirectoryWatch::Bond> bonds;
    bool watched = true;  ///< false: the kernel refused a directory
    std::optional<net::tls::CertificateSlot::Set> next;
    std::string problem;
};
/// Whether the files are others than at the last look.
[[nodiscard]] bool has_changed(const CertificateEntry& entry);
/// Blocks on the disk; any thread. `directories` may be null.
[[nodiscard]] CertificateLook look_at(const CertificateEntry& entry, std::size_t index,
                                      const DirectoryWatch* directories);

}  // namespace proxyd::server
