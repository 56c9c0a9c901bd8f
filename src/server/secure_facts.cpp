#include "secure_facts.hpp"

namespace proxyd::server {

SecureFacts::SecureFacts(net::tls::Agreement agreement) : agreement_(std::move(agreement)) {
    facts_.protocol = agreement_.protocol;
    facts_.cipher = agreement_.cipher;
    facts_.curve = agreement_.curve;
    facts_.alpn = agreement_.application;
    facts_.server_name = agreement_.server_name;
    facts_.session_reused = agreement_.resumed;
    facts_.identity = agreement_.host.identity;
    facts_.client_verify = agreement_.client_verify;
    if (agreement_.client != nullptr) describe_client();
}

void SecureFacts::describe_client() {
    const net::tls::ClientCertificate& client = *agreement_.client;
    facts_.client_subject = client.subject;
    facts_.client_issuer = client.issuer;
    facts_.client_serial = client.serial;
    facts_.client_fingerprint = client.fingerprint;
    facts_.client_not_before = client.not_before;
    facts_.client_not_after = client.not_after;
    facts_.client_certificate = client.pem;
}

}  // namespace proxyd::server
