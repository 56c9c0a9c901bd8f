#include "support/protocol/h2_session.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace proxyd::test::protocol {
namespace {

// What a stream or a session holds back for a peer that does not read.
constexpr std::size_t kHeld = 65'536;

std::vector<nghttp2_nv> to_nv(const Headers& fields) {
    std::vector<nghttp2_nv> result;
    for (const auto& [name, value] : fields.fields()) {
        result.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())),
                          name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return result;
}

}  // namespace

struct H2Session::Callbacks {
    static H2Session& self(void* user) { return *static_cast<H2Session*>(user); }

    static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto& session = self(user);
        const auto id = frame->hd.stream_id;
        if (session.find(id) == nullptr) {
            session.streams_[id] = std::make_shared<H2Stream>(session, id);
        }
        session.find(id)->block_ = {};
        return 0;
    }

    static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* user) {
        auto* const stream = self(user).find(frame->hd.stream_id);
        if (stream != nullptr) {
            stream->block_.add({reinterpret_cast<const char*>(name), name_size},
                               {reinterpret_cast<const char*>(value), value_size});
        }
        return 0;
    }

    static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        auto& session = self(user);
        if (frame->hd.type == NGHTTP2_GOAWAY) session.goaway_ = true;
        if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
            session.settings_ = true;
        }
        auto* const stream = session.find(frame->hd.stream_id);
        if (stream == nullptr) return 0;
        if (frame->hd.type == NGHTTP2_HEADERS) {
            const bool head = stream->block_.has(":status") || stream->block_.has(":method");
            if (head) {
                stream->heads_.push_back(std::move(stream->block_));
            } else {
                stream->trailers_ = std::move(stream->block_);
            }
            if (stream->heads_.size() == 1 && session.options_.server && head) {
                session.fresh_.push_back(session.streams_[frame->hd.stream_id]);
            }
        }
        const bool carries_end = frame->hd.type == std::uint8_t{NGHTTP2_HEADERS} ||
                                 frame->hd.type == std::uint8_t{NGHTTP2_DATA};
        if (carries_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->ended_ = true;
        return 0;
    }

    static int data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                    const std::uint8_t* bytes, std::size_t size, void* user) {
        // The connection's window is no measure here: one stalled stream must not stop the others.
        nghttp2_session_consume_connection(session, size);
        auto* const stream = self(user).find(id);
        if (stream != nullptr) stream->in_.append(reinterpret_cast<const char*>(bytes), size);
        return 0;
    }

    static int close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
        auto* const stream = self(user).find(id);
        if (stream != nullptr) {
            stream->closed_ = true;
            stream->error_ = error;
        }
        return 0;
    }

    static ssize_t read_out(nghttp2_session* session, std::int32_t id, std::uint8_t* to,
                            std::size_t room, std::uint32_t* flags, nghttp2_data_source*,
                            void* user) {
        auto* const stream = self(user).find(id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const auto size = std::min(room, stream->out_.size());
        std::copy_n(stream->out_.data(), size, to);
        stream->out_.erase(0, size);
        if (stream->out_.empty() && stream->out_ended_) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (!stream->out_trailers_.empty()) {
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                const auto nv = to_nv(stream->out_trailers_);
                nghttp2_submit_trailer(session, id, nv.data(), nv.size());
            }
            return static_cast<ssize_t>(size);
        }
        return size == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(size);
    }

    static nghttp2_session* make(H2Session& self) {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, &header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &frame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &close);
        nghttp2_option* option = nullptr;
        nghttp2_option_new(&option);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_session* session = nullptr;
        const auto create =
            self.options_.server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
        create(&session, callbacks, &self, option);
        nghttp2_option_del(option);
        nghttp2_session_callbacks_del(callbacks);
        return session;
    }
};

H2Session::H2Session(Wire wire, H2SessionOptions options, Opened opened)
    : wire_(std::move(wire)),
      options_(options),
      opened_(std::move(opened)),
      event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    session_ = Callbacks::make(*this);
    std::vector<nghttp2_settings_entry> settings{
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.window},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams}};
    if (!options.server) settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
    if (options.extended_connect) {
        settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
    }
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 16 << 20);
    thread_ = std::thread([this] { run(); });
}

H2Session::~H2Session() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake();
    thread_.join();
    ::close(event_);
    nghttp2_session_del(session_);
}

void H2Session::wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(event_, &one, sizeof one));
}

H2Stream* H2Session::find(std::int32_t id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : found->second.get();
}

template <typename Condition>
bool H2Session::wait(std::unique_lock<std::mutex>& lock, Duration limit, Condition condition) {
    return changed_.wait_for(lock, limit, condition);
}

void H2Session::run() {
    std::string bytes(65'536, '\0');
    for (;;) {
        bool writing = false;
        {
            const std::lock_guard lock(mutex_);
            const bool alive = flush();
            if (!alive || stopping_ || cut_ ||
                (out_.empty() && nghttp2_session_want_read(session_) == 0 &&
                 nghttp2_session_want_write(session_) == 0)) {
                lose();
                return;
            }
            writing = !out_.empty();
        }
        pollfd entries[2] = {
            {wire_.fd(), static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), 0},
            {event_, POLLIN, 0}};
        ::poll(entries, 2, 60'000);
        std::uint64_t count = 0;
        static_cast<void>(::read(event_, &count, sizeof count));
        if ((entries[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        const auto got = ::recv(wire_.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got > 0) {
            feed(std::string_view(bytes).substr(0, static_cast<std::size_t>(got)));
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            const std::lock_guard lock(mutex_);
            lose();
            return;
        }
    }
}

void H2Session::feed(std::string_view bytes) {
    std::vector<std::shared_ptr<H2Stream>> fresh;
    {
        const std::lock_guard lock(mutex_);
        const auto used = nghttp2_session_mem_recv(
            session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
        if (used < 0) cut_ = true;
        fresh.swap(fresh_);
        changed_.notify_all();
    }
    for (const auto& stream : fresh) {
        if (opened_) opened_(stream);
    }
}

bool H2Session::flush() {
    for (;;) {
        while (out_.size() < kHeld) {
            const std::uint8_t* bytes = nullptr;
            const auto size = nghttp2_session_mem_send(session_, &bytes);
            if (size < 0) return false;
            if (size == 0) break;
            out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
        }
        changed_.notify_all();
        if (out_.empty()) return true;
        const auto sent = ::send(wire_.fd(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        out_.erase(0, static_cast<std::size_t>(sent));
        changed_.notify_all();
    }
}

void H2Session::lose() {
    lost_ = true;
    if (reset_) {
        wire_.reset();
    } else {
        wire_.close();
    }
    for (const auto& [id, stream] : streams_) stream->closed_ = true;
    changed_.notify_all();
}

std::shared_ptr<H2Stream> H2Session::open(const Headers& head, bool last) {
    const std::lock_guard lock(mutex_);
    if (lost_) return nullptr;
    nghttp2_data_provider provider{{0}, &Callbacks::read_out};
    const auto nv = to_nv(head);
    const auto id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(),
                                           last ? nullptr : &provider, nullptr);
    if (id < 0) return nullptr;
    auto stream = std::make_shared<H2Stream>(*this, id);
    streams_[id] = stream;
    wake();
    return stream;
}

bool H2Session::wait_for_settings(Duration limit) {
    std::unique_lock lock(mutex_);
    return wait(lock, limit, [&] { return settings_ || lost_; }) && settings_;
}

std::uint32_t H2Session::peer_setting(nghttp2_settings_id id) {
    const std::lock_guard lock(mutex_);
    return nghttp2_session_get_remote_settings(session_, id);
}

bool H2Session::lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
}

bool H2Session::goaway() const {
    const std::lock_guard lock(mutex_);
    return goaway_;
}

bool H2Session::wait_for_loss(Duration limit) {
    std::unique_lock lock(mutex_);
    return wait(lock, limit, [&] { return lost_; });
}

void H2Session::cut(bool with_reset) {
    {
        const std::lock_guard lock(mutex_);
        cut_ = true;
        reset_ = with_reset;
    }
    wake();
    static_cast<void>(wait_for_loss());
}

void H2Session::say_goaway() {
    const std::lock_guard lock(mutex_);
    nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
    wake();
}

std::size_t H2Session::open_streams() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(
        streams_.begin(), streams_.end(), [](const auto& each) { return !each.second->closed_; }));
}

bool H2Stream::next_head(Headers& head, Duration limit) {
    std::unique_lock lock(session_.mutex_);
    session_.wait(lock, limit, [&] { return !heads_.empty() || closed_; });
    if (heads_.empty()) return false;
    head = std::move(heads_.front());
    heads_.pop_front();
    return true;
}

std::string H2Stream::read(Duration limit, std::size_t most) {
    std::unique_lock lock(session_.mutex_);
    session_.wait(lock, limit, [&] { return !in_.empty() || ended_ || closed_; });
    auto bytes = in_.substr(0, most);
    in_.erase(0, bytes.size());
    if (!bytes.empty() && !session_.lost_) {
        nghttp2_session_consume_stream(session_.session_, id_, bytes.size());
        session_.wake();
    }
    return bytes;
}

End H2Stream::end() const {
    const std::lock_guard lock(session_.mutex_);
    if (!in_.empty()) return End::open;
    if (ended_) return End::whole;
    return closed_ ? End::cut : End::open;
}

Headers H2Stream::trailers() const {
    const std::lock_guard lock(session_.mutex_);
    return trailers_;
}

std::uint32_t H2Stream::error() const {
    const std::lock_guard lock(session_.mutex_);
    return error_;
}

void H2Stream::send_interim(const Headers& head) {
    const std::lock_guard lock(session_.mutex_);
    const auto nv = to_nv(head);
    nghttp2_submit_headers(session_.session_, NGHTTP2_FLAG_NONE, id_, nullptr, nv.data(), nv.size(),
                           nullptr);
    session_.wake();
}

void H2Stream::send_head(const Headers& head, bool last) {
    const std::lock_guard lock(session_.mutex_);
    nghttp2_data_provider provider{{0}, &H2Session::Callbacks::read_out};
    const auto nv = to_nv(head);
    nghttp2_submit_response(session_.session_, id_, nv.data(), nv.size(),
                            last ? nullptr : &provider);
    session_.wake();
}

IoStatus H2Stream::send(std::string_view bytes, Duration limit) {
    const Deadline deadline(limit);
    while (!bytes.empty()) {
        std::unique_lock lock(session_.mutex_);
        const bool room = session_.wait(lock, Duration(deadline.left_ms()),
                                        [&] { return out_.size() < kHeld || closed_; });
        if (closed_) return IoStatus::Reset;
        if (!room) return IoStatus::Timeout;
        const auto size = std::min(bytes.size(), kHeld - out_.size());
        out_.append(bytes.substr(0, size));
        bytes.remove_prefix(size);
        nghttp2_session_resume_data(session_.session_, id_);
        session_.wake();
    }
    return IoStatus::Ok;
}

bool H2Stream::flushed(Duration limit) {
    std::unique_lock lock(session_.mutex_);
    return session_.wait(lock, limit, [&] {
        return closed_ || (out_.empty() && session_.out_.empty() &&
                           nghttp2_session_want_write(session_.session_) == 0);
    });
}

void H2Stream::finish(const Headers& trailers) {
    const std::lock_guard lock(session_.mutex_);
    if (closed_) return;
    out_ended_ = true;
    out_trailers_ = trailers;
    nghttp2_session_resume_data(session_.session_, id_);
    session_.wake();
}

void H2Stream::reset(std::uint32_t code) {
    const std::lock_guard lock(session_.mutex_);
    if (session_.lost_) return;
    nghttp2_submit_rst_stream(session_.session_, NGHTTP2_FLAG_NONE, id_, code);
    session_.wake();
}

bool H2Stream::wait_for_reset(Duration limit) {
    std::unique_lock lock(session_.mutex_);
    return session_.wait(lock, limit, [&] { return closed_; });
}

bool H2Stream::wait_for_end(Duration limit) {
    std::unique_lock lock(session_.mutex_);
    return session_.wait(lock, limit, [&] { return ended_ || closed_; });
}

}  // namespace proxyd::test::protocol
