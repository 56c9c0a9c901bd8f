#pragma once

#include "support/http_reader.hpp"
#include "support/wire.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace proxyd::test {

struct ClientOptions {
    std::string source;       // loopback address to connect from, like 127.0.0.7
    int receive_buffer = 0;   // SO_RCVBUF, 0 = the system's
    Duration limit = kLimit;  // for each operation
};

// What was read until the connection ended (or the limit came), and how it ended.
struct Remainder {
    std::string text;
    IoStatus end = IoStatus::Timeout;

    [[nodiscard]] bool closed() const { return end == IoStatus::Eof || end == IoStatus::Reset; }
};

// A blocking client that sends exactly the bytes it is given. Throws std::runtime_error when it
// cannot connect or send within its limit. One thread.
class RawClient {
  public:
    explicit RawClient(std::uint16_t port, ClientOptions options = {});
    explicit RawClient(const std::filesystem::path& socket, ClientOptions options = {});

    void send(std::string_view bytes);
    // Sends as much as the limit allows; the peer may refuse to take it.
    IoStatus try_send(std::string_view bytes, Duration limit = kLimit);

    Response read_response(std::string_view method = "GET", ReadOptions options = {});
    // Only the head (1xx heads come one by one too).
    Response read_head(ReadOptions options = {});
    void read_body(Response& response, std::string_view method = "GET", ReadOptions options = {});

    // A GET for `path` on this connection, with further field lines ("A: b\r\n").
    Response get(std::string_view path, std::string_view fields = {},
                 std::string_view host = "app.test");
    // Any bytes, then one answer.
    Response exchange(std::string_view bytes, std::string_view method = "GET");

    // At least one byte, or an empty text at the end or at the limit.
    std::string read_some(Duration limit = kLimit, std::size_t most = 65'536);
    // Exactly `count` bytes, or fewer when the connection ended.
    std::string read_exactly(std::size_t count);
    Remainder read_until_close(Duration limit = kLimit);
    // True when the peer ended the connection without sending another byte.
    [[nodiscard]] bool closed_by_peer(Duration limit = kLimit);
    // True when nothing at all came for that long.
    [[nodiscard]] bool silent_for(Duration time);

    void half_close() { wire_.half_close(); }
    void reset() { wire_.reset(); }
    void close() { wire_.close(); }
    [[nodiscard]] Wire& wire() { return wire_; }
    [[nodiscard]] std::uint16_t local_port() const;

  private:
    ClientOptions options_;
    Wire wire_;
};

// "GET <path> HTTP/1.1" with Host and further field lines.
std::string get_request(std::string_view path, std::string_view fields = {},
                        std::string_view host = "app.test");
// A request with a Content-Length body.
std::string body_request(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view fields = {}, std::string_view host = "app.test");
// `body` in chunks of `size` bytes with the last chunk and trailer lines.
std::string chunked(std::string_view body, std::size_t size = 4096, std::string_view trailers = {});

// One GET on a connection of its own.
Response get_once(std::uint16_t port, std::string_view path, std::string_view fields = {},
                  std::string_view host = "app.test");

}  // namespace proxyd::test
