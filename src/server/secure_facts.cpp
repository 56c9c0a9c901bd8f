#include "secure_facts.hpp"

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

SecureFacts::~SecureFacts() = default;

}  // namespace proxyd::server
