#pragma once

#include "support/gate.hpp"
#include "support/protocol/message.hpp"

#include <nghttp2/nghttp2.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace proxyd::test::protocol {

class H2Session;

// One stream of a session, at either end. Every wait has a limit. Any one thread at a time.
class H2Stream {
  public:
    H2Stream(H2Session& session, std::int32_t id) : session_(session), id_(id) {}

    // The next head with its pseudo fields, 1xx one by one; false at the end or the limit.
    bool next_head(Headers& head, Duration limit = kLimit);
    // Body bytes; empty at the end or the limit. What is taken opens the window again.
    std::string read(Duration limit, std::size_t most);
    [[nodiscard]] End end() const;
    [[nodiscard]] Headers trailers() const;
    [[nodiscard]] std::uint32_t error() const;

    void send_interim(const Headers& head);
    void send_head(const Headers& head, bool last);
    // Waits until the session has taken the bytes over: the peer's window holds them up.
    IoStatus send(std::string_view bytes, Duration limit = kLimit);
    // Until the kernel has everything that was sent so far.
    [[nodiscard]] bool flushed(Duration limit = kLimit);
    void finish(const Headers& trailers = {});
    void reset(std::uint32_t code);
    // Until the peer reset the stream or the connection is lost.
    [[nodiscard]] bool wait_for_reset(Duration limit);
    // Until END_STREAM or the loss of the stream.
    [[nodiscard]] bool wait_for_end(Duration limit);

  private:
    friend class H2Session;
    H2Session& session_;
    std::int32_t id_;
    std::deque<Headers> heads_;
    Headers block_;  // being received
    std::string in_;
    Headers trailers_;
    bool ended_ = false;  // END_STREAM came
    bool closed_ = false;
    std::uint32_t error_ = 0;
    std::string out_;
    bool out_ended_ = false;
    Headers out_trailers_;
};

struct H2SessionOptions {
    bool server = false;
    std::uint32_t window = 1U << 20U;  // of each stream
    std::uint32_t max_streams = 256;
    bool extended_connect = false;  // a server that takes RFC 8441
};

// One HTTP/2 connection, at either end: nghttp2 over a socket with a thread that reads and writes.
// What the peer does wrong ends the session with nghttp2's own error.
class H2Session {
  public:
    using Opened = std::function<void(const std::shared_ptr<H2Stream>&)>;

    H2Session(Wire wire, H2SessionOptions options, Opened opened = {});
    ~H2Session();
    H2Session(const H2Session&) = delete;
    H2Session& operator=(const H2Session&) = delete;

    // Client: a new stream with this head, or null when the session takes no more.
    std::shared_ptr<H2Stream> open(const Headers& head, bool last);
    // The peer's SETTINGS are here.
    [[nodiscard]] bool wait_for_settings(Duration limit = kLimit);
    [[nodiscard]] std::uint32_t peer_setting(nghttp2_settings_id id);
    [[nodiscard]] bool lost() const;
    [[nodiscard]] bool goaway() const;
    [[nodiscard]] bool wait_for_loss(Duration limit = kLimit);
    // Cuts the connection, with RST when asked.
    void cut(bool with_reset = false);
    // Says GOAWAY; streams that are open go on.
    void say_goaway();
    // Streams that are not closed yet.
    [[nodiscard]] std::size_t open_streams() const;

  private:
    friend class H2Stream;
    struct Callbacks;

    void run();
    bool flush();
    void feed(std::string_view bytes);
    void lose();
    void wake() const;
    template <typename Condition>
    bool wait(std::unique_lock<std::mutex>& lock, Duration limit, Condition condition);
    H2Stream* find(std::int32_t id);

    Wire wire_;
    const H2SessionOptions options_;
    Opened opened_;
    nghttp2_session* session_ = nullptr;
    int event_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::int32_t, std::shared_ptr<H2Stream>> streams_;
    std::vector<std::shared_ptr<H2Stream>> fresh_;  // whose head just came
    std::string out_;
    bool stopping_ = false;
    bool cut_ = false;
    bool reset_ = false;
    bool lost_ = false;
    bool goaway_ = false;
    bool settings_ = false;
    std::thread thread_;
};

}  // namespace proxyd::test::protocol
