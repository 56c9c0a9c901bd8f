#include "framing.hpp"

#include <charconv>
#include <cstring>
#include <utility>

#include "proxyd/base/text.hpp"

namespace proxyd::codec::h1 {
namespace {

using http::FieldId;
using http::Framing;

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighs = 0x8080808080808080ULL;

/// First byte below 0x20 or equal to 0x7f, other than TAB; `size` when there is none.
std::size_t find_control(const char* data, std::size_t from, std::size_t size) {
    std::size_t at = from;
    while (true) {
        while (at + 8 <= size) {
            std::uint64_t word = 0;
            std::memcpy(&word, data + at, 8);
            const std::uint64_t below = (word - kOnes * 0x20) & ~word & kHighs;
            const std::uint64_t del = word ^ (kOnes * 0x7f);
            const std::uint64_t is_del = (del - kOnes) & ~del & kHighs;
            if ((below | is_del) != 0) break;
            at += 8;
        }
        const std::size_t stop = std::min(at + 8, size);
        for (; at < stop; ++at) {
            const auto c = static_cast<unsigned char>(data[at]);
            if ((c < 0x20 && c != '\t') || c == 0x7f) return at;
        }
        if (at >= size) return size;
    }
}

Result<std::uint64_t> parse_length(std::string_view digits, Reason reason, Source source) {
    std::uint64_t length = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    // from_chars takes no '+' but a '-' is refused by the unsigned type only after reading it.
    if (digits.empty() || code != std::errc() || end != digits.data() + digits.size() ||
        digits.front() < '0' || digits.front() > '9' || length > INT64_MAX) {
        return Error(reason, source, Retry::no, "Content-Length is not a valid number");
    }
    return length;
}

}  // namespace

HeadScanner::Result HeadScanner::scan(std::span<char> data, bool unfold) {
    char* const text = data.data();
    const std::size_t size = data.size();
    while (true) {
        at_ = find_control(text, at_, size);
        if (at_ + 1 >= size) {
            return at_ < size && text[at_] != '\r' ? Result::bad : Result::need_more;
        }
        if (text[at_] != '\r' || text[at_ + 1] != '\n') return Result::bad;
        const bool empty = at_ == line_start_;
        const std::size_t next = at_ + 2;
        if (empty) {
            at_ = next;
            return Result::complete;
        }
        if (first_line_ == 0) first_line_ = at_;
        if (next >= size) return Result::need_more;  // at_ stays on the CR: scanned again
        if (text[next] == ' ' || text[next] == '\t') {
            if (!unfold || first_line_ == at_) return Result::bad;
            text[at_] = text[at_ + 1] = ' ';
        } else {
            line_start_ = next;
        }
        at_ = next;
    }
}

bool LineRules::take(std::string_view text) noexcept {
    for (const char c : text) {
        const char before = std::exchange(before_, c);
        const bool line_ends = before == '\r';
        const bool line_starts = before == '\n';
        if (line_ends != (c == '\n')) return false;
        if (line_starts && (c == ' ' || c == '\t' || c == ':')) return false;
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7f;
        if (control) return false;
    }
    return true;
}

bool connection_lists(const http::HeaderMap& fields, std::string_view token) {
    if (!fields.maybe(FieldId::connection)) return false;
    bool found = false;
    for (const http::Field& field : fields) {
        if (field.id != FieldId::connection) continue;
        text::for_each_element(field.value, [&](std::string_view element) {
            found = found || text::iequals(element, token);
            return !found;
        });
    }
    return found;
}

bool wants_keepalive(const http::HeaderMap& fields, http::Version version) {
    if (!fields.maybe(FieldId::connection)) return version == http::Version::http11;
    if (connection_lists(fields, "close")) return false;
    return version == http::Version::http11 || connection_lists(fields, "keep-alive");
}

namespace {

/// What both directions share: either field alone, in its one valid form.
Result<BodyFraming> declared_framing(const http::HeaderMap& fields, http::Version version,
                                     Reason bad, Reason unknown_coding, Source source) {
    const std::size_t codings = fields.count(FieldId::transfer_encoding);
    const std::size_t lengths = fields.count(FieldId::content_length);
    if (codings == 0 && lengths == 0) return BodyFraming{};
    if (codings != 0 && lengths != 0) {
        return Error(bad, source, Retry::no, "Content-Length beside Transfer-Encoding");
    }
    if (codings + lengths > 1) {
        return Error(bad, source, Retry::no, "the length of the body is given more than once");
    }
    if (lengths == 1) {
        auto length = parse_length(*fields.get(FieldId::content_length), bad, source);
        if (!length) return std::move(length).error();
        return BodyFraming{*length == 0 ? Framing::none : Framing::length, *length};
    }
    if (version != http::Version::http11) {
        return Error(bad, source, Retry::no, "Transfer-Encoding in HTTP/1.0");
    }
    const std::string_view coding = *fields.get(FieldId::transfer_encoding);
    if (!text::iequals(coding, "chunked")) {
        return Error(unknown_coding, source, Retry::no, "a transfer coding other than chunked");
    }
    return BodyFraming{Framing::chunked, 0};
}

}  // namespace

Result<BodyFraming> request_framing(const http::HeaderMap& fields, http::Version version) {
    return declared_framing(fields, version, Reason::bad_request, Reason::coding_unknown,
                            Source::downstream);
}

Result<BodyFraming> response_framing(const http::ResponseHead& head, bool head_request) {
    auto declared = declared_framing(head.fields, head.version, Reason::upstream_bad_response,
                                     Reason::upstream_bad_response, Source::upstream);
    if (!declared) return declared;
    if (head_request || !http::status_has_body(head.status)) {
        return BodyFraming{Framing::none, declared->length};
    }
    const bool has_length = head.fields.count(FieldId::content_length) != 0;
    if (declared->framing == Framing::none && !has_length)
        return BodyFraming{Framing::until_close, 0};
    return declared;
}

}  // namespace proxyd::codec::h1
