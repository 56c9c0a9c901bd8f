#pragma once

#include "support/headers.hpp"
#include "support/wire.hpp"

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::test {

// How a message ended on the wire. The first four are complete messages.
enum class MessageEnd {
    NoBody,           // the head says that there is none
    Length,           // Content-Length bytes came
    LastChunk,        // the last chunk and the end of the trailers came
    ConnectionClose,  // a body without framing, ended by the close of the connection
    NoHead,           // the connection ended before any byte
    CutHead,          // it ended inside the head
    CutLength,        // it ended before Content-Length bytes came
    CutChunks,        // it ended before the last chunk and its trailers
    BadHead,          // the head is not HTTP/1
    BadChunk,         // broken chunk framing
    Timeout,          // nothing came within the limit
};

std::string_view to_text(MessageEnd end);
std::ostream& operator<<(std::ostream& out, MessageEnd end);

struct Message {
    std::string start_line;
    std::string raw_head;  // with the empty line
    Headers headers;
    std::string body;  // the first bytes, as many as the reader was told to keep
    std::uint64_t body_size = 0;
    std::uint64_t body_digest = 0;
    std::vector<std::size_t> chunks;  // sizes as they came
    Headers trailers;
    MessageEnd end = MessageEnd::NoHead;
    IoStatus io = IoStatus::Ok;  // the last thing the transport said

    [[nodiscard]] bool complete() const { return end <= MessageEnd::ConnectionClose; }
};

struct Response : Message {
    std::string version;
    int status = 0;
    std::string reason;
    std::vector<Response> interim;  // 1xx answers that came before this one
};

struct Request : Message {
    std::string method;
    std::string target;
    std::string version;
    int connection = 0;  // which connection of the upstream, from 1
};

struct ReadOptions {
    Duration limit = kLimit;
    std::size_t keep_body = 4U << 20U;
    std::size_t receive_size = 65'536;
};

// Reads HTTP/1 messages off a wire and judges them as strictly as a careful peer would.
// Bytes behind a message stay in the wire's buffer.
bool read_response_head(Wire& wire, Response& response, const ReadOptions& options = {});
void read_response_body(Wire& wire, Response& response, std::string_view method,
                        const ReadOptions& options = {});
Response read_response(Wire& wire, std::string_view method, const ReadOptions& options = {});

bool read_request_head(Wire& wire, Request& request, const ReadOptions& options = {});
void read_request_body(Wire& wire, Request& request, const ReadOptions& options = {});

}  // namespace proxyd::test
