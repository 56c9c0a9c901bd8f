#pragma once

#include <algorithm>
#include <memory>

#include "output.hpp"
#include "proxyd/base/arena.hpp"
#include "proxyd/http/header_map.hpp"
#include "session.hpp"

namespace proxyd::codec::h2 {

/// What is still to be sent of a stream's body: bytes of its own, then a view of the sender's.
struct Outflow {
    struct Trailers {
        http::HeaderMap fields;
        Arena text;
    };

    [[nodiscard]] std::size_t waiting() const noexcept { return queue.size() + pending.size(); }

    void keep_pending() {
        queue.append(pending);
        pending = {};
    }
    void set_trailers(const http::HeaderMap& given) {
        trailers = std::make_unique<Trailers>();
        for (const http::Field& field : given) {
            trailers->fields.add(field.id, trailers->text.copy(field.name),
                                 trailers->text.copy(field.value));
        }
    }

    [[nodiscard]] SessionStream::Supply supply(std::size_t max) const noexcept {
        SessionStream::Supply supply;
        supply.bytes = std::min(max, waiting());
        supply.end = end && supply.bytes == waiting();
        if (supply.end && trailers) supply.trailers = &trailers->fields;
        return supply;
    }
    void take(char* into, std::size_t bytes) noexcept {
        const std::size_t own = std::min(bytes, queue.size());
        if (own != 0) {
            std::memcpy(into, queue.view().data(), own);
            queue.consume(own);
        }
        if (bytes == own) return;
        std::memcpy(into + own, pending.data(), bytes - own);
        pending.remove_prefix(bytes - own);
    }

    Output queue;
    std::string_view pending;
    bool end = false;  ///< nothing will be added
    std::unique_ptr<Trailers> trailers;
};

}  // namespace proxyd::codec::h2
