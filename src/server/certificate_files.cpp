#include "certificate_files.hpp"

#include <unordered_map>

namespace proxyd::server {

std::string CertificateEntry::hosts() const {
    return others == 0 ? host : host + " and " + std::to_string(others) + " more";
}

std::vector<CertificateEntry> entries_of(const config::Snapshot& snapshot) {
    std::vector<CertificateEntry> entries;
    std::unordered_map<const config::HostTls*, std::size_t> known;
    for (const config::Host& host : snapshot.hosts) {
        if (host.tls == nullptr) continue;
        const auto [place, first] = known.emplace(host.tls.get(), entries.size());
        if (first) {
            CertificateEntry& entry = entries.emplace_back();
            entry.tls = host.tls;
            entry.host = host.name;
        } else {
            ++entries[place->second].others;
        }
    }
    return entries;
}

namespace {

std::string signature_of_files(const config::HostTls& tls) {
    std::string signature;
    for (const config::HostTls::Pair& pair : tls.files) {
        signature += signature_of(pair.certificate) + signature_of(pair.key);
    }
    return signature;
}

}  // namespace

bool has_changed(const CertificateEntry& entry) {
    return signature_of_files(*entry.tls) != entry.signature;
}

CertificateLook look_at(const CertificateEntry& entry, std::size_t index,
                        const DirectoryWatch* directories) {
    CertificateLook look;
    look.index = index;
    // Before the files are read: what changes from here on is seen.
    look.signature = signature_of_files(*entry.tls);
    for (const config::HostTls::Pair& pair : entry.tls->files) {
        if (directories == nullptr) break;
        for (const std::string& file : {pair.certificate, pair.key}) {
            for (const Place& place : places_of(file)) {
                const DirectoryWatch::Bond bond = directories->add(place);
                look.watched = look.watched && (bond.watch >= 0 || bond.gone);
                look.bonds.push_back(bond);
            }
        }
    }
    auto read = config::read_certificates(*entry.tls);
    if (!read) {
        look.problem = std::move(read).error().detail;
    } else if (*read != *entry.tls->certificates->current()) {
        look.next = std::move(*read);
    }
    return look;
}

}  // namespace proxyd::server
