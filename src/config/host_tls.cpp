#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "config/tls_draft.hpp"
#include "proxyd/config/certificates.hpp"

namespace proxyd::config {
namespace {

using net::tls::Certificate;
using net::tls::ServerPolicy;
using Part = net::tls::PolicyProblem::Part;
using CertificatePtr = std::shared_ptr<const Certificate>;

constexpr std::int64_t kDay = 86'400;

/// Null after a report.
std::shared_ptr<const std::string> content_of(Reader& reader, const NamedFile& file) {
    ServiceUser::Refusal refusal;
    auto content = reader.service_user().read(file.path, refusal);
    if (content == nullptr) {
        reader.report.error(file.at, "the file " + file.path + " " + refusal.text, refusal.hint);
    }
    return content;
}

/// Whether the pair has both files; `at` is marked where neither is there.
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
                            "'certificates' stands instead of 'certificate' and 'key'",
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

/// Clients look at these days; the configuration is good without.
void warn_of_days(Reader& reader, const Certificate& certificate, const NamedFile& file) {
    const std::int64_t now = std::time(nullptr);
    const std::int64_t end = certificate.not_after();
    std::string text = "this certificate ";
    if (now < certificate.not_before()) {
        text += "is not valid before " + day_of(certificate.not_before());
    } else if (end <= now) {
        text += "expired on " + day_of(end);
    } else if (end - now < kExpiresSoonDays * kDay) {
        text +=
            "expires on " + day_of(end) + ", in " + std::to_string((end - now) / kDay) + " days";
    } else {
        return;
    }
    reader.report.warning(file.at, std::move(text));
}

bool is_file(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
}

void warn_of_chain(Reader& reader, const Certificate& certificate, const NamedFile& file) {
    const std::string problem = certificate.chain_problem();
    if (!problem.empty()) {
        reader.report.warning(file.at, "the chain of " + file.path + " is odd: " + problem,
                              "each certificate is followed by its issuer");
    }
    constexpr std::string_view kAlone = "/cert.pem";
    if (!file.path.ends_with(kAlone)) return;
    const std::string full =
        file.path.substr(0, file.path.size() - kAlone.size()) + "/fullchain.pem";
    if (is_file(full)) {
        reader.report.warning(file.at, "cert.pem is without the chain that clients need",
                              "certificate: " + full);
    }
}

void warn_of_key(Reader& reader, const NamedFile& file) {
    struct stat facts {};
    if (::stat(file.path.c_str(), &facts) != 0 || (facts.st_mode & S_IROTH) == 0) return;
    reader.report.warning(file.at, "everyone can read the private key " + file.path,
                          "chmod o-r " + file.path);
}

/// What is served now is not decoded again.
CertificatePtr find_or_make(Reader& reader, const TlsDraft::Pair& pair,
                            const std::string& certificate, const std::string& key) {
    auto& known = reader.certificates[Certificate::id_of(certificate, key)];
    if (known != nullptr) return known;
    auto made = Certificate::make(certificate, key, &reader.issuers);
    if (made) return known = *std::move(made);
    auto& problem = made.error();
    const NamedFile& file = problem.part == Part::key ? pair.key : pair.certificate;
    reader.report.error(file.at, "the file " + file.path + " " + problem.text, problem.hint);
    return nullptr;
}

/// Each pair of files is read once.
CertificatePtr certificate_of(Reader& reader, const TlsDraft::Pair& pair) {
    auto& known = reader.pairs[pair.certificate.path + '\n' + pair.key.path];
    if (known != nullptr) return known;
    const auto certificate = content_of(reader, pair.certificate);
    const auto key = content_of(reader, pair.key);
    if (certificate == nullptr || key == nullptr) return nullptr;
    auto found = find_or_make(reader, pair, *certificate, *key);
    if (found == nullptr) return nullptr;
    warn_of_days(reader, *found, pair.certificate);
    warn_of_chain(reader, *found, pair.certificate);
    warn_of_key(reader, pair.key);
    return known = std::move(found);
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
                            "client_ca: FILE, the authorities whose certificates clients show");
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

void warn_of_words(Reader& reader, const std::vector<std::string>& unknown, const Position& at,
                   const std::string& kind) {
    for (const std::string& word : unknown) {
        reader.report.warning(at, "OpenSSL knows no " + kind + " '" + word + "': it is left out");
    }
}

std::shared_ptr<const ServerPolicy> policy_of(Reader& reader, const TlsDraft& draft,
                                              const Position& at) {
    auto& known = reader.server_policies[ServerPolicy::id_of(draft.settings)];
    if (known != nullptr) return known;
    auto made = ServerPolicy::make(draft.settings);
    if (made) {
        known = *std::move(made);
        warn_of_words(reader, known->unknown_ciphers(), draft.ciphers, "cipher of TLS 1.2");
        warn_of_words(reader, known->unknown_ciphersuites(), draft.ciphersuites,
                      "cipher suite of TLS 1.3");
        return known;
    }
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

void warn_of_names(Reader& reader, const Host& host, const Position& at) {
    if (host.tls == nullptr) return;
    std::string missing;
    for (const std::string& name : host.names) {
        // "*", "x.*" and expressions stand for names that nobody can list.
        if (name == "*" || name.ends_with(".*") || name.starts_with("~")) continue;
        const auto set = host.tls->certificates->current();
        const bool covered = std::all_of(set->begin(), set->end(), [&](const CertificatePtr& each) {
            return each->is_for(name);
        });
        if (!covered) missing += (missing.empty() ? "'" : ", '") + name + "'";
    }
    if (missing.empty()) return;
    reader.report.warning(at, "the certificate of host '" + host.name + "' is not for " + missing,
                          "clients that ask for it will refuse the certificate");
}

void reuse_certificates(Reader& reader, const Snapshot& served) {
    for (const Host& host : served.hosts) {
        if (host.tls == nullptr) continue;
        const auto set = host.tls->certificates->current();
        for (const CertificatePtr& each : *set) reader.certificates.emplace(each->id(), each);
    }
}

}  // namespace proxyd::config
