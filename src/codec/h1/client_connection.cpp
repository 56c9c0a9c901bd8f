#include "client_connection.hpp"

#include <boost/asio/error.hpp>

#include "proxyd/base/pool.hpp"
#include "tunnel.hpp"
#include "writer.hpp"

namespace proxyd::codec::h1 {
namespace {

using http::Framing;
using std::chrono::milliseconds;

/// Head and small body of a usual answer in one read.
constexpr std::size_t kBlock = 16 * 1024;

}  // namespace

class ClientConnection::Stream final : public http::ClientStream,
                                       private http::BodySource,
                                       public Pooled {
  public:
    Stream(ClientConnection& connection, const ClientLimits& limits)
        : connection_(connection),
          channel_(connection.channel_),
          limits_(limits),
          parser_(Parser::Kind::response),
          reader_(connection.channel_, parser_, Source::upstream) {}

    ~Stream() override {
        reader_.release();
        channel_.unpin();
        const bool complete = sent_all_ && head_.status >= 200 && reader_.done();
        connection_.stream_ended(complete && keepalive_);
    }

    void set_timeouts(http::ClientTimeouts timeouts) noexcept override {
        timeouts_ = timeouts;
        channel_.set_send_limit(timeouts.send, Reason::upstream_timeout_send);
    }

    Task<Result<void>> send_head(const http::RequestHead& head,
                                 http::SendOptions options) override {
        head_request_ = head.method == http::Method::head;
        upgrade_asked_ = !head.upgrade.empty();
        framing_ = head.framing;
        write_request_head(channel_.out(), head);
        sent_all_ = options.end;
        if (options.end || options.flush) return flushed({}, {});
        return Task<Result<void>>(Result<void>{});
    }

    Task<Result<void>> send(std::string_view data, http::SendOptions options) override {
        sent_all_ = options.end;
        if (framing_ != Framing::chunked) return flushed(data, {});
        if (!data.empty()) write_chunk_size(channel_.out(), data.size());
        if (!options.end) return flushed(data, data.empty() ? std::string_view{} : kCrlf);
        tail_.assign(data.empty() ? "" : kCrlf);
        write_last_chunk(tail_, options.trailers);
        return flushed(data, tail_);
    }

    Task<Result<http::ResponseHead*>> read_head() override {
        if (head_.status >= 100) restart_head();
        while (true) {
            const std::string_view data = channel_.unread();
            const auto scanned = scanner_.scan({channel_.unread_data(), data.size()}, true);
            if (scanned == HeadScanner::Result::bad) co_return bad("the head is not valid");
            if (scanned == HeadScanner::Result::complete) co_return parse();
            if (data.size() >= limits_.max_header_size) {
                co_return Error(Reason::upstream_header_too_large, Source::upstream);
            }
            if (channel_.input_ended()) co_return ended_early();
            if (data.size() >= channel_.block_size()) channel_.want(limits_.max_header_size);
            const milliseconds left = time_left(!data.empty());
            if (left.count() < 0) co_return too_late();
            const Channel::Fill filled = co_await channel_.fill(left, !data.empty());
            if (filled == Channel::Fill::closed) co_return channel_.failure();
            if (filled == Channel::Fill::late) co_return too_late();
        }
    }

    http::BodySource& body() noexcept override { return *this; }

    std::unique_ptr<http::Tunnel> upgrade() override {
        keepalive_ = false;  // the head stays pinned: it is passed on after this
        channel_.set_send_limit(milliseconds{0}, Reason::upstream_timeout_send);
        return std::make_unique<ChannelTunnel>(channel_, Source::upstream);
    }

    void reset(const Error& why) noexcept override {
        keepalive_ = false;
        channel_.fail(why);
    }

    [[nodiscard]] bool reused() const noexcept override { return connection_.exchanges_ > 1; }

  private:
    static constexpr std::string_view kCrlf = "\r\n";

    Task<Result<void>> flushed(std::string_view data, std::string_view tail) {
        if (!channel_.flush(data, tail)) return Task<Result<void>>(channel_.failure());
        if (!channel_.blocked()) return Task<Result<void>>(Result<void>{});
        return wait_sent();
    }
    Task<Result<void>> wait_sent() {
        const bool sent = co_await channel_.drained(0);
        if (!sent) co_return channel_.failure();
        co_return Result<void>{};
    }

    /// timeouts.read is the time until a head begins, and then that of the whole head: one that
    /// comes byte by byte ends too. Negative: it is over.
    milliseconds time_left(bool inside) noexcept {
        if (!inside || timeouts_.read.count() == 0) return timeouts_.read;
        const async::Milliseconds now = async::coarse_clock().now();
        if (head_began_ == 0) head_began_ = now;
        const milliseconds left = timeouts_.read - milliseconds(now - head_began_);
        return left.count() == 0 ? milliseconds(-1) : left;
    }

    static Error too_late() {
        return Error(Reason::upstream_timeout_read, Source::upstream, Retry::no,
                     "no answer within timeouts.read");
    }

    Error bad(std::string detail) const {
        return Error(Reason::upstream_bad_response, Source::upstream, Retry::no, std::move(detail));
    }

    Error ended_early() const {
        if (!channel_.unread().empty() || head_seen_) {
            return Error(Reason::upstream_closed, Source::upstream, Retry::no,
                         "the connection ended inside the head");
        }
        return connection_error(channel_.input_error(), Source::upstream);
    }

    void restart_head() {
        head_began_ = 0;
        channel_.unpin();
        head_ = http::ResponseHead{};
        scanner_.restart();
        parser_.restart();
    }

    Result<http::ResponseHead*> parse() {
        head_seen_ = true;
        const std::size_t size = scanner_.head_size();
        if (size > limits_.max_header_size) {
            return Error(Reason::upstream_header_too_large, Source::upstream);
        }
        const std::string_view text = channel_.unread().substr(0, size);
        if (auto parsed = parser_.parse_response(text, limits_.max_headers, head_); !parsed) {
            return std::move(parsed).error();
        }
        channel_.consume(size);
        channel_.pin();
        if (head_.status < 200) return informational();
        auto framing = response_framing(head_, head_request_);
        if (!framing) return std::move(framing).error();
        head_.framing = framing->framing;
        head_.content_length = framing->length;
        reader_.start(framing->framing, framing->length);
        keepalive_ = keepalive_ && framing->framing != Framing::until_close &&
                     wants_keepalive(head_.fields, head_.version);
        return &head_;
    }

    Result<http::ResponseHead*> informational() {
        if (head_.status == 101) {
            if (!upgrade_asked_) return bad("101 without a request for an upgrade");
            keepalive_ = false;
            return &head_;
        }
        if (head_.version != http::Version::http11) return bad("1xx in HTTP/1.0");
        if (++informational_ > limits_.max_informational) return bad("too many 1xx answers");
        return &head_;
    }

    // BodySource
    Task<Result<http::BodyPart>> read(std::size_t max) override {
        return reader_.read(max, timeouts_.read);
    }
    [[nodiscard]] bool ready() const noexcept override { return reader_.ready(); }
    void stop(http::StopReason) noexcept override { keepalive_ = false; }

    ClientConnection& connection_;
    Channel& channel_;
    const ClientLimits limits_;
    Parser parser_;
    BodyReader reader_;
    HeadScanner scanner_;
    http::ResponseHead head_;
    http::ClientTimeouts timeouts_;
    std::string tail_;
    async::Milliseconds head_began_ = 0;  ///< set once part of a head is here
    Framing framing_ = Framing::none;
    unsigned informational_ = 0;
    bool head_request_ = false;
    bool upgrade_asked_ = false;
    bool head_seen_ = false;
    bool sent_all_ = false;
    bool keepalive_ = true;
};

ClientConnection::ClientConnection(async::Loop& loop, net::TransportPtr transport,
                                   ClientObserver& observer)
    : channel_(loop, std::move(transport), *this, Source::upstream, kBlock), observer_(observer) {}

ClientConnection::~ClientConnection() = default;

std::unique_ptr<http::ClientStream> ClientConnection::open(const ClientLimits& limits) {
    channel_.watch(milliseconds{0});
    ++exchanges_;
    auto stream = std::make_unique<Stream>(*this, limits);
    stream_ = stream.get();
    return stream;
}

void ClientConnection::set_idle_limit(milliseconds limit) {
    idle_limit_ = limit;
}

bool ClientConnection::quiet() const noexcept {
    return channel_.transport().quiet();
}

/// The last action of the stream's destructor: may destroy the connection.
void ClientConnection::stream_ended(bool reusable) {
    stream_ = nullptr;
    // A read that was full may have left bytes in the kernel, and no event will tell of them.
    const bool clean = channel_.unread().empty() && !channel_.input_ended() && !channel_.failed() &&
                       channel_.queued() == 0 && (!channel_.more_likely() || quiet());
    if (!reusable || !clean) return observer_.on_closed(*this);
    channel_.arm();
    channel_.watch(idle_limit_);
    observer_.on_idle(*this);
}

void ClientConnection::on_unexpected_input() {
    // Bytes while idle answer nothing that was asked: they must reach nobody.
    if (stream_ == nullptr) observer_.on_closed(*this);
}

void ClientConnection::on_input_end() {
    if (stream_ == nullptr) observer_.on_closed(*this);
}

void ClientConnection::on_timer() {
    if (stream_ == nullptr) observer_.on_closed(*this);
}

}  // namespace proxyd::codec::h1

namespace proxyd::codec {

std::unique_ptr<ClientCodec> make_h1_client(async::Loop& loop, net::TransportPtr transport,
                                            ClientObserver& observer) {
    return std::make_unique<h1::ClientConnection>(loop, std::move(transport), observer);
}

}  // namespace proxyd::codec
