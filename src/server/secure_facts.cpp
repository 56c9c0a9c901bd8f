#include "secure_facts.hpp"

#include <functional>
#include <tuple>

namespace proxyd::server {

struct SecureFacts::Client {
    Client(net::tls::ClientCertificate its_texts, std::string its_verdict)
        : texts(std::move(its_texts)), verdict(std::move(its_verdict)) {
        facts.subject = texts.subject;
        facts.issuer = texts.issuer;
        facts.serial = texts.serial;
        facts.fingerprint = texts.fingerprint;
        facts.not_before = texts.not_before;
        facts.not_after = texts.not_after;
        facts.pem = texts.pem;
    }
    const net::tls::ClientCertificate texts;
    const std::string verdict;
    http::ClientCertificateFacts facts;
};

/// An idle connection keeps little: what only a client's certificate has lies apart.
SecureFacts::SecureFacts(net::tls::Agreement agreement)
    : host_(std::move(agreement.host.owner)), server_name_(std::move(agreement.server_name)) {
    facts_.protocol = agreement.protocol;
    facts_.cipher = agreement.cipher;
    facts_.curve = agreement.curve;
    facts_.alpn = agreement.application;
    facts_.server_name = server_name_;
    facts_.session_reused = agreement.resumed;
    facts_.identity = agreement.host.identity;
    if (agreement.client != nullptr) {
        client_ = std::make_unique<const Client>(std::move(*agreement.client),
                                                 std::move(agreement.client_verify));
        facts_.client_verify = client_->verdict;
        facts_.client = &client_->facts;
    } else if (!agreement.client_verify.empty()) {
        facts_.client_verify = "NONE";
    }
}

SecureFacts::~SecureFacts() {
    if (table_ != nullptr) table_->known_.erase(this);
}

SecureFactsPtr SecureFactsTable::get(net::tls::Agreement agreement) {
    auto made = std::make_unique<SecureFacts>(std::move(agreement));
    if (made->client_ != nullptr) return SecureFactsPtr(made.release());
    const auto [known, fresh] = known_.insert(made.get());
    if (!fresh) return SecureFactsPtr(*known);
    made->table_ = this;
    return SecureFactsPtr(made.release());
}

std::size_t SecureFactsTable::Hash::operator()(const SecureFacts* facts) const noexcept {
    const std::size_t host = std::hash<const void*>()(facts->host_.get());
    return std::hash<std::string>()(facts->server_name_) ^ host;
}

/// The texts of the handshake itself are static ones. An equal host of another generation is not
/// the same: it would keep that generation alive.
bool SecureFactsTable::Equal::operator()(const SecureFacts* one,
                                         const SecureFacts* other) const noexcept {
    const auto all = [](const SecureFacts* each) {
        const http::TlsFacts& facts = each->facts_;
        return std::make_tuple(each->host_.get(), facts.session_reused, facts.protocol,
                               facts.cipher, facts.curve, facts.alpn, facts.server_name,
                               facts.identity, facts.client_verify);
    };
    return all(one) == all(other);
}

}  // namespace proxyd::server
