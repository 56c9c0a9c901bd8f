#include "writer.hpp"

#include <charconv>

namespace proxyd::codec::h1 {
namespace {

using http::FieldId;
using http::FieldSet;
using http::Framing;

constexpr FieldSet kOwn(FieldId::connection, FieldId::upgrade, FieldId::content_length,
                        FieldId::transfer_encoding, FieldId::keep_alive,
                        FieldId::proxy_connection, FieldId::te);

void write_number(std::string& out, std::uint64_t value, int base = 10) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
    out.append(digits, end);
}

void write_fields(std::string& out, const http::HeaderMap& fields, FieldSet skip) {
    std::size_t bytes = 0;
    for (const http::Field& field : fields) bytes += field.name.size() + field.value.size() + 4;
    out.reserve(out.size() + bytes + 128);
    for (const http::Field& field : fields) {
        if (skip.contains(field.id)) continue;
        out.append(field.name).append(": ").append(field.value).append("\r\n");
    }
}

void write_length(std::string& out, std::uint64_t length) {
    out.append("Content-Length: ");
    write_number(out, length);
    out.append("\r\n");
}

void write_status_line(std::string& out, const http::ResponseHead& head) {
    out.append("HTTP/1.1 ");
    write_number(out, static_cast<std::uint64_t>(head.status));
    out.append(" ").append(head.reason_phrase).append("\r\n");
}

}  // namespace

void write_response_head(std::string& out, const http::ResponseHead& head,
                         const ResponseFraming& framing) {
    write_status_line(out, head);
    write_fields(out, head.fields, kOwn);
    if (framing.chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (head.framing == Framing::length) {
        write_length(out, head.content_length);
    } else if (head.framing == Framing::none && http::status_has_body(head.status)) {
        write_length(out, 0);
    }
    if (!framing.keepalive) {
        out.append("Connection: close\r\n");
    } else if (framing.client_is_http10) {
        out.append("Connection: keep-alive\r\n");
    }
    out.append("\r\n");
}

void write_informational(std::string& out, const http::ResponseHead& head,
                         std::string_view upgrade) {
    write_status_line(out, head);
    write_fields(out, head.fields, kOwn);
    if (!upgrade.empty()) {
        out.append("Connection: upgrade\r\nUpgrade: ").append(upgrade).append("\r\n");
    }
    out.append("\r\n");
}

void write_request_head(std::string& out, const http::RequestHead& head) {
    out.append(head.method_text).append(" ").append(head.target).append(" HTTP/1.1\r\n");
    write_fields(out, head.fields, kOwn);
    if (head.framing == Framing::length) {
        write_length(out, head.content_length);
    } else if (head.framing == Framing::chunked) {
        out.append("Transfer-Encoding: chunked\r\n");
    } else if (head.method == http::Method::post || head.method == http::Method::put ||
               head.method == http::Method::patch) {
        write_length(out, 0);  // RFC 9110 8.6
    }
    if (!head.upgrade.empty()) {
        out.append("Connection: upgrade\r\nUpgrade: ").append(head.upgrade).append("\r\n");
    }
    out.append("\r\n");
}

void write_chunk_size(std::string& out, std::size_t size) {
    write_number(out, size, 16);
    out.append("\r\n");
}

void write_last_chunk(std::string& out, const http::HeaderMap* trailers) {
    out.append("0\r\n");
    if (trailers != nullptr) write_fields(out, *trailers, kOwn);
    out.append("\r\n");
}

}  // namespace proxyd::codec::h1
