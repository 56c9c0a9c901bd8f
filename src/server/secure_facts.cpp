#include "secure_facts.hpp"

namespace proxyd::server {

SecureFacts::SecureFacts(net::tls::Agreement agreement)
    : host_(std::move(agreement.host.owner)),
      server_name_(std::move(agreement.server_name)),
      client_verify_(std::move(agreement.client_verify)),
      client_(std::move(agreement.client)) {
    facts_.protocol = agreement.protocol;
    facts_.cipher = agreement.cipher;
    facts_.curve = agreement.curve;
    facts_.alpn = agreement.application;
    facts_.server_name = server_name_;
    facts_.session_reused = agreement.resumed;
    facts_.identity = agreement.host.identity;
    facts_.client_verify = client_verify_;
    if (client_ != nullptr) describe_client();
}

void SecureFacts::describe_client() {
    const net::tls::ClientCertificate& client = *client_;
    facts_.client_subject = client.subject;
    facts_.client_issuer = client.issuer;
    facts_.client_serial = client.serial;
    facts_.client_fingerprint = client.fingerprint;
    facts_.client_not_before = client.not_before;
    facts_.client_not_after = client.not_after;
    facts_.client_certificate = client.pem;
}

}  // namespace proxyd::server
