#pragma once

#include "support/protocol/dial.hpp"
#include "support/protocol/message.hpp"

#include <memory>

namespace proxyd::test::protocol {

// One request on its way and its answer, whatever the version. One thread.
class Sent {
  public:
    virtual ~Sent() = default;
    Sent() = default;
    Sent(const Sent&) = delete;
    Sent& operator=(const Sent&) = delete;

    // Further body bytes; Reset when the peer takes no more, Timeout when it does not yet.
    virtual IoStatus send(std::string_view bytes, Duration limit = kLimit) = 0;
    // The end of the body; in a tunnel the end of this direction.
    virtual void finish(const Headers& trailers = {}) = 0;
    // A 1xx or the final head, as they come; status 0 when none came.
    virtual Interim next_head(Duration limit = kLimit) = 0;
    virtual std::string read(Duration limit = kLimit, std::size_t most = 65'536) = 0;
    [[nodiscard]] virtual End end() const = 0;
    [[nodiscard]] virtual Headers trailers() const = 0;
    // The request is given up: the stream is reset, with HTTP/1.1 the connection is closed.
    virtual void cancel() = 0;
    // The client is gone, with all its requests.
    virtual void vanish() = 0;

    // Exactly `count` bytes, or fewer at the end.
    std::string read_exactly(std::size_t count, Duration limit = kLimit);
    // The final head; 1xx heads before it are kept.
    Answer read_head(Duration limit = kLimit);
    void read_rest(Answer& answer, Duration limit = kLimit, std::size_t keep = 16U << 20U);
    Answer answer(Duration limit = kLimit);
};

struct ClientOptions {
    std::uint16_t port = 0;
    bool tls = false;
    std::string name = "app.test";     // SNI
    int receive_buffer = 0;            // SO_RCVBUF
    std::uint32_t window = 1U << 20U;  // HTTP/2: of each stream
};

// A client of one version. HTTP/2 sends everything over one connection until that ends; HTTP/1.1
// keeps a connection for the next request and opens more when requests overlap.
class Client {
  public:
    virtual ~Client() = default;
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Sends the head and what the Ask holds of the body. `more`: further bytes follow by send().
    // Null when there is no connection to be had.
    virtual std::unique_ptr<Sent> open(const Ask& ask, bool more) = 0;
    std::unique_ptr<Sent> open(const Ask& ask) { return open(ask, false); }
    std::unique_ptr<Sent> stream(const Ask& ask) { return open(ask, true); }
    Answer ask(const Ask& ask, Duration limit = kLimit);
    Answer get(const std::string& path, const Headers& fields = {});
    // Connections opened so far.
    [[nodiscard]] virtual int connections() const = 0;
    // True when the peer told that it ends the connection: GOAWAY, or closed between requests.
    [[nodiscard]] virtual bool told_to_go(Duration limit = kLimit) = 0;
};

std::unique_ptr<Client> make_client(Version version, ClientOptions options);
std::unique_ptr<Client> make_h1_client(ClientOptions options);
std::unique_ptr<Client> make_h2_client(ClientOptions options);

}  // namespace proxyd::test::protocol
