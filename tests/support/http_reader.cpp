#include "support/http_reader.hpp"

#include "support/digest.hpp"

#include <algorithm>
#include <charconv>
#include <ostream>

namespace proxyd::test {
namespace {

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return std::nullopt;
    }
    return number;
}

bool parse_fields(std::string_view lines, Headers& headers) {
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        const auto line = lines.substr(0, end);
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 2);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || line[colon - 1] == ' ' ||
            line.find_first_of("\r\n") != std::string_view::npos) {
            return false;
        }
        headers.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
    }
    return true;
}

class BodyReader {
  public:
    BodyReader(Wire& wire, Message& message, const ReadOptions& options)
        : wire_(wire), message_(message), options_(options), deadline_(options.limit) {}

    void read_length(std::uint64_t length) {
        finish(take(length) ? MessageEnd::Length : cut(MessageEnd::CutLength));
    }

    void read_until_close() {
        while (more()) {
            take(wire_.view().size());
        }
        finish(message_.io == IoStatus::Eof ? MessageEnd::ConnectionClose
                                            : cut(MessageEnd::CutLength));
    }

    void read_chunked() {
        while (true) {
            const auto line = read_line();
            if (!line) {
                return finish(cut(MessageEnd::CutChunks));
            }
            const auto size = parse_number<std::uint64_t>(line->substr(0, line->find(';')), 16);
            if (!size) {
                return finish(MessageEnd::BadChunk);
            }
            if (*size == 0) {
                return read_trailers();
            }
            message_.chunks.push_back(*size);
            if (!take(*size)) {
                return finish(cut(MessageEnd::CutChunks));
            }
            const auto end = read_line();
            if (!end) {
                return finish(cut(MessageEnd::CutChunks));
            }
            if (!end->empty()) {
                return finish(MessageEnd::BadChunk);
            }
        }
    }

    void finish(MessageEnd end) {
        message_.end = end;
        message_.body_digest = digest_.value();
    }

  private:
    bool more() {
        if (!wire_.view().empty()) {
            return true;
        }
        message_.io = wire_.fill(deadline_, options_.receive_size);
        return message_.io == IoStatus::Ok;
    }

    bool take(std::uint64_t count) {
        while (count > 0) {
            if (!more()) {
                return false;
            }
            const auto part = wire_.view().substr(0, count);
            digest_.add(part);
            message_.body_size += part.size();
            const auto room =
                options_.keep_body - std::min(options_.keep_body, message_.body.size());
            message_.body += part.substr(0, room);
            count -= part.size();
            wire_.consume(part.size());
        }
        return true;
    }

    std::optional<std::string> read_line() {
        while (true) {
            const auto end = wire_.view().find("\r\n");
            if (end != std::string_view::npos) {
                std::string line(wire_.view().substr(0, end));
                wire_.consume(end + 2);
                return line;
            }
            message_.io = wire_.fill(deadline_, options_.receive_size);
            if (message_.io != IoStatus::Ok) {
                return std::nullopt;
            }
        }
    }

    void read_trailers() {
        std::string lines;
        while (true) {
            const auto line = read_line();
            if (!line) {
                return finish(cut(MessageEnd::CutChunks));
            }
            if (line->empty()) {
                break;
            }
            lines += *line + "\r\n";
        }
        finish(parse_fields(lines, message_.trailers) ? MessageEnd::LastChunk
                                                      : MessageEnd::BadChunk);
    }

    MessageEnd cut(MessageEnd end) const {
        return message_.io == IoStatus::Timeout ? MessageEnd::Timeout : end;
    }

    Wire& wire_;
    Message& message_;
    const ReadOptions& options_;
    Deadline deadline_;
    Digest digest_;
};

bool read_head(Wire& wire, Message& message, const ReadOptions& options) {
    const Deadline deadline(options.limit);
    std::size_t end = 0;
    while ((end = wire.view().find("\r\n\r\n")) == std::string_view::npos) {
        message.io = wire.fill(deadline, options.receive_size);
        if (message.io != IoStatus::Ok) {
            message.raw_head = wire.view();
            message.end = message.io == IoStatus::Timeout ? MessageEnd::Timeout
                          : wire.view().empty()           ? MessageEnd::NoHead
                                                          : MessageEnd::CutHead;
            return false;
        }
    }
    message.raw_head = wire.view().substr(0, end + 4);
    wire.consume(end + 4);
    const std::string_view head(message.raw_head);
    const auto line_end = head.find("\r\n");
    message.start_line = head.substr(0, line_end);
    const auto fields = head.substr(line_end + 2, head.size() - line_end - 4);
    if (!parse_fields(fields, message.headers)) {
        message.end = MessageEnd::BadHead;
        return false;
    }
    return true;
}

// Reads the body that the framing fields announce; false when they announce none.
bool read_framed_body(Wire& wire, Message& message, const ReadOptions& options) {
    BodyReader reader(wire, message, options);
    const auto lengths = message.headers.all("Content-Length");
    const auto codings = message.headers.all("Transfer-Encoding");
    if (!codings.empty()) {
        if (codings.size() == 1 && equal_ignoring_case(codings[0], "chunked") && lengths.empty()) {
            reader.read_chunked();
        } else {
            reader.finish(MessageEnd::BadHead);
        }
        return true;
    }
    if (lengths.empty()) {
        return false;
    }
    const auto length = parse_number<std::uint64_t>(lengths[0]);
    if (length && lengths.size() == 1) {
        reader.read_length(*length);
    } else {
        reader.finish(MessageEnd::BadHead);
    }
    return true;
}

}  // namespace

std::string_view to_text(MessageEnd end) {
    switch (end) {
        case MessageEnd::NoBody:
            return "complete (no body)";
        case MessageEnd::Length:
            return "complete (length)";
        case MessageEnd::LastChunk:
            return "complete (last chunk)";
        case MessageEnd::ConnectionClose:
            return "complete (until close)";
        case MessageEnd::NoHead:
            return "closed without a byte";
        case MessageEnd::CutHead:
            return "cut in the head";
        case MessageEnd::CutLength:
            return "cut in the body";
        case MessageEnd::CutChunks:
            return "cut without last chunk";
        case MessageEnd::BadHead:
            return "bad head";
        case MessageEnd::BadChunk:
            return "bad chunk framing";
        case MessageEnd::Timeout:
            return "time limit";
    }
    return "?";
}

std::ostream& operator<<(std::ostream& out, MessageEnd end) {
    return out << to_text(end);
}

bool read_response_head(Wire& wire, Response& response, const ReadOptions& options) {
    if (!read_head(wire, response, options)) {
        return false;
    }
    const std::string_view line(response.start_line);
    const auto status = line.size() >= 12 ? parse_number<int>(line.substr(9, 3)) : std::nullopt;
    const bool shape =
        line.starts_with("HTTP/1.") && line.size() >= 13 && line[8] == ' ' && line[12] == ' ';
    if (!status || !shape) {
        response.end = MessageEnd::BadHead;
        return false;
    }
    response.version = line.substr(0, 8);
    response.status = *status;
    response.reason = line.substr(13);
    return true;
}

void read_response_body(Wire& wire, Response& response, std::string_view method,
                        const ReadOptions& options) {
    BodyReader reader(wire, response, options);
    const int status = response.status;
    if (method == "HEAD" || status < 200 || status == 204 || status == 304) {
        reader.finish(MessageEnd::NoBody);
    } else if (!read_framed_body(wire, response, options)) {
        reader.read_until_close();
    }
}

Response read_response(Wire& wire, std::string_view method, const ReadOptions& options) {
    std::vector<Response> interim;
    while (true) {
        Response response;
        if (!read_response_head(wire, response, options)) {
            response.interim = std::move(interim);
            return response;
        }
        if (response.status < 200 && response.status != 101) {
            response.end = MessageEnd::NoBody;
            interim.push_back(std::move(response));
            continue;
        }
        read_response_body(wire, response, method, options);
        response.interim = std::move(interim);
        return response;
    }
}

bool read_request_head(Wire& wire, Request& request, const ReadOptions& options) {
    if (!read_head(wire, request, options)) {
        return false;
    }
    const std::string_view line(request.start_line);
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        request.end = MessageEnd::BadHead;
        return false;
    }
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, last - first - 1);
    request.version = line.substr(last + 1);
    return true;
}

void read_request_body(Wire& wire, Request& request, const ReadOptions& options) {
    if (!read_framed_body(wire, request, options)) {
        BodyReader(wire, request, options).finish(MessageEnd::NoBody);
    }
}

}  // namespace proxyd::test
