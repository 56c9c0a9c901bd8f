#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>

#include "proxyd/async/deadline_wheel.hpp"

namespace proxyd::net::tls {

/// The keys of session tickets: one set for the whole process, so that any worker resumes what any
/// other began, and through every reload. A new one takes over each kRotateEvery; old ones open
/// tickets as long as those may be used. Any thread; once for each handshake that has a ticket.
class TicketKeys {
  public:
    static constexpr std::size_t kNameBytes = 16;
    struct Key {
        Key() = default;
        Key(const Key&) = delete;
        Key& operator=(const Key&) = delete;
        ~Key();
        std::array<unsigned char, kNameBytes> name{};
        std::array<unsigned char, 32> encryption{}, authentication{};
        async::Milliseconds since = 0;
    };
    using KeyPtr = std::shared_ptr<const Key>;

    static constexpr std::chrono::hours kRotateEvery{1};
    /// How long a client may come back with a ticket.
    static constexpr std::chrono::hours kLifetime{6};

    explicit TicketKeys(const async::Clock& clock = async::coarse_clock()) : clock_(clock) {}

    /// What new tickets are made with; null: the system has no random bytes.
    [[nodiscard]] KeyPtr current();
    /// Null: unknown or too old.
    [[nodiscard]] KeyPtr find(const unsigned char* name);

  private:
    void rotate();

    const async::Clock& clock_;
    std::mutex mutex_;
    std::deque<KeyPtr> keys_;  ///< the newest first
};

}  // namespace proxyd::net::tls
