#include "support/protocol/client.hpp"
#include "support/protocol/h2_session.hpp"

#include <cstdio>

namespace proxyd::test::protocol {
namespace {

Headers head_of(const Ask& ask, bool more, bool tls) {
    Headers head{{":method", ask.upgrade.empty() ? ask.method : "CONNECT"},
                 {":scheme", tls ? "https" : "http"},
                 {":authority", ask.authority},
                 {":path", ask.path}};
    if (!ask.upgrade.empty()) {
        head.add(":protocol", ask.upgrade);
        head.add("sec-websocket-version", "13");
    }
    for (const auto& [name, value] : ask.fields.fields()) head.add(to_lower(name), value);
    if (ask.upgrade.empty() && !ask.chunked && (more || ask.has_body())) {
        head.add("content-length", std::to_string(ask.length.value_or(ask.body.size())));
    }
    return head;
}

class H2Sent : public Sent {
  public:
    H2Sent(std::shared_ptr<H2Session> session, std::shared_ptr<H2Stream> stream)
        : session_(std::move(session)), stream_(std::move(stream)) {}
    // A request that nobody waits for any more is given up, as when an HTTP/1.1 client closes.
    ~H2Sent() override {
        if (stream_->end() == End::open) stream_->reset(NGHTTP2_CANCEL);
    }

    IoStatus send(std::string_view bytes, Duration limit) override {
        return stream_->send(bytes, limit);
    }
    void finish(const Headers& trailers) override { stream_->finish(trailers); }
    Interim next_head(Duration limit) override {
        Headers head;
        if (!stream_->next_head(head, limit)) return {};
        Interim result;
        result.status = std::stoi(head.value(":status"));
        for (const auto& [name, value] : head.fields()) {
            if (!name.starts_with(':')) result.fields.add(name, value);
        }
        return result;
    }
    std::string read(Duration limit, std::size_t most) override {
        return stream_->read(limit, most);
    }
    [[nodiscard]] End end() const override { return stream_->end(); }
    [[nodiscard]] Headers trailers() const override { return stream_->trailers(); }
    void cancel() override {
        // A reset would overtake what was sent before it.
        static_cast<void>(stream_->flushed(Duration(300)));
        stream_->reset(NGHTTP2_CANCEL);
    }
    void vanish() override { session_->cut(true); }

  private:
    std::shared_ptr<H2Session> session_;
    std::shared_ptr<H2Stream> stream_;
};

class H2Client : public Client {
  public:
    explicit H2Client(ClientOptions options) : options_(std::move(options)) {}

    std::unique_ptr<Sent> open(const Ask& ask, bool more) override {
        if (!ready()) return nullptr;
        const bool last = !more && !ask.has_body() && ask.upgrade.empty();
        auto stream = session_->open(head_of(ask, more, options_.tls), last);
        if (stream == nullptr) return nullptr;
        if (!ask.body.empty()) stream->send(ask.body);
        if (!more && !last && ask.upgrade.empty()) stream->finish(ask.trailers);
        return std::make_unique<H2Sent>(session_, std::move(stream));
    }
    [[nodiscard]] int connections() const override { return connections_; }
    bool told_to_go(Duration limit) override {
        return session_ == nullptr ||
               eventually([&] { return session_->goaway() || session_->lost(); }, limit);
    }

  private:
    bool ready() {
        if (session_ != nullptr && !session_->lost() && !session_->goaway()) return true;
        try {
            H2SessionOptions options;
            options.window = options_.window;
            session_ = std::make_shared<H2Session>(
                dial({options_.port, options_.tls, options_.name, options_.tls ? "h2" : "",
                      options_.receive_buffer}),
                options);
            ++connections_;
            // nghttp2 would count its streams against a limit that it does not know yet.
            return session_->wait_for_settings();
        } catch (const std::runtime_error& error) {
            std::fprintf(stderr, "%s\n", error.what());
            return false;
        }
    }

    ClientOptions options_;
    std::shared_ptr<H2Session> session_;
    int connections_ = 0;
};

}  // namespace

std::unique_ptr<Client> make_h2_client(ClientOptions options) {
    return std::make_unique<H2Client>(std::move(options));
}

}  // namespace proxyd::test::protocol
