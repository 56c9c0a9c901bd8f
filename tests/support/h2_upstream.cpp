#include "support/h2_upstream.hpp"

#include "support/ports.hpp"
#include "support/tls_front.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <map>
#include <stdexcept>

namespace proxyd::test {
namespace {

constexpr int kTick = 2;  // ms, between two looks at replies that wait

int choose(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
           unsigned offered_size, void* data) {
    const auto& wanted = *static_cast<const std::string*>(data);
    for (unsigned at = 0; at < offered_size; at += offered[at] + 1U) {
        const std::string_view each(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
        if (each != wanted) continue;
        *out = offered + at + 1;
        *size = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

nghttp2_nv pair_of(const std::string& name, const std::string& value) {
    return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
            reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
            value.size(), NGHTTP2_NV_FLAG_NONE};
}

std::vector<nghttp2_nv> pairs_of(const Headers::Field& status, const Headers& fields) {
    std::vector<nghttp2_nv> pairs;
    if (!status.first.empty()) pairs.push_back(pair_of(status.first, status.second));
    for (const auto& [name, value] : fields.fields()) pairs.push_back(pair_of(name, value));
    return pairs;
}

}  // namespace

H2Reply h2_text(std::string body, int status) {
    H2Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    return reply;
}

std::function<bool()> opened(Gate& gate) {
    return [&gate] { return gate.wait(Duration(0)); };
}

struct H2Upstream::Connection {
    struct Stream {
        H2Request request;
        H2Reply reply;
        bool asked = false, waiting = false, answered = false, in_trailers = false;
        std::string out;
        std::size_t sent = 0;
        bool ended = false, deferred = false;
    };

    Connection(H2Upstream& its_owner, int its_fd, int its_number)
        : owner(its_owner), fd(its_fd), number(its_number) {}
    ~Connection() {
        if (session != nullptr) nghttp2_session_del(session);
        if (ssl != nullptr) SSL_free(ssl);
    }

    void open() {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, &on_header);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &on_begin);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &on_frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &on_close);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &on_sent);
        nghttp2_session_server_new(&session, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        std::vector<nghttp2_settings_entry> settings;
        const auto set = [&](std::int32_t id, const std::optional<std::uint32_t>& value) {
            if (value) settings.push_back({id, *value});
        };
        set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, owner.options_.max_streams);
        set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, owner.options_.window);
        set(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, owner.options_.max_frame);
        set(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, owner.options_.header_table);
        if (owner.options_.extended_connect) {
            settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
        }
        nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    }

    static Connection& self(void* data) { return *static_cast<Connection*>(data); }

    static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* data) {
        Connection& me = self(data);
        Stream& stream = me.streams[frame->hd.stream_id];
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) stream.in_trailers = true;
        stream.request.connection = me.number;
        stream.request.stream = frame->hd.stream_id;
        const int open = static_cast<int>(me.streams.size());
        me.owner.seen_.change([&](Seen& seen) { seen.most = std::max(seen.most, open); });
        return 0;
    }

    static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                         std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                         std::uint8_t, void* data) {
        const std::string key(reinterpret_cast<const char*>(name), name_size);
        const std::string text(reinterpret_cast<const char*>(value), value_size);
        Stream& stream = self(data).streams[frame->hd.stream_id];
        H2Request& request = stream.request;
        if (key == ":method") {
            request.method = text;
        } else if (key == ":path") {
            request.path = text;
        } else if (key == ":authority") {
            request.authority = text;
        } else if (key == ":scheme") {
            request.scheme = text;
        } else if (key == ":protocol") {
            request.protocol = text;
        } else {
            (stream.in_trailers ? request.trailers : request.headers).add(key, text);
        }
        return 0;
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                       std::size_t size, void* data) {
        Connection& me = self(data);
        Stream& stream = me.streams[id];
        const std::string_view text(reinterpret_cast<const char*>(bytes), size);
        if (stream.request.body.size() < me.owner.options_.keep_body) stream.request.body += text;
        if (stream.reply.echo) {
            stream.out += text;
            me.resume(id, stream);
        }
        return 0;
    }

    static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* data) {
        Connection& me = self(data);
        const auto type = frame->hd.type;
        if (type == NGHTTP2_RST_STREAM) me.owner.seen_.change([](Seen& seen) { ++seen.resets; });
        if (type == NGHTTP2_GOAWAY) me.owner.seen_.change([](Seen& seen) { ++seen.goaways; });
        if (type == NGHTTP2_PING) me.owner.seen_.change([](Seen& seen) { ++seen.pings; });
        if (type != NGHTTP2_HEADERS && type != NGHTTP2_DATA) return 0;
        const auto found = me.streams.find(frame->hd.stream_id);
        if (found == me.streams.end()) return 0;
        Stream& stream = found->second;
        const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (type == NGHTTP2_HEADERS && !stream.in_trailers) {
            me.owner.seen_.change([](Seen& seen) { ++seen.heads; });
            if (me.owner.options_.at_head) me.ask(stream);
        }
        if (!ends) return 0;
        stream.request.complete = true;
        me.owner.note(stream.request);
        if (!stream.asked) me.ask(stream);
        if (stream.reply.echo) {
            stream.ended = true;
            me.resume(frame->hd.stream_id, stream);
        }
        return 0;
    }

    // The rest of a request is of no use once its answer is complete (RFC 9113 8.1).
    static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
        const auto found = self(data).streams.find(frame->hd.stream_id);
        if (found == self(data).streams.end() || found->second.request.complete) return 0;
        if (found->second.reply.reset == 0U) {
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, 0);
        }
        return 0;
    }

    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* data) {
        self(data).streams.erase(id);
        return 0;
    }

    void resume(std::int32_t id, Stream& stream) {
        if (std::exchange(stream.deferred, false)) nghttp2_session_resume_data(session, id);
    }

    void ask(Stream& stream) {
        stream.asked = true;
        stream.reply = owner.handler_(stream.request);
        stream.waiting = true;
    }

    static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into,
                             std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                             void*) {
        Stream& stream = *static_cast<Stream*>(source->ptr);
        const std::size_t left = stream.out.size() - stream.sent;
        if (left == 0 && !stream.ended) {
            stream.deferred = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        const std::size_t bytes = std::min(left, size);
        std::memcpy(into, stream.out.data() + stream.sent, bytes);
        stream.sent += bytes;
        if (stream.sent != stream.out.size() || !stream.ended) {
            return static_cast<ssize_t>(bytes);
        }
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream.reply.reset.value_or(0) != 0) {
            *flags = NGHTTP2_DATA_FLAG_NONE;
            if (bytes == 0) {
                nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, *stream.reply.reset);
                return NGHTTP2_ERR_DEFERRED;
            }
        } else if (!stream.reply.trailers.empty()) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            const auto pairs = pairs_of({}, stream.reply.trailers);
            nghttp2_submit_trailer(session, id, pairs.data(), pairs.size());
        }
        return static_cast<ssize_t>(bytes);
    }

    void answer(std::int32_t id, Stream& stream) {
        stream.answered = true;
        const H2Reply& reply = stream.reply;
        for (const int status : reply.interim) {
            const Headers::Field field(":status", std::to_string(status));
            const auto pairs = pairs_of(field, {});
            nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, id, nullptr, pairs.data(),
                                   pairs.size(), nullptr);
        }
        if (reply.no_answer) {
            if (reply.reset) nghttp2_submit_rst_stream(session, 0, id, *reply.reset);
            return;
        }
        if (!reply.echo) {
            stream.out = reply.body;
            stream.ended = true;
        }
        const Headers::Field field(":status", std::to_string(reply.status));
        const auto pairs = pairs_of(field, reply.headers);
        nghttp2_data_provider body{};
        body.source.ptr = &stream;
        body.read_callback = &read_body;
        nghttp2_submit_response(session, id, pairs.data(), pairs.size(),
                                reply.head_ends ? nullptr : &body);
    }

    bool waiting = false;
    void answer_all() {
        waiting = false;
        std::vector<std::int32_t> ids;
        for (auto& [id, stream] : streams) {
            if (!stream.waiting || stream.answered) continue;
            if (stream.reply.when && !stream.reply.when()) {
                waiting = true;
                continue;
            }
            ids.push_back(id);
        }
        for (const auto id : ids) answer(id, streams.at(id));
    }

    bool handshake() {
        if (!owner.options_.pair) return true;
        ssl = SSL_new(static_cast<SSL_CTX*>(owner.context_));
        SSL_set_fd(ssl, fd);
        return SSL_accept(ssl) == 1;
    }

    // Bytes, 0 = nothing now, -1 = the end.
    ssize_t receive(std::uint8_t* into, std::size_t room) {
        if (ssl == nullptr) {
            const auto got = ::recv(fd, into, room, MSG_DONTWAIT);
            if (got > 0) return got;
            return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
        }
        const int got = SSL_read(ssl, into, static_cast<int>(room));
        if (got > 0) return got;
        return SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ ? 0 : -1;
    }

    // Frames leave together: an answer is cut where a test says so, not between head and body.
    bool gather() {
        while (pending.size() < 64U * 1024U) {
            const std::uint8_t* bytes = nullptr;
            const auto size = nghttp2_session_mem_send(session, &bytes);
            if (size <= 0) return size == 0;
            pending.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        }
        return true;
    }

    bool send_some() {
        while (true) {
            if (!gather()) return false;
            if (pending.empty()) return true;
            ssize_t sent = 0;
            if (ssl != nullptr) {
                sent = SSL_write(ssl, pending.data(), static_cast<int>(pending.size()));
                if (sent <= 0) {
                    return SSL_get_error(ssl, static_cast<int>(sent)) == SSL_ERROR_WANT_WRITE;
                }
            } else {
                sent = ::send(fd, pending.data(), pending.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
                if (sent < 0) return errno == EAGAIN || errno == EINTR;
            }
            pending.erase(0, static_cast<std::size_t>(sent));
        }
    }

    void obey() {
        const int turn = owner.go_away_turn_;
        if (turn == seen_turn) return;
        seen_turn = turn;
        if (owner.graceful_) nghttp2_submit_shutdown_notice(session);
        nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                              nullptr, 0);
    }

    void serve() {
        seen_turn = owner.go_away_turn_;
        if (!handshake()) return;
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        if (ssl != nullptr) SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        open();
        std::uint8_t bytes[16'384];
        while (!owner.stopping_) {
            obey();
            answer_all();
            if (!send_some()) return;
            if (!nghttp2_session_want_read(session) && !nghttp2_session_want_write(session)) return;
            const bool buffered = ssl != nullptr && SSL_pending(ssl) > 0;
            const short events = pending.empty() ? POLLIN : POLLIN | POLLOUT;
            pollfd entry{fd, events, 0};
            if (!buffered) ::poll(&entry, 1, waiting ? kTick : 20);
            if (owner.options_.silent) {
                if ((entry.revents & (POLLERR | POLLHUP)) != 0) return;
                continue;
            }
            while (true) {
                const auto got = receive(bytes, sizeof bytes);
                if (got < 0) return;
                if (got == 0) break;
                if (nghttp2_session_mem_recv(session, bytes, static_cast<std::size_t>(got)) < 0) {
                    return;
                }
            }
        }
    }

    H2Upstream& owner;
    const int fd;
    const int number;
    int seen_turn = 0;
    nghttp2_session* session = nullptr;
    SSL* ssl = nullptr;
    std::string pending;
    std::map<std::int32_t, Stream> streams;
};

H2Upstream::H2Upstream(Handler handler, H2UpstreamOptions options)
    : handler_(std::move(handler)), options_(std::move(options)) {
    ::signal(SIGPIPE, SIG_IGN);
    if (options_.pair) {
        SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
        use_pair(context, *options_.pair);
        SSL_CTX_set_alpn_select_cb(context, &choose, &options_.alpn);
        SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("h"), 1);
        context_ = context;
    }
    port_ = options_.port != 0 ? options_.port : claim_port();
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listen_fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listen_fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("h2 upstream: bind: " + std::string(std::strerror(errno)));
    }
    ::listen(listen_fd_, 1024);
    acceptor_ = std::thread([this] { accept_loop(); });
}

H2Upstream::~H2Upstream() {
    stop();
    SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

void H2Upstream::stop() {
    if (stopping_.exchange(true)) return;
    ::shutdown(listen_fd_, SHUT_RDWR);
    acceptor_.join();
    ::close(listen_fd_);
    drop_connections();
    for (auto& thread : threads_) thread.join();
}

void H2Upstream::accept_loop() {
    int number = 0;
    while (!stopping_) {
        const int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const timeval limit{20, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        seen_.change([](Seen& seen) {
            ++seen.accepted;
            ++seen.open;
        });
        const std::lock_guard lock(mutex_);
        fds_.push_back(fd);
        threads_.emplace_back([this, fd, turn = ++number] { run(fd, turn); });
    }
}

// As servers do: what was said last is not lost to a reset for what came after it.
void H2Upstream::leave(int fd) const {
    ::shutdown(fd, SHUT_WR);
    char bytes[4096];
    for (int turn = 0; turn < 100 && !stopping_; ++turn) {
        pollfd entry{fd, POLLIN, 0};
        if (::poll(&entry, 1, 10) == 1 && ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) <= 0) return;
    }
}

void H2Upstream::run(int fd, int number) {
    {
        Connection connection(*this, fd, number);
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connection.serve();
    }
    leave(fd);
    {
        const std::lock_guard lock(mutex_);
        std::erase(fds_, fd);
        ::close(fd);
    }
    seen_.change([](Seen& seen) { --seen.open; });
}

void H2Upstream::note(const H2Request& request) {
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    seen_.change([](Seen& seen) { ++seen.complete; });
}

std::vector<H2Request> H2Upstream::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

H2Request H2Upstream::last_request() const {
    const std::lock_guard lock(mutex_);
    if (requests_.empty()) throw std::runtime_error("the h2 upstream saw no request");
    return requests_.back();
}

bool H2Upstream::wait_for_requests(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.complete >= count; }, limit);
}
bool H2Upstream::wait_for_heads(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.heads >= count; }, limit);
}
bool H2Upstream::wait_for_resets(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.resets >= count; }, limit);
}
bool H2Upstream::wait_for_goaways(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.goaways >= count; }, limit);
}
bool H2Upstream::wait_for_open(int count, Duration limit) {
    return seen_.wait([=](const Seen& seen) { return seen.open <= count; }, limit);
}

void H2Upstream::go_away(bool graceful) {
    graceful_ = graceful;
    ++go_away_turn_;
}

void H2Upstream::drop_connections() {
    const std::lock_guard lock(mutex_);
    for (const int fd : fds_) ::shutdown(fd, SHUT_RDWR);
}

namespace h2raw {

std::string frame(Type type, std::uint8_t flags, std::uint32_t stream, std::string_view payload) {
    const auto size = static_cast<std::uint32_t>(payload.size());
    std::string bytes = number(size).substr(1);
    bytes += static_cast<char>(type);
    bytes += static_cast<char>(flags);
    return bytes.append(number(stream)).append(payload);
}

std::string number(std::uint32_t value) {
    const std::uint32_t wire = htonl(value);
    return {reinterpret_cast<const char*>(&wire), 4};
}

std::string field(std::string_view name, std::string_view value) {
    const auto text = [](std::string_view part) {
        std::string bytes;
        std::size_t size = part.size();
        if (size < 127) {
            bytes += static_cast<char>(size);
        } else {
            bytes += '\x7f';
            for (size -= 127; size >= 128; size /= 128) {
                bytes += static_cast<char>(size % 128 + 128);
            }
            bytes += static_cast<char>(size);
        }
        return bytes.append(part);
    };
    return std::string(1, '\0') + text(name) + text(value);
}

std::string answer(std::uint32_t stream, std::uint8_t flags, std::string more) {
    return frame(kHeaders, flags, stream, "\x88" + more);
}

std::optional<Frame> read(Wire& wire, Duration limit) {
    const Deadline deadline(limit);
    while (wire.view().size() < 9) {
        if (wire.fill(deadline) != IoStatus::Ok) return std::nullopt;
    }
    const auto byte = [&](std::size_t at) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(wire.view()[at]));
    };
    const std::size_t size = byte(0) << 16U | byte(1) << 8U | byte(2);
    while (wire.view().size() < 9 + size) {
        if (wire.fill(deadline) != IoStatus::Ok) return std::nullopt;
    }
    Frame frame;
    frame.type = static_cast<std::uint8_t>(byte(3));
    frame.flags = static_cast<std::uint8_t>(byte(4));
    frame.stream = byte(5) << 24U | byte(6) << 16U | byte(7) << 8U | byte(8);
    frame.payload = wire.view().substr(9, size);
    wire.consume(9 + size);
    return frame;
}

bool greet(Wire& wire, std::string_view settings) {
    const Deadline deadline(kLimit);
    while (wire.view().size() < kPreface.size()) {
        if (wire.fill(deadline) != IoStatus::Ok) return false;
    }
    if (wire.view().substr(0, kPreface.size()) != kPreface) return false;
    wire.consume(kPreface.size());
    const auto ours = frame(kSettings, 0, 0, settings) + frame(kSettings, kAck, 0, {});
    return wire.send(ours) == IoStatus::Ok;
}

std::optional<Frame> next(Wire& wire, Type type, Duration limit) {
    while (auto frame = read(wire, limit)) {
        if (frame->type == type) return frame;
    }
    return std::nullopt;
}

std::uint32_t next_request(Wire& wire, Duration limit) {
    const auto frame = next(wire, kHeaders, limit);
    return frame ? frame->stream : 0;
}

}  // namespace h2raw
}  // namespace proxyd::test
