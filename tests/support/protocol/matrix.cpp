#include "support/protocol/matrix.hpp"

#include <ostream>
#include <sstream>

namespace proxyd::test::protocol {
namespace {

std::string indented(const std::string& text, int depth) {
    std::string result;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty())
            result += std::string(static_cast<std::size_t>(depth), ' ') + line + "\n";
    }
    return result;
}

const Authority& authority() {
    static const Authority instance("the matrix");
    return instance;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Pairing& pairing) {
    return out << (pairing.down == Version::h1 ? "h1" : "h2") << (pairing.down_tls ? "s" : "")
               << "_to_" << (pairing.up == Version::h1 ? "h1" : "h2")
               << (pairing.up_tls ? "s" : "");
}

Matrix::Matrix() {
    const auto pair = authority().issue({{"app.test", "other.test"}, {}});
    files_.write("ca.pem", authority().pem());
    files_.write("certificate.pem", pair.certificate);
    files_.write("key.pem", pair.key);
    std::filesystem::permissions(files_.path() / "key.pem", std::filesystem::perms::owner_read);
}

// The client first: what it still asks for must not be waited for.
Matrix::~Matrix() {
    client_.reset();
    daemon_.reset();
    backends_.clear();
}

Backend& Matrix::serve(Backend::Script script) {
    if (!script) script = handled([](const Incoming&) { return give("ok"); });
    Backend::Options options;
    if (GetParam().up_tls) options.certificate = authority().issue({{"backend.test"}, {}});
    backends_.push_back(make_backend(GetParam().up, std::move(script), options));
    servers_.push_back("127.0.0.1:" + std::to_string(backends_.back()->port()));
    return *backends_.back();
}

Daemon& Matrix::start(const Config& setup) {
    Marks marks;
    marks.set("FILES", files_.path().string());
    daemon_ = std::make_unique<Daemon>(yaml(setup), std::move(marks));
    return *daemon_;
}

void Matrix::reload(const Config& setup) {
    daemon_->reload(yaml(setup));
}

std::string Matrix::yaml(const Config& setup) const {
    const auto& pair = GetParam();
    const std::string tls =
        pair.down_tls ? "    tls: { certificate: @FILES@/certificate.pem, key: @FILES@/key.pem }\n"
                      : "";
    std::string text = setup.top.empty() ? "" : setup.top + "\n";
    if (!setup.client.empty()) text += "client:\n" + indented(setup.client, 2);
    text += "listeners:\n  main: { address: \"127.0.0.1:@HTTP@\"";
    if (pair.down_tls) text += ", tls: true";
    if (pair.down == Version::h2) text += ", http2: true";
    text += " }\nupstreams:\n  app:\n    servers: [";
    for (const auto& server : servers_) text += "\"" + server + "\", ";
    text += "]\n";
    if (pair.up == Version::h2) text += "    http2: true\n";
    if (pair.up_tls) {
        text += "    tls: { enabled: true, ca: @FILES@/ca.pem, server_name: backend.test }\n";
    }
    text += indented(setup.upstream, 4) + "hosts:\n  app.test:\n";
    if (setup.proxied) text += "    upstream: app\n";
    text += tls + indented(setup.host, 4);
    if (!setup.second_host.empty()) {
        text += "  other.test:\n" + tls + indented(setup.second_host, 4);
    }
    return text;
}

Client& Matrix::client() {
    if (!client_) client_ = new_client();
    return *client_;
}

std::unique_ptr<Client> Matrix::new_client(ClientOptions options) {
    options.port = daemon_->http();
    options.tls = GetParam().down_tls;
    return make_client(GetParam().down, std::move(options));
}

std::string Matrix::port_text() {
    return std::to_string(daemon_->http());
}

std::vector<Pairing> every_pair() {
    auto pairs = plain_pairs();
    for (const auto& pair : plain_pairs()) pairs.push_back({pair.down, pair.up, true, true});
    return pairs;
}

std::vector<Pairing> plain_pairs() {
    return {{Version::h1, Version::h1, false, false},
            {Version::h1, Version::h2, false, false},
            {Version::h2, Version::h1, false, false},
            {Version::h2, Version::h2, false, false}};
}

std::string name_of(const ::testing::TestParamInfo<Pairing>& info) {
    std::ostringstream text;
    text << info.param;
    return text.str();
}

}  // namespace proxyd::test::protocol
