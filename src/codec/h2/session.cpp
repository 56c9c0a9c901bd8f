#include "session.hpp"

#include <nghttp2/nghttp2.h>

#include <array>
#include <utility>
#include <vector>

namespace proxyd::codec::h2 {
namespace {

using http::Field;
using http::FieldId;

/// Fields that HTTP/2 does not have (RFC 9113 8.2.2), and those that `first` replaces.
constexpr http::FieldSet kLeftOut(FieldId::connection, FieldId::proxy_connection,
                                  FieldId::keep_alive, FieldId::transfer_encoding, FieldId::upgrade,
                                  FieldId::http2_settings, FieldId::content_length, FieldId::host,
                                  FieldId::te);
/// One CONTINUATION after the other costs the sender nothing.
constexpr std::size_t kMaxContinuations = 16;
/// Above every head that buffers.header and max_header_size let in (16 MiB), as nghttp2 estimates
/// it: a block that it does not send leaves the stream open without an answer.
constexpr std::size_t kMaxSendBlock = 64 * 1024 * 1024;
/// Whatever nghttp2 says beyond that is of no use in a log.
constexpr std::size_t kMaxProblem = 200;

std::uint8_t* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

std::string_view view_of(const std::uint8_t* data, std::size_t size) noexcept {
    return {reinterpret_cast<const char*>(data), size};
}

/// nghttp2 copies names and values, and makes the names lower-case while it does.
nghttp2_nv line_of(const Field& field) noexcept {
    const bool secret = field.id == FieldId::authorization;
    return {bytes_of(field.name), bytes_of(field.value), field.name.size(), field.value.size(),
            static_cast<std::uint8_t>(secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE)};
}

using Lines = std::vector<nghttp2_nv>;

/// Memory of the thread: valid until the next call.
const Lines& lines_of(std::span<const Field> first, const http::HeaderMap& fields) {
    thread_local Lines lines;
    lines.clear();
    for (const Field& field : first) lines.push_back(line_of(field));
    for (const Field& field : fields) {
        if (!kLeftOut.contains(field.id)) lines.push_back(line_of(field));
    }
    return lines;
}

struct OptionDeleter {
    void operator()(nghttp2_option* option) const noexcept { nghttp2_option_del(option); }
};
using OptionPtr = std::unique_ptr<nghttp2_option, OptionDeleter>;

OptionPtr make_options() {
    nghttp2_option* made = nullptr;
    if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
    OptionPtr option(made);
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_max_send_header_block_length(made, kMaxSendBlock);
#ifdef PROXYD_NGHTTP2_HAS_MAX_CONTINUATIONS
    nghttp2_option_set_max_continuations(made, kMaxContinuations);
#endif
#ifdef PROXYD_NGHTTP2_HAS_RESET_LIMIT
    // Counted per connection and minute by FloodGuard; nghttp2's own count must not come first.
    nghttp2_option_set_stream_reset_rate_limit(made, UINT32_MAX, UINT32_MAX);
#endif
    return option;
}

SessionStream* stream_of(nghttp2_session* session, std::int32_t id) noexcept {
    return static_cast<SessionStream*>(nghttp2_session_get_stream_user_data(session, id));
}

FrameHead head_of(const nghttp2_frame_hd& head) noexcept {
    return {static_cast<FrameType>(head.type), head.flags, head.stream_id, head.length};
}

ssize_t supply_data(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t length,
                    std::uint32_t* flags, nghttp2_data_source*, void*) {
    SessionStream* const stream = stream_of(session, id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const SessionStream::Supply supply = stream->supply(length);
    if (supply.bytes == 0 && !supply.end) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!supply.end) return static_cast<ssize_t>(supply.bytes);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (supply.trailers != nullptr && !supply.trailers->empty()) {
        const Lines& lines = lines_of({}, *supply.trailers);
        if (!lines.empty() &&
            nghttp2_submit_trailer(session, id, lines.data(), lines.size()) == 0) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        }
    }
    return static_cast<ssize_t>(supply.bytes);
}

constexpr nghttp2_data_provider kBody{{.ptr = nullptr}, supply_data};

}  // namespace

std::string_view name_of(ErrorCode code) noexcept {
    return nghttp2_http2_strerror(static_cast<std::uint32_t>(code));
}

/// nghttp2's C callbacks; `data` is the Session.
struct Session::Callbacks {
    static Session& self(void* data) noexcept { return *static_cast<Session*>(data); }

    static int reset(nghttp2_session* session, std::int32_t id, ErrorCode code) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(code));
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }

    static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
        const std::int32_t id = frame->hd.stream_id;
        SessionStream* const stream = self(data).owner_.on_opened(id);
        if (stream == nullptr) return reset(session, id, ErrorCode::refused_stream);
        stream->id_ = id;
        nghttp2_session_set_stream_user_data(session, id, stream);
        // Clients' wishes are ignored: streams take turns.
        const nghttp2_extpri turns{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
        nghttp2_session_change_extpri_stream_priority(session, id, &turns, 1);
        return 0;
    }

    static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                         const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                         std::size_t value_size, std::uint8_t, void*) {
        const std::int32_t id = frame->hd.stream_id;
        SessionStream* const stream = stream_of(session, id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        const ErrorCode code =
            stream->on_field(view_of(name, name_size), view_of(value, value_size));
        return code == ErrorCode::no_error ? 0 : reset(session, id, code);
    }

    /// nghttp2 would drop such a field and go on.
    static int on_invalid_header(nghttp2_session* session, const nghttp2_frame* frame,
                                 const std::uint8_t*, std::size_t, const std::uint8_t*, std::size_t,
                                 std::uint8_t, void*) {
        return reset(session, frame->hd.stream_id, ErrorCode::protocol_error);
    }

    static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* data) {
        Session& me = self(data);
        if (me.owner_.on_frame(head_of(*head))) return 0;
        me.flooded_ = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }

    static void on_stream_frame(nghttp2_session* session, const nghttp2_frame& frame) {
        SessionStream* const stream = stream_of(session, frame.hd.stream_id);
        if (stream == nullptr) return;
        const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (frame.hd.type == NGHTTP2_HEADERS) {
            const ErrorCode code = stream->on_fields_end(end);
            if (code != ErrorCode::no_error) {
                reset(session, frame.hd.stream_id, code);
                return;
            }
        }
        if (end) stream->on_end();
    }

    static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
        Session& me = self(data);
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
            case NGHTTP2_DATA:
                on_stream_frame(session, *frame);
                break;
            case NGHTTP2_RST_STREAM:
                me.reset_by_peer_ = frame->hd.stream_id;
                break;
            case NGHTTP2_SETTINGS:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) me.owner_.on_settings();
                break;
            case NGHTTP2_PING:
                if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) me.owner_.on_pong();
                break;
            case NGHTTP2_GOAWAY:
                me.owner_.on_goaway(frame->goaway.last_stream_id,
                                    static_cast<ErrorCode>(frame->goaway.error_code));
                break;
            default:
                break;
        }
        return 0;
    }

    static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                       const std::uint8_t* bytes, std::size_t size, void*) {
        if (SessionStream* const stream = stream_of(session, id)) {
            stream->on_data(view_of(bytes, size));
        } else {
            nghttp2_session_consume_stream(session, id, size);
        }
        // The connection's window never holds one stream up for another.
        nghttp2_session_consume_connection(session, size);
        return 0;
    }

    static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t code, void* data) {
        SessionStream* const stream = stream_of(session, id);
        const bool by_peer = std::exchange(self(data).reset_by_peer_, 0) == id;
        if (stream != nullptr) stream->on_closed(static_cast<ErrorCode>(code), by_peer);
        return 0;
    }

    static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* data) {
        const nghttp2_frame_hd& head = frame->hd;
        self(data).owner_.on_frame_sent(head_of(head));
        if (head.type == NGHTTP2_GOAWAY) {
            Session& me = self(data);
            me.goaway_sent_ = static_cast<ErrorCode>(frame->goaway.error_code);
            // nghttp2 tells the peer what it does not tell us.
            const std::string_view told =
                view_of(frame->goaway.opaque_data, frame->goaway.opaque_data_len);
            if (me.problem_.empty()) me.problem_.assign(told.substr(0, kMaxProblem));
        }
        if (head.type != NGHTTP2_DATA && head.type != NGHTTP2_HEADERS) return 0;
        if (SessionStream* const stream = stream_of(session, head.stream_id)) {
            stream->on_frame_sent(head.type == NGHTTP2_DATA, head.length,
                                  (head.flags & NGHTTP2_FLAG_END_STREAM) != 0);
        }
        return 0;
    }

    static int send_data(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head,
                         std::size_t length, nghttp2_data_source*, void* data) {
        Session& me = self(data);
        if (me.out_->size() >= me.out_most_) return NGHTTP2_ERR_WOULDBLOCK;
        SessionStream* const stream = stream_of(session, frame->hd.stream_id);
        if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        constexpr std::size_t kHead = 9;
        char* const place = me.out_->extend(kHead + length);
        std::memcpy(place, head, kHead);
        stream->take(place + kHead, length);
        return 0;
    }

    static int on_problem(nghttp2_session*, int, const char* text, std::size_t size, void* data) {
        Session& me = self(data);
        if (me.problem_.empty()) me.problem_.assign(text, std::min(size, kMaxProblem));
        return 0;
    }

    static const nghttp2_session_callbacks* table() {
        static const nghttp2_session_callbacks* const made = [] {
            nghttp2_session_callbacks* table = nullptr;
            if (nghttp2_session_callbacks_new(&table) != 0) throw std::bad_alloc();
            nghttp2_session_callbacks_set_on_begin_headers_callback(table, on_begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(table, on_header);
            nghttp2_session_callbacks_set_on_invalid_header_callback(table, on_invalid_header);
            nghttp2_session_callbacks_set_on_begin_frame_callback(table, on_begin_frame);
            nghttp2_session_callbacks_set_on_frame_recv_callback(table, on_frame);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(table, on_data);
            nghttp2_session_callbacks_set_on_stream_close_callback(table, on_close);
            nghttp2_session_callbacks_set_on_frame_send_callback(table, on_sent);
            nghttp2_session_callbacks_set_send_data_callback(table, send_data);
            nghttp2_session_callbacks_set_error_callback2(table, on_problem);
            return table;
        }();
        return made;
    }
};

void Session::Deleter::operator()(nghttp2_session* session) const noexcept {
    nghttp2_session_del(session);
}

Session::Session(Side side, SessionOwner& owner) : owner_(owner), side_(side) {
    static thread_local const OptionPtr options = make_options();
    nghttp2_session* made = nullptr;
    const auto make =
        side == Side::server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
    if (make(&made, Callbacks::table(), this, options.get()) != 0) throw std::bad_alloc();
    session_.reset(made);
}

Session::~Session() = default;

// The connection ------------------------------------------------------------------------------

void Session::start(const Settings& settings) {
    std::array<nghttp2_settings_entry, 6> entries{};
    std::size_t count = 0;
    const auto say = [&](std::int32_t id, std::uint32_t value) { entries[count++] = {id, value}; };
    if (side_ == Side::server) {
        say(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.max_concurrent_streams);
        say(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
        say(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1);
    } else {
        say(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
        say(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
    }
    say(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.stream_window);
    if (settings.max_header_list != 0) {
        say(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.max_header_list);
    }
    nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, entries.data(), count);
    nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0,
                                          static_cast<std::int32_t>(settings.connection_window));
}

void Session::receive(std::string_view bytes) {
    const ssize_t taken = nghttp2_session_mem_recv(session_.get(), bytes_of(bytes), bytes.size());
    if (taken >= 0) return;
    if (problem_.empty()) {
        problem_ =
            flooded_ ? "too many frames without use" : nghttp2_strerror(static_cast<int>(taken));
    }
    flooded_ = flooded_ || taken == NGHTTP2_ERR_FLOODED;
    terminate(flooded_ ? ErrorCode::enhance_your_calm : ErrorCode::protocol_error);
}

bool Session::over() const noexcept {
    return nghttp2_session_want_read(session_.get()) == 0;
}

void Session::produce(Output& out, std::size_t most) {
    out_ = &out;
    out_most_ = most;
    while (out.size() < most) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_.get(), &bytes);
        if (size <= 0) break;
        out.append(view_of(bytes, static_cast<std::size_t>(size)));
    }
    out_ = nullptr;
}

std::size_t Session::queued_frames() const noexcept {
    return nghttp2_session_get_outbound_queue_size(session_.get());
}

void Session::announce_end() {
    nghttp2_submit_shutdown_notice(session_.get());
}

void Session::go_away(ErrorCode code) {
    const std::int32_t last = nghttp2_session_get_last_proc_stream_id(session_.get());
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last, static_cast<std::uint32_t>(code),
                          nullptr, 0);
}

void Session::terminate(ErrorCode code) {
    nghttp2_session_terminate_session(session_.get(), static_cast<std::uint32_t>(code));
}

void Session::ping() {
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

// Streams -------------------------------------------------------------------------------------

bool Session::may_open() const noexcept {
    return nghttp2_session_check_request_allowed(session_.get()) != 0;
}

std::uint32_t Session::peer_max_streams() const noexcept {
    return nghttp2_session_get_remote_settings(session_.get(),
                                               NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::peer_allows_extended_connect() const noexcept {
    return nghttp2_session_get_remote_settings(session_.get(),
                                               NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

bool Session::has_window(std::int32_t stream) const noexcept {
    return nghttp2_session_get_remote_window_size(session_.get()) > 0 &&
           nghttp2_session_get_stream_remote_window_size(session_.get(), stream) > 0;
}

bool Session::submit_request(SessionStream& stream, std::span<const Field> first,
                             const http::HeaderMap& fields, bool body) {
    const Lines& lines = lines_of(first, fields);
    const std::int32_t id = nghttp2_submit_request(session_.get(), nullptr, lines.data(),
                                                   lines.size(), body ? &kBody : nullptr, &stream);
    if (id < 0) return false;
    stream.id_ = id;
    return true;
}

bool Session::submit_response(SessionStream& stream, std::span<const Field> first,
                              const http::HeaderMap& fields, bool body) {
    const Lines& lines = lines_of(first, fields);
    return nghttp2_submit_response(session_.get(), stream.id(), lines.data(), lines.size(),
                                   body ? &kBody : nullptr) == 0;
}

bool Session::submit_informational(SessionStream& stream, std::span<const Field> first,
                                   const http::HeaderMap& fields) {
    const Lines& lines = lines_of(first, fields);
    return nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), nullptr,
                                  lines.data(), lines.size(), nullptr) == 0;
}

void Session::resume(SessionStream& stream) {
    nghttp2_session_resume_data(session_.get(), stream.id());
}

void Session::reset(SessionStream& stream, ErrorCode code) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(),
                              static_cast<std::uint32_t>(code));
}

void Session::replace(SessionStream& stream, SessionStream& heir) {
    heir.id_ = stream.id();
    nghttp2_session_set_stream_user_data(session_.get(), stream.id(), &heir);
}

void Session::forget(SessionStream& stream) {
    nghttp2_session_set_stream_user_data(session_.get(), stream.id(), nullptr);
}

void Session::consume_stream(SessionStream& stream, std::size_t bytes) {
    nghttp2_session_consume_stream(session_.get(), stream.id(), bytes);
}

}  // namespace proxyd::codec::h2
