#pragma once

#include "support/gate.hpp"
#include "support/http_reader.hpp"
#include "support/wire.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace proxyd::test {

// What a handler answers.
struct Reply {
    enum class Framing { Length, Chunked, UntilClose, None };

    int status = 200;
    Headers headers;
    std::string body;
    Framing framing = Framing::Length;
    Headers trailers;    // with Chunked
    bool close = false;  // close the connection behind the answer
    std::string raw;     // sent instead of all of the above
};

Reply text_reply(std::string body, int status = 200);
Reply raw_reply(std::string bytes, bool close = false);

class FakeUpstream;

// One accepted connection in the hands of a script. It closes when the script returns.
class UpstreamConnection {
  public:
    UpstreamConnection(FakeUpstream& upstream, int fd, int number);

    // The next request with its body; false when the peer went away, broke it off or was silent.
    bool read_request(Request& request, ReadOptions options = {});
    // Only the head: the body stays on the wire.
    bool read_head(Request& request, ReadOptions options = {});
    void read_body(Request& request, ReadOptions options = {});

    IoStatus send(std::string_view bytes, Duration limit = kLimit);
    // One byte every tick until the peer goes away.
    IoStatus drip(std::string_view bytes, Duration tick);
    IoStatus reply(const Reply& reply, std::string_view method = "GET");
    // Waits for the peer to close or reset; counted as an aborted connection.
    bool wait_for_close(Duration limit = kLimit);
    // Waits that long, or until the peer went away or the upstream stops (false).
    bool pause(Duration time);

    void half_close() { wire_.half_close(); }
    void reset();
    void close();
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] Wire& wire() { return wire_; }

  private:
    friend class FakeUpstream;
    FakeUpstream& upstream_;
    Wire wire_;
    int number_;
};

// A scripted HTTP/1.1 backend: a thread for the listener and one for each connection.
// Everything it saw is kept under a lock; every wait has a limit.
class FakeUpstream {
  public:
    using Handler = std::function<Reply(const Request&)>;
    using Script = std::function<void(UpstreamConnection&)>;

    struct Options {
        std::uint16_t port = 0;        // 0 = a free one
        std::filesystem::path socket;  // a unix socket instead of a port
        std::string host = "127.0.0.1";
        std::size_t keep_body = 4U << 20U;
        int receive_buffer = 0;
    };

    // Answers "ok" to everything.
    FakeUpstream();
    explicit FakeUpstream(Handler handler) : FakeUpstream(std::move(handler), Options{}) {}
    FakeUpstream(Handler handler, Options options);
    ~FakeUpstream();
    FakeUpstream(const FakeUpstream&) = delete;
    FakeUpstream& operator=(const FakeUpstream&) = delete;

    static std::unique_ptr<FakeUpstream> scripted(Script script) {
        return scripted(std::move(script), Options{});
    }
    static std::unique_ptr<FakeUpstream> scripted(Script script, Options options);

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string address() const;

    // Requests whose body came to its end, in the order of completion.
    [[nodiscard]] std::vector<Request> requests() const;
    [[nodiscard]] Request request(std::size_t index) const;  // throws when there is none
    [[nodiscard]] Request last_request() const;
    [[nodiscard]] int request_count() const { return seen_.get().complete; }
    [[nodiscard]] int heads() const { return seen_.get().heads; }
    [[nodiscard]] int connections() const { return seen_.get().accepted; }
    [[nodiscard]] int open_connections() const { return seen_.get().open; }
    [[nodiscard]] int aborted() const { return seen_.get().aborted; }
    // Everything that came on any connection and was not a request, as text.
    [[nodiscard]] std::string garbage() const;

    [[nodiscard]] bool wait_for_requests(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_heads(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_connections(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_aborted(int count, Duration limit = kLimit);
    // Until at most `count` connections are open.
    [[nodiscard]] bool wait_for_open(int count, Duration limit = kLimit);

    // Closes every open connection (as a backend does that restarts), the listener stays.
    void drop_connections();
    // Closes the listener and all connections; the port refuses from now on.
    void stop();

  private:
    friend class UpstreamConnection;

    struct Seen {
        int accepted = 0;
        int open = 0;
        int heads = 0;
        int complete = 0;
        int aborted = 0;
    };

    FakeUpstream(Script script, Options options, bool scripted);
    void listen();
    void accept_loop();
    void run(UpstreamConnection& connection);
    void serve(UpstreamConnection& connection);
    void note_request(const Request& request);
    void note_garbage(std::string_view bytes);

    Handler handler_;
    Script script_;
    Options options_;
    std::uint16_t port_ = 0;
    int listen_fd_ = -1;
    std::atomic<bool> stopping_ = false;
    Watched<Seen> seen_;
    mutable std::mutex mutex_;
    std::vector<Request> requests_;
    std::string garbage_;
    std::list<UpstreamConnection> live_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace proxyd::test
