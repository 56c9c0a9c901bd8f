#include "support/h2_client.hpp"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <stdexcept>

namespace proxyd::test {
namespace h2 {

std::string number(std::uint64_t value, int bytes) {
    std::string text;
    for (int at = bytes - 1; at >= 0; --at) text.push_back(static_cast<char>(value >> (8 * at)));
    return text;
}

std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                  std::string_view payload) {
    return number(payload.size(), 3) + number(type, 1) + number(flags, 1) + number(stream, 4) +
           std::string(payload);
}

std::string setting(std::uint16_t id, std::uint32_t value) {
    return number(id, 2) + number(value, 4);
}

namespace {

// RFC 7541 5.1 with a prefix of 7 bits.
std::string length(std::size_t value) {
    if (value < 127) return number(value, 1);
    std::string text = number(127, 1);
    for (value -= 127; value >= 128; value /= 128) text += number(value % 128 + 128, 1);
    return text + number(value, 1);
}

std::uint32_t word(std::string_view bytes) {
    std::uint32_t value = 0;
    for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
}

}  // namespace

std::string literals(const Headers& fields) {
    std::string block;
    for (const auto& [name, value] : fields.fields()) {
        block += number(0, 1) + length(name.size()) + name + length(value.size()) + value;
    }
    return block;
}

Headers request_fields(std::string_view method, std::string_view path, const Headers& more,
                       std::string_view authority) {
    Headers fields{{":method", std::string(method)},
                   {":scheme", "http"},
                   {":authority", std::string(authority)},
                   {":path", std::string(path)}};
    for (const auto& [name, value] : more.fields()) fields.add(name, value);
    return fields;
}

}  // namespace h2

using namespace h2;

struct H2Client::Inflater {
    Inflater() {
        if (nghttp2_hd_inflate_new(&inflater) != 0) throw std::bad_alloc();
    }
    ~Inflater() { nghttp2_hd_inflate_del(inflater); }

    Headers decode(std::string& block) {
        Headers fields;
        auto* at = reinterpret_cast<std::uint8_t*>(block.data());
        std::size_t left = block.size();
        while (true) {
            nghttp2_nv line{};
            int flags = 0;
            const auto used = nghttp2_hd_inflate_hd2(inflater, &line, &flags, at, left, 1);
            if (used < 0) throw std::runtime_error("the peer's field block cannot be decoded");
            at += used;
            left -= static_cast<std::size_t>(used);
            if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
                fields.add({reinterpret_cast<char*>(line.name), line.namelen},
                           {reinterpret_cast<char*>(line.value), line.valuelen});
            }
            if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
        }
        nghttp2_hd_inflate_end_headers(inflater);
        return fields;
    }

    nghttp2_hd_inflater* inflater = nullptr;
};

H2Client::H2Client(std::uint16_t port, H2Options options)
    : options_(std::move(options)),
      client_(port, options_.client),
      inflater_(std::make_unique<Inflater>()) {
    if (!options_.preface) return;
    client_.send(std::string(kPreface) +
                 frame(kSettings, 0, 0, setting(4, options_.stream_window)));
    if (options_.connection_more != 0) window(0, options_.connection_more);
}

H2Client::~H2Client() = default;
H2Client::H2Client(H2Client&&) noexcept = default;

// Sending --------------------------------------------------------------------------------------

std::uint32_t H2Client::request(const Headers& fields, bool end) {
    constexpr std::size_t kMost = 16'384;
    const auto stream = next_stream();
    const auto block = literals(fields);
    std::string bytes;
    for (std::size_t at = 0; at < block.size(); at += kMost) {
        std::uint8_t flags = at + kMost >= block.size() ? kEndHeaders : 0;
        if (at == 0 && end) flags |= kEndStream;
        bytes += frame(at == 0 ? kHeaders : kContinuation, flags, stream, block.substr(at, kMost));
    }
    client_.send(bytes);
    return stream;
}

std::uint32_t H2Client::get(std::string_view path, const Headers& more) {
    return request(request_fields("GET", path, more));
}

std::uint32_t H2Client::post(std::string_view path, std::string_view body, const Headers& more) {
    const auto stream = request(request_fields("POST", path, more), false);
    upload(stream, body, true);
    return stream;
}

void H2Client::data(std::uint32_t stream, std::string_view bytes, bool end) {
    sent_[stream] += static_cast<std::int64_t>(bytes.size());
    sent_[0] += static_cast<std::int64_t>(bytes.size());
    client_.send(frame(kData, end ? kEndStream : 0, stream, bytes));
}

bool H2Client::upload(std::uint32_t stream, std::string_view bytes, bool end, Duration limit) {
    const Deadline deadline(limit);
    do {
        const auto initial = settings_.contains(4) ? settings_[4] : 65'535;
        const auto of_stream = initial + opened_[stream] - sent_[stream];
        const auto of_connection = 65'535 + opened_[0] - sent_[0];
        const auto room = std::min<std::int64_t>({of_stream, of_connection, 16'384});
        if (room <= 0 && !bytes.empty()) {
            if (!read_frame(Duration(deadline.left_ms()))) return false;
            if (streams_[stream].reset || streams_[stream].ended) return false;
            continue;
        }
        const auto part = bytes.substr(0, static_cast<std::size_t>(room));
        bytes.remove_prefix(part.size());
        data(stream, part, end && bytes.empty());
    } while (!bytes.empty());
    return true;
}

void H2Client::reset(std::uint32_t stream, std::uint32_t code) {
    client_.send(frame(kRstStream, 0, stream, number(code, 4)));
}

void H2Client::window(std::uint32_t stream, std::uint32_t more) {
    client_.send(frame(kWindowUpdate, 0, stream, number(more, 4)));
}

// Receiving ------------------------------------------------------------------------------------

std::optional<Frame> H2Client::read_frame(Duration limit) {
    constexpr std::size_t kHead = 9;
    const Deadline deadline(limit);
    Wire& wire = client_.wire();
    const auto want = [&](std::size_t bytes) {
        while (wire.view().size() < bytes) {
            if (wire.fill(deadline) != IoStatus::Ok) return false;
        }
        return true;
    };
    if (!want(kHead)) return std::nullopt;
    const std::size_t size = word(std::string("\0", 1) + std::string(wire.view().substr(0, 3)));
    Frame read;
    read.type = static_cast<std::uint8_t>(wire.view()[3]);
    read.flags = static_cast<std::uint8_t>(wire.view()[4]);
    read.stream = word(wire.view().substr(5)) & 0x7fffffffU;
    if (!want(kHead + size)) return std::nullopt;
    read.payload = std::string(wire.view().substr(kHead, size));
    wire.consume(kHead + size);
    account(read);
    return read;
}

void H2Client::account(const Frame& frame) {
    ++received_[frame.type];
    switch (frame.type) {
        case kSettings:
            return take_settings(frame);
        case kHeaders:
        case kContinuation:
            return take_headers(frame);
        case kData:
            return take_data(frame);
        case kRstStream:
            streams_[frame.stream].reset = word(frame.payload);
            return;
        case kWindowUpdate:
            opened_[frame.stream] += word(frame.payload);
            return;
        case kGoaway:
            goaway_ = word(frame.payload.substr(4));
            goaway_stream_ = word(frame.payload) & 0x7fffffffU;
            return;
        case kPing:
            if ((frame.flags & kAck) != 0) {
                ++pongs_;
            } else {
                client_.try_send(h2::frame(kPing, kAck, 0, frame.payload));
            }
            return;
        default:
            return;
    }
}

void H2Client::take_settings(const Frame& frame) {
    if ((frame.flags & kAck) != 0) return;
    for (std::size_t at = 0; at + 6 <= frame.payload.size(); at += 6) {
        const auto id =
            static_cast<std::uint16_t>(word(std::string("\0\0", 2) + frame.payload.substr(at, 2)));
        settings_[id] = word(std::string_view(frame.payload).substr(at + 2));
    }
    client_.try_send(h2::frame(kSettings, kAck, 0));
}

void H2Client::take_headers(const Frame& frame) {
    if (frame.type == kHeaders) {
        block_.clear();
        block_ends_stream_ = (frame.flags & kEndStream) != 0;
    }
    block_ += frame.payload;
    if ((frame.flags & kEndHeaders) == 0) return;
    auto fields = inflater_->decode(block_);
    H2Response& response = streams_[frame.stream];
    const auto status = fields.find(":status");
    if (!status) {
        response.trailers = std::move(fields);
    } else if (status->front() == '1') {
        response.interim.emplace_back(std::stoi(*status), std::move(fields));
    } else {
        response.status = std::stoi(*status);
        response.headers = std::move(fields);
    }
    response.ended = response.ended || block_ends_stream_;
}

void H2Client::take_data(const Frame& frame) {
    H2Response& response = streams_[frame.stream];
    response.body += frame.payload;
    response.ended = (frame.flags & kEndStream) != 0;
    if (!options_.open_windows || frame.payload.empty()) return;
    const auto size = number(frame.payload.size(), 4);
    client_.try_send(h2::frame(kWindowUpdate, 0, 0, size) +
                     (response.ended ? "" : h2::frame(kWindowUpdate, 0, frame.stream, size)));
}

template <class Done>
bool H2Client::read_until(Duration limit, Done done) {
    const Deadline deadline(limit);
    while (!done()) {
        if (!read_frame(Duration(deadline.left_ms()))) return done();
    }
    return true;
}

H2Response H2Client::response(std::uint32_t stream, Duration limit) {
    H2Response& state = streams_[stream];
    read_until(limit, [&] { return state.ended || state.reset; });
    return state;
}

H2Response H2Client::head(std::uint32_t stream, Duration limit) {
    H2Response& state = streams_[stream];
    read_until(limit, [&] { return state.status != 0 || state.ended || state.reset; });
    return state;
}

H2Response H2Client::body(std::uint32_t stream, std::size_t bytes, Duration limit) {
    H2Response& state = streams_[stream];
    read_until(limit, [&] { return state.body.size() >= bytes || state.ended || state.reset; });
    return state;
}

std::optional<std::uint32_t> H2Client::goaway(Duration limit) {
    read_until(limit, [&] { return goaway_.value_or(kNoError) != kNoError; });
    return goaway_;
}

bool H2Client::closed(Duration limit) {
    const Deadline deadline(limit);
    while (read_frame(Duration(deadline.left_ms()))) {
    }
    return !deadline.passed();
}

bool H2Client::settle(Duration limit) {
    const std::size_t before = pongs_;
    if (client_.try_send(h2::frame(kPing, 0, 0, "settled?")) != IoStatus::Ok) return false;
    return read_until(limit, [&] { return pongs_ != before; });
}

std::size_t H2Client::received(std::uint8_t type) const {
    const auto found = received_.find(type);
    return found == received_.end() ? 0 : found->second;
}

}  // namespace proxyd::test
