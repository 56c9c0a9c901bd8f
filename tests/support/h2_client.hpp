#pragma once

#include "support/raw_client.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace proxyd::test {

namespace h2 {

// RFC 9113 6 and 7.
enum Type : std::uint8_t {
    kData = 0,
    kHeaders = 1,
    kPriority = 2,
    kRstStream = 3,
    kSettings = 4,
    kPushPromise = 5,
    kPing = 6,
    kGoaway = 7,
    kWindowUpdate = 8,
    kContinuation = 9,
};
enum Flag : std::uint8_t { kAck = 1, kEndStream = 1, kEndHeaders = 4, kPadded = 8 };
enum Code : std::uint32_t {
    kNoError = 0,
    kProtocolError = 1,
    kInternalError = 2,
    kFlowControlError = 3,
    kStreamClosed = 5,
    kFrameSizeError = 6,
    kRefusedStream = 7,
    kCancel = 8,
    kCompressionError = 9,
    kEnhanceYourCalm = 11,
};

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Frame {
    std::uint8_t type = 0;
    std::uint8_t flags = 0;
    std::uint32_t stream = 0;
    std::string payload;
};

std::string number(std::uint64_t value, int bytes);
std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload = {});
std::string setting(std::uint16_t id, std::uint32_t value);
// A block of literals without indexing: whatever the names and values are, they go out like that.
std::string literals(const Headers& fields);
// The usual four pseudo-fields, then `more`.
Headers request_fields(std::string_view method, std::string_view path, const Headers& more = {},
                       std::string_view authority = "app.test");

}  // namespace h2

// What came of one stream.
struct H2Response {
    int status = 0;
    Headers headers;
    std::vector<std::pair<int, Headers>> interim;
    std::string body;
    Headers trailers;
    bool ended = false;                  // END_STREAM came
    std::optional<std::uint32_t> reset;  // RST_STREAM came

    [[nodiscard]] bool complete() const { return ended && status >= 200; }
};

struct H2Options {
    std::uint32_t stream_window = 65'535;     // as SETTINGS_INITIAL_WINDOW_SIZE
    std::uint32_t connection_more = 1 << 24;  // on top of 65,535
    bool open_windows = true;                 // gives back what DATA took
    bool preface = true;                      // send preface and SETTINGS at once
    ClientOptions client = {};
};

// A blocking HTTP/2 client that sends the frames it is told to, whatever the rules say, and reads
// with a decoder that keeps them. Every wait is bounded. One thread.
class H2Client {
  public:
    explicit H2Client(std::uint16_t port, H2Options options = {});
    ~H2Client();
    H2Client(H2Client&&) noexcept;

    // Sends HEADERS (and DATA); returns the stream's number.
    std::uint32_t request(const Headers& fields, bool end = true);
    std::uint32_t get(std::string_view path, const Headers& more = {});
    // A POST whose body obeys the windows of the peer.
    std::uint32_t post(std::string_view path, std::string_view body, const Headers& more = {});
    void data(std::uint32_t stream, std::string_view bytes, bool end = false);
    // As much as windows allow, reading what opens them.
    bool upload(std::uint32_t stream, std::string_view bytes, bool end, Duration limit = kLimit);
    void send(std::string_view bytes) { client_.send(bytes); }
    IoStatus try_send(std::string_view bytes) { return client_.try_send(bytes); }
    void reset(std::uint32_t stream, std::uint32_t code = h2::kCancel);
    void window(std::uint32_t stream, std::uint32_t more);
    std::uint32_t next_stream() { return std::exchange(next_, next_ + 2); }

    // Reads and keeps account until the stream is over; the limit leaves it unfinished.
    H2Response response(std::uint32_t stream, Duration limit = kLimit);
    // Until its head is there, or it is over.
    H2Response head(std::uint32_t stream, Duration limit = kLimit);
    // Until at least so much of its body is there.
    H2Response body(std::uint32_t stream, std::size_t bytes, Duration limit = kLimit);
    // What is known so far.
    H2Response& state(std::uint32_t stream) { return streams_[stream]; }
    // One frame, accounted for; nothing at the end or at the limit.
    std::optional<h2::Frame> read_frame(Duration limit = kLimit);
    // The code of a GOAWAY that is not NO_ERROR, or of the last one before the connection ended.
    std::optional<std::uint32_t> goaway(Duration limit = kLimit);
    bool closed(Duration limit = kLimit);
    // PING and its answer: everything before was handled by the peer's codec.
    bool settle(Duration limit = kLimit);

    [[nodiscard]] std::uint32_t last_goaway_stream() const { return goaway_stream_; }
    [[nodiscard]] const std::map<std::uint16_t, std::uint32_t>& settings() const {
        return settings_;
    }
    [[nodiscard]] std::size_t received(std::uint8_t type) const;
    [[nodiscard]] RawClient& raw() { return client_; }

  private:
    struct Inflater;

    template <class Done>
    bool read_until(Duration limit, Done done);
    void account(const h2::Frame& frame);
    void take_settings(const h2::Frame& frame);
    void take_headers(const h2::Frame& frame);
    void take_data(const h2::Frame& frame);

    H2Options options_;
    RawClient client_;
    std::unique_ptr<Inflater> inflater_;
    std::map<std::uint32_t, H2Response> streams_;
    std::map<std::uint32_t, std::int64_t> sent_;  // DATA by us; 0 = the connection
    std::map<std::uint32_t, std::int64_t> opened_;
    std::map<std::uint16_t, std::uint32_t> settings_;
    std::map<std::uint8_t, std::size_t> received_;
    std::string block_;
    std::uint32_t next_ = 1;
    std::optional<std::uint32_t> goaway_;
    std::uint32_t goaway_stream_ = 0;
    std::size_t pongs_ = 0;
    bool block_ends_stream_ = false;
};

}  // namespace proxyd::test
