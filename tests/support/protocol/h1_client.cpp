#include "support/http_reader.hpp"
#include "support/protocol/client.hpp"
#include "support/protocol/h1_body.hpp"
#include "support/raw_client.hpp"

#include <sys/socket.h>

#include <cstdio>
#include <vector>

namespace proxyd::test::protocol {
namespace {

std::string head_of(const Ask& ask, bool more) {
    auto text = ask.method + " " + ask.path + " HTTP/1.1\r\nHost: " + ask.authority + "\r\n" +
                ask.fields.to_wire();
    if (!ask.upgrade.empty()) {
        text += "Connection: Upgrade\r\nUpgrade: " + ask.upgrade +
                "\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    } else if (ask.chunked) {
        text += "Transfer-Encoding: chunked\r\n";
    } else if (more || ask.has_body()) {
        text += "Content-Length: " + std::to_string(ask.length.value_or(ask.body.size())) + "\r\n";
    }
    return text + "\r\n";
}

std::string chunk(std::string_view bytes) {
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    return size + std::string(bytes) + "\r\n";
}

class H1Client;

class H1Sent : public Sent {
  public:
    H1Sent(H1Client& client, Wire wire, const Ask& ask)
        : client_(client), wire_(std::move(wire)), method_(ask.method), chunked_(ask.chunked) {}
    ~H1Sent() override;

    IoStatus send(std::string_view bytes, Duration limit) override {
        return wire_.send(chunked_ ? chunk(bytes) : std::string(bytes), limit);
    }
    void finish(const Headers& trailers) override {
        if (chunked_) wire_.send("0\r\n" + trailers.to_wire() + "\r\n");
        if (tunnel_) wire_.half_close();
    }

    Interim next_head(Duration limit) override {
        Response head;
        ReadOptions options;
        options.limit = limit;
        if (!read_response_head(wire_, head, options)) return {};
        if (head.status == 101) {
            tunnel_ = true;
            body_ = H1Body(wire_, H1Body::Framing::tunnel);
        } else if (head.status >= 200) {
            const bool none = method_ == "HEAD" || head.status == 204 || head.status == 304;
            body_ =
                none ? H1Body(wire_, H1Body::Framing::none) : H1Body::of(wire_, head.headers, true);
            kept_ = !equal_ignoring_case(head.headers.value("Connection"), "close");
        }
        return {head.status, head.headers};
    }

    std::string read(Duration limit, std::size_t most) override { return body_.read(limit, most); }
    [[nodiscard]] End end() const override { return body_.end(); }
    [[nodiscard]] Headers trailers() const override { return body_.trailers(); }
    void cancel() override { wire_.close(); }
    void vanish() override { wire_.reset(); }

  private:
    H1Client& client_;
    Wire wire_;
    std::string method_;
    bool chunked_;
    bool tunnel_ = false;
    bool kept_ = false;
    H1Body body_;
};

class H1Client : public Client {
  public:
    explicit H1Client(ClientOptions options) : options_(std::move(options)) {}

    std::unique_ptr<Sent> open(const Ask& ask, bool more) override {
        auto wire = take();
        if (!wire.is_open()) return nullptr;
        auto text = head_of(ask, more);
        if (!ask.body.empty()) text += ask.chunked ? chunk(ask.body) : ask.body;
        if (ask.chunked && !more) text += "0\r\n" + ask.trailers.to_wire() + "\r\n";
        wire.send(text);
        return std::make_unique<H1Sent>(*this, std::move(wire), ask);
    }
    [[nodiscard]] int connections() const override { return connections_; }

    bool told_to_go(Duration limit) override {
        for (auto& wire : idle_) {
            if (wire.wait_for_close(limit) == IoStatus::Timeout) return false;
        }
        return true;
    }

    void keep(Wire wire) { idle_.push_back(std::move(wire)); }

  private:
    Wire take() {
        while (!idle_.empty()) {
            Wire wire = std::move(idle_.back());
            idle_.pop_back();
            if (wire.wait_for_event(Duration(0)) == IoStatus::Timeout) return wire;
        }
        try {
            Wire wire = dial({options_.port, options_.tls, options_.name,
                              options_.tls ? "http/1.1" : "", options_.receive_buffer});
            ++connections_;
            return wire;
        } catch (const std::runtime_error& error) {
            std::fprintf(stderr, "%s\n", error.what());
            return {};
        }
    }

    ClientOptions options_;
    std::vector<Wire> idle_;
    int connections_ = 0;
};

H1Sent::~H1Sent() {
    if (kept_ && !tunnel_ && wire_.is_open() && body_.end() == End::whole) {
        client_.keep(std::move(wire_));
    }
}

}  // namespace

std::unique_ptr<Client> make_h1_client(ClientOptions options) {
    return std::make_unique<H1Client>(std::move(options));
}

}  // namespace proxyd::test::protocol
