#pragma once

#include "support/daemon.hpp"
#include "support/tls_client.hpp"

#include <filesystem>
#include <fstream>
#include <string>

namespace proxyd::test {

inline const Authority& site_authority() {
    static const Authority made("the authority");
    return made;
}

// Certificates in files, for `tls:` of hosts.
class TlsFiles {
  public:
    // "certificate: FILE, key: FILE" of a certificate that is for `names`.
    std::string pair(const std::string& name, const std::vector<std::string>& names,
                     const std::string& key = "EC") {
        Subject subject;
        subject.names = names;
        subject.key = key;
        pairs_[name] = site_authority().issue(subject);
        write(name + ".pem", pairs_[name].certificate);
        write(name + ".key", pairs_[name].key);
        return "certificate: '" + path(name + ".pem") + "', key: '" + path(name + ".key") + "'";
    }
    [[nodiscard]] const std::string& certificate(const std::string& name) const {
        return pairs_.at(name).certificate;
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name)) << text;
        std::filesystem::permissions(path(name), std::filesystem::perms(0600));
    }
    [[nodiscard]] std::string path(const std::string& name) const { return temp_.path() / name; }

  private:
    TempDir temp_;
    std::map<std::string, Pair> pairs_;
};

// One worker, a plain and a TLS listener; `listener`: further keys of the latter.
inline std::string site(const std::string& hosts, const std::string& listener = "",
                        int workers = 1) {
    return "workers: " + std::to_string(workers) +
           "\nlisteners:\n"
           "  http: \"127.0.0.1:@HTTP@\"\n"
           "  https: { address: \"127.0.0.1:@HTTPS@\", tls: true" +
           listener +
           " }\n"
           "log:\n"
           "  access: { path: \"@TMP@/access.log\", format: mine, buffer: 0 }\n"
           "  formats: { mine: '{\"status\":\"$status\",\"host\":\"$server_name\","
           "\"scheme\":\"$scheme\",\"version\":\"$ssl_protocol\",\"cipher\":\"$ssl_cipher\","
           "\"curve\":\"$ssl_curve\",\"sni\":\"$ssl_server_name\",\"alpn\":\"$ssl_alpn_protocol\","
           "\"reused\":\"$ssl_session_reused\",\"verify\":\"$ssl_client_verify\","
           "\"subject\":\"$ssl_client_s_dn\",\"issuer\":\"$ssl_client_i_dn\","
           "\"serial\":\"$ssl_client_serial\",\"print\":\"$ssl_client_fingerprint\","
           "\"from\":\"$ssl_client_v_start\",\"until\":\"$ssl_client_v_end\","
           "\"pem\":\"$ssl_client_escaped_cert\",\"addr\":\"$remote_addr\","
           "\"reason\":\"$reason\"}' }\n" +
           hosts;
}

}  // namespace proxyd::test
