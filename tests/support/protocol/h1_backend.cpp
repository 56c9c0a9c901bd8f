#include "support/fake_upstream.hpp"
#include "support/protocol/backend.hpp"
#include "support/protocol/h1_body.hpp"

#include <openssl/evp.h>

#include <cstdio>

namespace proxyd::test::protocol {
namespace {

Incoming incoming_of(const Request& request) {
    Incoming result;
    result.method = request.method;
    result.path = request.target;
    result.authority = request.headers.value("Host");
    for (const auto& [name, value] : request.headers.fields()) {
        if (!equal_ignoring_case(name, "Host")) result.fields.add(name, value);
    }
    result.connection = request.connection;
    return result;
}

// RFC 6455 4.2.2.
std::string websocket_accept(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), hash, &size, EVP_sha1(), nullptr);
    unsigned char encoded[64];
    const int length = EVP_EncodeBlock(encoded, hash, static_cast<int>(size));
    return {reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(length)};
}

class H1Backend;

class H1Served : public Served {
  public:
    H1Served(H1Backend& backend, UpstreamConnection& connection, const Request& request)
        : backend_(backend),
          connection_(connection),
          head_(incoming_of(request)),
          body_(H1Body::of(connection.wire(), request.headers, false)),
          continues_(request.headers.has("Expect")) {}

    [[nodiscard]] const Incoming& head() const override { return head_; }
    std::string read(Duration limit, std::size_t most) override {
        if (continues_) connection_.send("HTTP/1.1 100 Continue\r\n\r\n");
        continues_ = false;
        return body_.read(limit, most);
    }
    [[nodiscard]] End end() const override { return body_.end(); }
    [[nodiscard]] Headers trailers() const override { return body_.trailers(); }

    void interim(int status, const Headers& fields) override {
        connection_.send(line(status) + fields.to_wire() + "\r\n");
    }
    void answer_head(int status, const Headers& fields, std::optional<std::size_t> length,
                     bool last) override {
        auto text = line(status) + fields.to_wire();
        if (status == 101) {
            text += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " +
                    websocket_accept(head_.fields.value("Sec-WebSocket-Key")) + "\r\n";
            body_ = H1Body(connection_.wire(), H1Body::Framing::tunnel);
            tunnel_ = true;
        } else if (length) {
            text += "Content-Length: " + std::to_string(*length) + "\r\n";
        } else if (status != 204 && status != 304) {
            text += "Transfer-Encoding: chunked\r\n";
            chunked_ = true;
            if (last && head_.method != "HEAD") text += "\r\n0\r\n";
        }
        connection_.send(text + "\r\n");
        done_ = last || (length && *length == 0);
    }
    IoStatus send(std::string_view bytes, Duration limit) override {
        if (!chunked_) return connection_.send(bytes, limit);
        char size[20];
        std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
        return bytes.empty() ? IoStatus::Ok
                             : connection_.send(size + std::string(bytes) + "\r\n", limit);
    }
    void finish(const Headers& trailers) override {
        if (chunked_) connection_.send("0\r\n" + trailers.to_wire() + "\r\n");
        if (tunnel_) connection_.half_close();
        done_ = true;
    }
    void cut() override { connection_.close(); }
    void reset() override { connection_.reset(); }
    bool wait_for_leave(Duration limit) override;

    // Whether the connection can carry another request.
    [[nodiscard]] bool reusable() const {
        return done_ && !tunnel_ && connection_.wire().is_open() && body_.end() == End::whole;
    }

  private:
    static std::string line(int status) {
        return "HTTP/1.1 " + std::to_string(status) + " Reason\r\n";
    }
    void note(const Incoming& request) override;

    H1Backend& backend_;
    UpstreamConnection& connection_;
    Incoming head_;
    H1Body body_;
    bool continues_;
    bool chunked_ = false;
    bool tunnel_ = false;
    bool done_ = false;
};

class H1Backend : public Backend {
  public:
    H1Backend(Script script, const Options& options)
        : script_(std::move(script)),
          upstream_(FakeUpstream::scripted([this](auto& connection) { serve(connection); })) {
        if (!options.certificate.key.empty()) {
            TlsFrontOptions front;
            front.pair = options.certificate;
            front.alpn = "http/1.1";
            front_ = std::make_unique<TlsFront>(upstream_->port(), front);
        }
    }
    ~H1Backend() override {
        front_.reset();
        upstream_.reset();
    }

    [[nodiscard]] std::uint16_t port() const override {
        return front_ ? front_->port() : upstream_->port();
    }
    void drop_connections() override { upstream_->drop_connections(); }

    using Backend::note;
    using Backend::note_left;

  private:
    void serve(UpstreamConnection& connection) {
        seen_.change([](Seen& seen) { ++seen.connections; });
        ReadOptions options;
        options.limit = std::chrono::minutes(5);
        Request request;
        bool reusable = true;
        while (reusable && connection.read_head(request, options)) {
            H1Served served(*this, connection, request);
            run(script_, served);
            reusable = served.reusable();
        }
    }

    Script script_;
    std::unique_ptr<FakeUpstream> upstream_;
    std::unique_ptr<TlsFront> front_;
};

void H1Served::note(const Incoming& request) {
    backend_.note(request);
}

bool H1Served::wait_for_leave(Duration limit) {
    const bool gone = connection_.wait_for_close(limit);
    if (gone) backend_.note_left();
    return gone;
}

}  // namespace

std::unique_ptr<Backend> make_h1_backend(Backend::Script script, Backend::Options options) {
    return std::make_unique<H1Backend>(std::move(script), options);
}

}  // namespace proxyd::test::protocol
