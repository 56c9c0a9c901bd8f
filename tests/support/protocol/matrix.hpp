#pragma once

#include "support/daemon.hpp"
#include "support/protocol/backend.hpp"
#include "support/protocol/client.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace proxyd::test::protocol {

// Which version is spoken on each side of the proxy, and where TLS is under it.
struct Pairing {
    Version down = Version::h1;
    Version up = Version::h1;
    bool down_tls = false;
    bool up_tls = false;
};
std::ostream& operator<<(std::ostream& out, const Pairing& pairing);

// What a test adds to the configuration; lines of YAML without indentation.
struct Config {
    std::string upstream = {};     // keys of the upstream
    std::string host = {};         // keys of the host
    std::string client = {};       // keys of `client`
    std::string top = {};          // keys of the top level
    bool proxied = true;           // the host has `upstream: app`
    std::string second_host = {};  // keys of the host "other.test"; empty = there is none
};

// The program between a client and upstreams, each of the version that the pair says.
class Matrix : public ::testing::TestWithParam<Pairing> {
  protected:
    Matrix();
    ~Matrix() override;

    // One more upstream server. Without a script it answers "ok".
    Backend& serve(Backend::Script script = {});
    Backend& serve_handled(Backend::Handler handler) { return serve(handled(std::move(handler))); }
    // A server that refuses connections.
    void serve_nothing() { servers_.push_back("127.0.0.1:@DEAD@"); }
    void forget_servers() { servers_.clear(); }
    // Starts the program in front of the servers that are there.
    Daemon& start(const Config& setup = {});
    void reload(const Config& setup);

    [[nodiscard]] Daemon& daemon() { return *daemon_; }
    // A gate that outlives every script that waits for it.
    [[nodiscard]] Gate& new_gate() { return gates_.emplace_back(); }
    // The client of most tests; and further ones.
    [[nodiscard]] Client& client();
    [[nodiscard]] std::unique_ptr<Client> new_client(ClientOptions options = {});
    Answer ask(const Ask& request) { return client().ask(request); }
    Answer get(const std::string& path, const Headers& fields = {}) {
        return client().get(path, fields);
    }

    [[nodiscard]] bool down_is(Version version) const { return GetParam().down == version; }
    [[nodiscard]] bool up_is(Version version) const { return GetParam().up == version; }
    [[nodiscard]] std::string port_text();

  private:
    [[nodiscard]] std::string yaml(const Config& setup) const;

    TempDir files_;
    std::deque<Gate> gates_;
    std::vector<std::unique_ptr<Backend>> backends_;
    std::vector<std::string> servers_;
    std::unique_ptr<Daemon> daemon_;
    std::unique_ptr<Client> client_;
};

// {h1, h2} x {h1, h2}, without TLS and with it on both sides.
std::vector<Pairing> every_pair();
// The same without TLS, for what TLS cannot change.
std::vector<Pairing> plain_pairs();
std::string name_of(const ::testing::TestParamInfo<Pairing>& info);

}  // namespace proxyd::test::protocol
