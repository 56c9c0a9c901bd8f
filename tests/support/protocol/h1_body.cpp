#include "support/protocol/h1_body.hpp"

#include <algorithm>
#include <charconv>

namespace proxyd::test::protocol {

H1Body::H1Body(Wire& wire, Framing framing, std::uint64_t length)
    : wire_(&wire), framing_(framing), left_(length) {
    if (framing == Framing::none || (framing == Framing::length && length == 0)) end_ = End::whole;
}

H1Body H1Body::of(Wire& wire, const Headers& head, bool answer) {
    if (head.has("Transfer-Encoding")) {
        H1Body body(wire, Framing::chunked);
        if (head.value("Transfer-Encoding") != "chunked" || head.has("Content-Length")) {
            body.end_ = End::broken;
        }
        return body;
    }
    if (const auto text = head.find("Content-Length")) {
        std::uint64_t length = 0;
        const auto* const last = text->data() + text->size();
        const auto parsed = std::from_chars(text->data(), last, length);
        H1Body body(wire, Framing::length, length);
        const bool valid = parsed.ec == std::errc() && parsed.ptr == last;
        if (!valid || head.count("Content-Length") != 1) body.end_ = End::broken;
        return body;
    }
    return {wire, answer ? Framing::until_close : Framing::none};
}

std::string H1Body::read(Duration limit, std::size_t most) {
    const Deadline deadline(limit);
    if (end_ != End::open && end_ != End::silent) return {};
    end_ = End::open;
    if (framing_ == Framing::chunked && left_ == 0 && !next_chunk(deadline)) return {};
    auto bytes = take(deadline, most);
    if (framing_ == Framing::length && left_ == 0) end_ = End::whole;
    return bytes;
}

std::string H1Body::take(const Deadline& deadline, std::size_t most) {
    if (wire_->view().empty()) {
        const auto status = wire_->fill(deadline, std::min<std::size_t>(most, 65'536));
        if (status != IoStatus::Ok) {
            lost(status);
            return {};
        }
    }
    const bool counted = framing_ == Framing::length || framing_ == Framing::chunked;
    auto size = std::min(most, wire_->view().size());
    if (counted) size = static_cast<std::size_t>(std::min<std::uint64_t>(size, left_));
    std::string bytes(wire_->view().substr(0, size));
    wire_->consume(size);
    if (counted) left_ -= size;
    return bytes;
}

// True: a chunk with bytes lies ahead. False: the end, of whatever kind.
bool H1Body::next_chunk(const Deadline& deadline) {
    std::string text;
    if (in_chunk_ && (!line(deadline, text) || !text.empty())) {
        if (end_ == End::open) end_ = End::broken;
        return false;
    }
    in_chunk_ = false;
    if (!line(deadline, text)) return false;
    const auto* const last = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), last, left_, 16);
    if (parsed.ec != std::errc() || (parsed.ptr != last && *parsed.ptr != ';')) {
        end_ = End::broken;
        return false;
    }
    in_chunk_ = left_ > 0;
    if (!in_chunk_ && read_trailers(deadline)) end_ = End::whole;
    return in_chunk_;
}

bool H1Body::read_trailers(const Deadline& deadline) {
    std::string text;
    while (line(deadline, text)) {
        if (text.empty()) return true;
        const auto colon = text.find(':');
        if (colon == std::string::npos) {
            end_ = End::broken;
            return false;
        }
        const auto value = text.find_first_not_of(' ', colon + 1);
        trailers_.add(text.substr(0, colon), value == std::string::npos ? "" : text.substr(value));
    }
    return false;
}

bool H1Body::line(const Deadline& deadline, std::string& text) {
    for (;;) {
        const auto at = wire_->view().find("\r\n");
        if (at != std::string_view::npos) {
            text = wire_->view().substr(0, at);
            wire_->consume(at + 2);
            return true;
        }
        const auto status = wire_->fill(deadline);
        if (status != IoStatus::Ok) {
            lost(status);
            return false;
        }
    }
}

void H1Body::lost(IoStatus status) {
    if (status == IoStatus::Timeout) {
        end_ = End::silent;
    } else if (status == IoStatus::Eof &&
               (framing_ == Framing::until_close || framing_ == Framing::tunnel)) {
        end_ = End::whole;
    } else {
        end_ = End::cut;
    }
}

}  // namespace proxyd::test::protocol
