#include "proxyd/http/message.hpp"

#include <array>

namespace proxyd::http {
namespace {

struct Phrase {
    int status;
    std::string_view text;
};

// clang-format off
/// RFC 9110 15 and the registry of IANA.
constexpr Phrase kPhrases[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {418, "I'm a teapot"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
};
// clang-format on

constexpr int kFirstStatus = 100;

/// By status, so that one look finds the phrase.
constexpr auto kPhraseOf = [] {
    std::array<std::string_view, 512> table{};
    for (const Phrase& phrase : kPhrases) {
        table[static_cast<std::size_t>(phrase.status - kFirstStatus)] = phrase.text;
    }
    return table;
}();

}  // namespace

std::string_view version_text(Version version) noexcept {
    switch (version) {
        case Version::http10:
            return "1.0";
        case Version::http11:
            return "1.1";
        case Version::http2:
            return "2";
    }
    return {};
}

std::string_view scheme_text(Scheme scheme) noexcept {
    return scheme == Scheme::https ? "https" : "http";
}

std::string_view reason_phrase(int status) noexcept {
    const auto index = static_cast<std::size_t>(status - kFirstStatus);  // wraps below 100
    return index < kPhraseOf.size() ? kPhraseOf[index] : std::string_view{};
}

Method parse_method(std::string_view text) noexcept {
    struct Row {
        std::string_view text;
        Method method;
    };
    // The usual ones first.
    static constexpr Row kMethods[] = {
        {"GET", Method::get},         {"POST", Method::post},       {"HEAD", Method::head},
        {"PUT", Method::put},         {"DELETE", Method::delete_},  {"PATCH", Method::patch},
        {"OPTIONS", Method::options}, {"CONNECT", Method::connect}, {"TRACE", Method::trace},
    };
    for (const Row& row : kMethods) {
        if (row.text == text) return row.method;
    }
    return Method::other;
}

}  // namespace proxyd::http
