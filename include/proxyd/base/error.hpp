#pragma once

#include <string>
#include <utility>

#include "proxyd/base/reason.hpp"

namespace proxyd {

enum class Source : std::uint8_t { downstream, upstream, internal };

/// Whether the request may go out once more because of this error. `only_if_reused`: the
/// connection came from the pool and nothing of an answer was read (RFC 9112 9.3.1).
enum class Retry : std::uint8_t { no, yes, only_if_reused };

/// An error is a value. It knows who failed and whether a retry is safe.
struct Error {
    Reason code = Reason::internal_error;
    Source source = Source::internal;
    Retry retry = Retry::no;
    std::string detail;  ///< for the log and for clients on loopback

    Error() = default;
    explicit Error(Reason reason, Source from = Source::internal, Retry again = Retry::no,
                   std::string text = {})
        : code(reason), source(from), retry(again), detail(std::move(text)) {}
};

}  // namespace proxyd
