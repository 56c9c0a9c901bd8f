#include <algorithm>

#include "config/small_file.hpp"
#include "config/tls_draft.hpp"
#include "proxyd/net/tls/certificate.hpp"

namespace proxyd::config {
namespace {

using net::tls::Certificate;
using net::tls::ServerPolicy;
using Part = net::tls::PolicyProblem::Part;
using CertificatePtr = std::shared_ptr<const Certificate>;

/// Null after a report.
std::shared_ptr<const std::string> content_of(Reader& reader, const NamedFile& file) {
    auto& known = reader.tls_files[file.path];
    if (known != nullptr) return known;
    std::string problem;
    auto content = read_small_file(file.path, problem);
    if (content != nullptr && content->empty()) {
        problem = "is empty";
        content = nullptr;
    }
    if (content == nullptr) {
        reader.report.error(file.at, "the file " + file.path + " " + problem);
        return nullptr;
    }
    known = content;
    return content;
}

/// Whether each pair has both files; `at` is marked where neither is there.
bool complete(Reader& reader, const TlsDraft::Pair& pair, const Position& at) {
    const bool certificate = pair.certificate.given();
    if (certificate && pair.key.given()) return true;
    if (!certificate && !pair.key.given()) {
        reader.report.error(at, "tls needs a certificate", "tls: { certificate: FILE, key: FILE }");
    } else {
        reader.report.error(
            certificate ? pair.certificate.at : pair.key.at,
            certificate ? "a certificate needs its 'key'" : "a key needs its 'certificate'");
    }
    return false;
}

/// `certificate` and `key` as a list of one.
bool gather_pairs(Reader& reader, TlsDraft& draft, const Position& at) {
    const bool single = draft.single.certificate.given() || draft.single.key.given();
    if (single && !draft.pairs.empty()) {
        reader.report.error(draft.certificates,
                            "'certificates' stands instead of 'certificate' "
                            "and 'key'",
                            "put that pair into the list");
        return false;
    }
    if (draft.pairs.empty()) {
        draft.single.at = at;
        draft.pairs.push_back(draft.single);
    }
    return std::all_of(draft.pairs.begin(), draft.pairs.end(),
                       [&](const TlsDraft::Pair& pair) { return complete(reader, pair, pair.at); });
}

CertificatePtr certificate_of(Reader& reader, const TlsDraft::Pair& pair) {
    const auto certificate = content_of(reader, pair.certificate);
    const auto key = content_of(reader, pair.key);
    if (certificate == nullptr || key == nullptr) return nullptr;
    auto& known = reader.certificates[Certificate::id_of(*certificate, *key)];
    if (known != nullptr) return known;
    auto made = Certificate::make(*certificate, *key);
    if (made) return known = *std::move(made);
    const NamedFile& file = made.error().part == Part::key ? pair.key : pair.certificate;
    reader.report.error(file.at, "the file " + file.path + " " + made.error().text);
    return nullptr;
}

/// Clients choose by the type of the key, so each type has one certificate.
bool add(Reader& reader, net::tls::CertificateSlot::Set& set, CertificatePtr next,
         const TlsDraft::Pair& pair) {
    if (next == nullptr) return false;
    for (const CertificatePtr& other : set) {
        if (other->key_type() != next->key_type()) continue;
        reader.report.error(pair.certificate.at,
                            "another certificate of this host has a key of the same type",
                            "one ECDSA and one RSA certificate can stand side by side");
        return false;
    }
    set.push_back(std::move(next));
    return true;
}

bool read_client_ca(Reader& reader, TlsDraft& draft) {
    if (!draft.client_ca.given()) {
        if (draft.client_verify.source == nullptr) return true;
        reader.report.error(draft.client_verify, "'client_verify' needs 'client_ca'",
                            "the authorities whose certificates clients may show");
        return false;
    }
    const auto content = content_of(reader, draft.client_ca);
    if (content == nullptr) return false;
    draft.settings.client_ca = *content;
    if (draft.client_verify.source == nullptr) {
        draft.settings.client_verify = net::tls::ClientVerify::require;
    }
    return true;
}

std::shared_ptr<const ServerPolicy> policy_of(Reader& reader, const TlsDraft& draft,
                                              const Position& at) {
    auto& known = reader.server_policies[ServerPolicy::id_of(draft.settings)];
    if (known != nullptr) return known;
    auto made = ServerPolicy::make(draft.settings);
    if (made) return known = *std::move(made);
    const auto& problem = made.error();
    if (problem.part == Part::ca) {
        reader.report.error(draft.client_ca.at,
                            "the file " + draft.client_ca.path + " " + problem.text);
    } else {
        const Position& place = problem.part == Part::ciphers ? draft.ciphers : draft.ciphersuites;
        reader.report.error(place.source != nullptr ? place : at, "this list " + problem.text);
    }
    return nullptr;
}

std::string identity_of(const ServerPolicy& policy, const std::vector<HostTls::Pair>& files) {
    std::string identity = policy.id();
    for (const HostTls::Pair& pair : files) {
        identity.append(pair.certificate).append("\n").append(pair.key).append("\n");
    }
    return identity;
}

}  // namespace

std::shared_ptr<const HostTls> make_host_tls(Reader& reader, TlsDraft& draft, const Position& at) {
    if (!gather_pairs(reader, draft, at) || !read_client_ca(reader, draft)) return nullptr;
    auto made = std::make_shared<HostTls>();
    made->policy = policy_of(reader, draft, at);
    if (made->policy == nullptr) return nullptr;
    made->asks_clients = draft.settings.client_verify != net::tls::ClientVerify::off;
    for (const TlsDraft::Pair& pair : draft.pairs) {
        made->files.push_back({pair.certificate.path, pair.key.path, pair.at.origin()});
    }
    made->identity = identity_of(*made->policy, made->files);
    auto& known = reader.host_tls[made->identity];
    if (known != nullptr) return known;
    net::tls::CertificateSlot::Set set;
    bool good = true;
    for (const TlsDraft::Pair& pair : draft.pairs) {
        good = add(reader, set, certificate_of(reader, pair), pair) && good;
    }
    if (!good) return nullptr;
    made->certificates = std::make_shared<net::tls::CertificateSlot>(std::move(set));
    return known = std::move(made);
}

}  // namespace proxyd::config
