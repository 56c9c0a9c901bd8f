#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "proxyd/async/deadline_wheel.hpp"
#include "proxyd/net/resolver.hpp"

namespace proxyd::config {
struct Snapshot;
}

namespace proxyd::upstream {

using Names = std::set<net::Question>;

/// The addresses of the names that servers have: those of the last look-up that gave any, so that
/// an outage of the name service takes no upstream down, and when each name is to be looked up
/// again. Thread-safe; survives reloads.
class AddressBook {
  public:
    /// What a look-up brought, in sentences.
    struct News {
        std::vector<std::string> problems;  ///< of every name without an answer
        std::vector<std::string> losses;    ///< those of them that had one the time before
        std::vector<std::string> changes;   ///< what came and went
    };

    /// Looks the names up and records the answers. Blocks as net::look_up() does.
    News look_up(const Names& names, const net::ResolverOptions& options,
                 const std::stop_token& stop);
    /// `now` in ms, monotonic.
    News record(const std::vector<net::Question>& names, std::vector<net::NameAnswer> answers,
                async::Milliseconds now);

    /// In an order that look-ups keep; empty when the name never resolved.
    [[nodiscard]] std::vector<net::Target> targets(const net::Question& name) const;
    /// Those of `names` whose TTL is over; when there are none, those whose last look-up failed some
    /// time ago, so that nobody waits for them who gets an answer.
    [[nodiscard]] Names due(const Names& names, async::Milliseconds now) const;
    /// The moment when the first of them is due; none without names.
    [[nodiscard]] std::optional<async::Milliseconds> next_due(const Names& names) const;
    /// Counts the changes of addresses.
    [[nodiscard]] std::uint64_t version() const;
    /// Forgets every other name.
    void keep_only(const Names& names);

  private:
    struct Entry {
        std::vector<net::Target> targets;
        async::Milliseconds due = 0;
        std::chrono::milliseconds retry_after{0};  ///< 0: the last look-up succeeded
        bool asked = false;
    };
    void take(const net::Question& name, Entry& entry, net::NameAnswer answer, News& news,
              async::Milliseconds now);
    static void note_failure(const net::Question& name, Entry& entry, const std::string& why,
                             News& news, async::Milliseconds now);

    mutable std::mutex mutex_;
    std::map<net::Question, Entry> entries_;
    std::uint64_t version_ = 0;
};

/// What the servers of every upstream ask the name service for.
[[nodiscard]] Names server_names(const config::Snapshot& snapshot);
[[nodiscard]] net::ResolverOptions resolver_options(const config::Snapshot& snapshot);

}  // namespace proxyd::upstream
