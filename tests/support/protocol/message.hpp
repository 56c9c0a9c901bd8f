#pragma once

#include "support/headers.hpp"
#include "support/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

// One client and one upstream that speak either version of HTTP, so that a behaviour is written
// once and shown for every pair of them.
namespace proxyd::test::protocol {

enum class Version { h1, h2 };

// How a message ended at whoever reads it.
enum class End {
    open,    // not yet
    whole,   // as its framing says it must
    cut,     // the connection or the stream broke off before that
    broken,  // the framing is not valid
    silent,  // nothing came within the limit
};
std::ostream& operator<<(std::ostream& out, End end);

// A request as a client wants it.
struct Ask {
    std::string method = "GET";
    std::string path = "/";
    std::string authority = "app.test";
    Headers fields;
    std::string body;
    std::optional<std::size_t> length;  // declared although the body comes in pieces
    bool chunked = false;               // a body (or what streams) without a declared length
    Headers trailers;                   // only with chunked
    std::string upgrade;                // "websocket": Upgrade, or extended CONNECT

    [[nodiscard]] bool has_body() const { return !body.empty() || length || chunked; }
};

Ask ask_for(std::string path);
Ask post(std::string body, std::string path = "/");

struct Interim {
    int status = 0;
    Headers fields;
};

// An answer as a client got it.
struct Answer {
    int status = 0;  // 0 = no head came
    Headers fields;
    std::vector<Interim> interim;
    std::string body;  // the first bytes, as many as were to be kept
    std::uint64_t size = 0;
    std::uint64_t digest = 0;
    Headers trailers;
    End end = End::open;

    [[nodiscard]] bool whole() const { return end == End::whole; }
};

// A request as an upstream got it.
struct Incoming {
    std::string method;
    std::string path;
    std::string authority;  // Host or :authority
    std::string scheme;     // only h2 has one
    Headers fields;         // without Host
    std::string body;
    std::uint64_t size = 0;
    std::uint64_t digest = 0;
    Headers trailers;
    End end = End::open;
    int connection = 0;  // from 1
};

}  // namespace proxyd::test::protocol
