#include "support/ports.hpp"
#include "support/protocol/backend.hpp"
#include "support/protocol/h2_session.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <stdexcept>

namespace proxyd::test::protocol {
namespace {

Incoming incoming_of(const Headers& head, int connection) {
    Incoming result;
    result.method = head.value(":method");
    result.path = head.value(":path");
    result.scheme = head.value(":scheme");
    result.authority = head.has(":authority") ? head.value(":authority") : head.value("host");
    for (const auto& [name, value] : head.fields()) {
        if (!name.starts_with(':') && name != "host") result.fields.add(name, value);
    }
    result.connection = connection;
    return result;
}

class H2Backend;

class H2Served : public Served {
  public:
    H2Served(H2Backend& backend, H2Session& session, std::shared_ptr<H2Stream> stream,
             const Headers& head, int connection)
        : backend_(backend),
          session_(session),
          stream_(std::move(stream)),
          head_(incoming_of(head, connection)) {}

    [[nodiscard]] const Incoming& head() const override { return head_; }
    std::string read(Duration limit, std::size_t most) override {
        if (!continued_ && head_.fields.has("expect")) interim(100, {});
        continued_ = true;
        return stream_->read(limit, most);
    }
    [[nodiscard]] End end() const override { return stream_->end(); }
    [[nodiscard]] Headers trailers() const override { return stream_->trailers(); }
    void interim(int status, const Headers& fields) override {
        stream_->send_interim(with_status(status, fields));
    }
    void answer_head(int status, const Headers& fields, std::optional<std::size_t> length,
                     bool last) override {
        auto head = with_status(status, fields);
        if (length) head.add("content-length", std::to_string(*length));
        stream_->send_head(head, last);
        done_ = last;
    }
    IoStatus send(std::string_view bytes, Duration limit) override {
        return stream_->send(bytes, limit);
    }
    void finish(const Headers& trailers) override {
        stream_->finish(trailers);
        done_ = true;
    }
    void cut() override {
        static_cast<void>(stream_->flushed());
        session_.cut();
        done_ = true;
    }
    void reset() override {
        static_cast<void>(stream_->flushed());
        stream_->reset(NGHTTP2_INTERNAL_ERROR);
        done_ = true;
    }
    bool wait_for_leave(Duration limit) override;

    // A script that returned without an answer hung up.
    void end_of_script() {
        if (!done_) stream_->reset(NGHTTP2_INTERNAL_ERROR);
        if (done_ && stream_->end() == End::open) {
            // An early answer: the rest of the upload is not wanted (RFC 9113 8.1).
            static_cast<void>(stream_->flushed());
            stream_->reset(NGHTTP2_NO_ERROR);
        }
    }

  private:
    static Headers with_status(int status, const Headers& fields) {
        Headers head{{":status", std::to_string(status)}};
        for (const auto& [name, value] : fields.fields()) head.add(to_lower(name), value);
        return head;
    }
    void note(const Incoming& request) override;

    H2Backend& backend_;
    H2Session& session_;
    std::shared_ptr<H2Stream> stream_;
    Incoming head_;
    bool continued_ = false;
    bool done_ = false;
};

class H2Backend : public Backend {
  public:
    H2Backend(Script script, const Options& options) : script_(std::move(script)) {
        session_.server = true;
        session_.window = options.window;
        listen();
        if (!options.certificate.key.empty()) {
            TlsFrontOptions front;
            front.pair = options.certificate;
            front.alpn = "h2";
            front_ = std::make_unique<TlsFront>(port_, front);
        }
    }
    ~H2Backend() override {
        front_.reset();
        stopping_ = true;
        ::shutdown(listen_fd_, SHUT_RDWR);
        acceptor_.join();
        ::close(listen_fd_);
        cut_all();
        for (;;) {
            std::list<std::thread> threads;
            {
                const std::lock_guard lock(mutex_);
                threads.swap(threads_);
            }
            if (threads.empty()) break;
            for (auto& thread : threads) thread.join();
        }
    }

    [[nodiscard]] std::uint16_t port() const override { return front_ ? front_->port() : port_; }
    void drop_connections() override { cut_all(); }

    using Backend::note;
    using Backend::note_left;

  private:
    void listen() {
        port_ = claim_port();
        listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(listen_fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listen_fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("backend: bind");
        }
        ::listen(listen_fd_, 1024);
        acceptor_ = std::thread([this] { accept_loop(); });
    }

    void accept_loop() {
        while (!stopping_) {
            const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            int number = 0;
            seen_.change([&](Seen& seen) { number = ++seen.connections; });
            add(fd, number);
        }
    }

    void add(int fd, int number) {
        const std::lock_guard lock(mutex_);
        auto& slot = sessions_.emplace_back();
        // The first request can only come once the lock is free: then the slot is filled.
        slot = std::make_unique<H2Session>(Wire(fd), session_, [this, &slot, number](auto stream) {
            const std::lock_guard opened(mutex_);
            if (stopping_) return;
            threads_.emplace_back([this, session = slot.get(), number, stream = std::move(stream)] {
                serve(*session, stream, number);
            });
        });
    }

    void serve(H2Session& session, const std::shared_ptr<H2Stream>& stream, int number) {
        Headers head;
        if (!stream->next_head(head)) return;
        H2Served served(*this, session, stream, head, number);
        run(script_, served);
        served.end_of_script();
    }

    void cut_all() {
        std::vector<H2Session*> sessions;
        {
            const std::lock_guard lock(mutex_);
            for (const auto& session : sessions_) sessions.push_back(session.get());
        }
        for (auto* const session : sessions) session->cut();
    }

    Script script_;
    H2SessionOptions session_;
    std::uint16_t port_ = 0;
    int listen_fd_ = -1;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;
    std::list<std::unique_ptr<H2Session>> sessions_;
    std::list<std::thread> threads_;
    std::unique_ptr<TlsFront> front_;
    std::thread acceptor_;
};

void H2Served::note(const Incoming& request) {
    backend_.note(request);
}

bool H2Served::wait_for_leave(Duration limit) {
    const bool gone = stream_->wait_for_reset(limit);
    if (gone) backend_.note_left();
    return gone;
}

}  // namespace

std::unique_ptr<Backend> make_h2_backend(Backend::Script script, Backend::Options options) {
    return std::make_unique<H2Backend>(std::move(script), options);
}

}  // namespace proxyd::test::protocol
