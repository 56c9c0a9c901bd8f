#pragma once

#include "support/certificates.hpp"
#include "support/gate.hpp"
#include "support/headers.hpp"
#include "support/wire.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace proxyd::test {

// One request as an HTTP/2 backend got it.
struct H2Request {
    std::string method, path, authority, scheme, protocol;
    Headers headers;  // without the pseudo fields
    std::string body;
    Headers trailers;
    int connection = 0;  // from 1
    std::int32_t stream = 0;
    bool complete = false;
};

// What a handler answers.
struct H2Reply {
    int status = 200;
    Headers headers;
    std::string body;
    Headers trailers;
    std::vector<int> interim;              // 1xx heads before the final one
    bool head_ends = false;                // END_STREAM with the head: no body, no trailers
    std::optional<std::uint32_t> reset;    // RST_STREAM instead of the end of the answer
    bool no_answer = false;                // nothing at all (or `reset` alone)
    bool echo = false;                     // answers the body as it comes
    std::function<bool()> when;            // answered once it is true
};

H2Reply h2_text(std::string body, int status = 200);
// `when` for a reply that waits for a gate.
std::function<bool()> opened(Gate& gate);

struct H2UpstreamOptions {
    std::uint16_t port = 0;
    std::optional<Pair> pair;     // TLS
    std::string alpn = "h2";      // what it chooses, "" = nothing
    std::optional<std::uint32_t> max_streams, window, max_frame, header_table;
    bool extended_connect = false;
    bool at_head = false;         // the handler is asked when the head is there, not at the end
    bool silent = false;          // never reads and never answers
    std::size_t keep_body = 4U << 20U;
};

// A scripted HTTP/2 backend with nghttp2's server session: a thread for the listener and one for
// each connection. What it saw is kept under a lock; every wait has a limit.
class H2Upstream {
  public:
    using Handler = std::function<H2Reply(const H2Request&)>;

    H2Upstream() : H2Upstream([](const H2Request&) { return h2_text("ok"); }) {}
    explicit H2Upstream(Handler handler, H2UpstreamOptions options = {});
    ~H2Upstream();
    H2Upstream(const H2Upstream&) = delete;
    H2Upstream& operator=(const H2Upstream&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    // Those that came to their end, in that order.
    [[nodiscard]] std::vector<H2Request> requests() const;
    [[nodiscard]] H2Request last_request() const;  // throws when there is none
    [[nodiscard]] int request_count() const { return seen_.get().complete; }
    [[nodiscard]] int connections() const { return seen_.get().accepted; }
    [[nodiscard]] int open_connections() const { return seen_.get().open; }
    [[nodiscard]] int heads() const { return seen_.get().heads; }
    // Streams that the peer reset, connections that it ended with GOAWAY, and the most streams
    // that were open at one time on any connection.
    [[nodiscard]] int resets() const { return seen_.get().resets; }
    [[nodiscard]] int goaways() const { return seen_.get().goaways; }
    [[nodiscard]] int most_streams() const { return seen_.get().most; }
    [[nodiscard]] int pings() const { return seen_.get().pings; }

    [[nodiscard]] bool wait_for_requests(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_heads(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_resets(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_goaways(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_open(int count, Duration limit = kLimit);

    // Every connection that is open now: no new streams (those in flight finish), as a backend
    // does that restarts. `graceful`: with the notice first (RFC 9113 6.8).
    void go_away(bool graceful = false);
    // Closes every open connection, the listener stays.
    void drop_connections();
    void stop();

  private:
    struct Connection;
    struct Seen {
        int accepted = 0, open = 0, heads = 0, complete = 0, resets = 0, goaways = 0, most = 0;
        int pings = 0;
    };

    void accept_loop();
    void leave(int fd) const;
    void run(int fd, int number);
    void note(const H2Request& request);

    Handler handler_;
    H2UpstreamOptions options_;
    void* context_ = nullptr;
    std::uint16_t port_ = 0;
    int listen_fd_ = -1;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> go_away_turn_ = 0;
    std::atomic<bool> graceful_ = false;
    Watched<Seen> seen_;
    mutable std::mutex mutex_;
    std::vector<H2Request> requests_;
    std::vector<int> fds_;
    std::list<std::thread> threads_;
    std::thread acceptor_;
};

// Frames by hand, for backends that break the rules (FakeUpstream::scripted).
namespace h2raw {
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum Type : std::uint8_t {
    kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoaway, kWindow, kContinuation
};
inline constexpr std::uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;

std::string frame(Type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload);
std::string number(std::uint32_t value);  // four bytes
// A field that is not indexed and not Huffman-coded.
std::string field(std::string_view name, std::string_view value);
// HEADERS with ":status: 200" and `more`.
std::string answer(std::uint32_t stream, std::uint8_t flags = kEndHeaders, std::string more = {});

struct Frame {
    std::uint8_t type = 0, flags = 0;
    std::uint32_t stream = 0;
    std::string payload;
};
// The preface, and our SETTINGS in return; false when it is not HTTP/2.
bool greet(Wire& wire, std::string_view settings = {});
// The next frame; nullopt at the end or limit.
std::optional<Frame> read(Wire& wire, Duration limit = kLimit);
// Skips to the next HEADERS; its stream, 0 at the end.
std::uint32_t next_request(Wire& wire, Duration limit = kLimit);
// Skips to the next frame of that type.
std::optional<Frame> next(Wire& wire, Type type, Duration limit = kLimit);
}  // namespace h2raw

}  // namespace proxyd::test
