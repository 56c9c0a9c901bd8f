#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "proxyd/base/pool.hpp"

namespace proxyd {

/// Bump allocator for text that lives as long as one exchange. Owned by the exchange, one thread.
/// Views stay valid until its destruction. Never fails but with std::bad_alloc.
class Arena {
  public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() {
        while (newest_ != nullptr) {
            Piece* const piece = std::exchange(newest_, newest_->older);
            pool_free(piece, piece->bytes);
        }
    }

    [[nodiscard]] char* allocate(std::size_t bytes) {
        if (bytes > left_) grow(bytes);
        char* place = next_;
        next_ += bytes;
        left_ -= bytes;
        return place;
    }

    [[nodiscard]] std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        char* place = allocate(text.size());
        std::memcpy(place, text.data(), text.size());
        return {place, text.size()};
    }

  private:
    struct Piece {
        Piece* older;
        std::size_t bytes;  ///< with this head
    };
    static constexpr std::size_t kFirst = 512, kLater = 2048;

    void grow(std::size_t wanted) {
        const std::size_t usual = newest_ == nullptr ? kFirst : kLater;
        const std::size_t needed = wanted + sizeof(Piece);
        const std::size_t bytes = needed > usual ? needed : usual;
        newest_ = new (pool_allocate(bytes)) Piece{newest_, bytes};
        next_ = reinterpret_cast<char*>(newest_ + 1);
        left_ = bytes - sizeof(Piece);
    }

    Piece* newest_ = nullptr;
    char* next_ = nullptr;
    std::size_t left_ = 0;
};

}  // namespace proxyd
