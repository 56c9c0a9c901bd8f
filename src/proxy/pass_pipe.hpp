#pragma once

#include <memory>
#include <optional>

#include "exchange.hpp"

namespace proxyd::proxy {

class CacheFill;

/// From a fill whose answer is not shared to the exchange that began it: nothing is kept, a piece
/// is given when the one before was sent. One thread; shared by both ends.
struct PassPipe {
    // Written by the fill
    UpstreamFacts facts;  ///< for the log, whatever came of it
    const http::ResponseHead* head = nullptr;
    std::string_view data;
    http::SendOptions options;
    bool piece = false;  ///< `data` and `options` wait to be taken
    std::optional<Error> failed;
    Event given;
    CacheFill* fill = nullptr;  ///< while it runs
    // Written by the exchange
    bool reader_gone = false;
    Event taken;

    void fail(const Error& why) {
        if (!failed) failed = why;
        given.set();
    }
    /// The exchange has ended or does not want it. Often ends the fill: last action.
    void leave() {
        reader_gone = true;
        taken.set();
    }
};
using PassPipePtr = std::shared_ptr<PassPipe>;

}  // namespace proxyd::proxy
