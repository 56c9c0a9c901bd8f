#pragma once

#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "proxyd/net/endpoint.hpp"
#include "proxyd/net/resolver.hpp"

namespace proxyd::config {
struct Snapshot;
}

namespace proxyd::upstream {

/// The addresses of the names that servers have: those of the last look-up that gave any, so that
/// an outage of the name service takes no upstream down. Thread-safe; survives reloads.
class AddressBook {
  public:
    /// Looks the names up and records the answers. Returns a sentence for each that has none now.
    /// Blocks as net::look_up() does.
    std::vector<std::string> look_up(const std::set<std::string>& names,
                                     const std::stop_token& stop);
    std::vector<std::string> record(const std::vector<std::string>& names,
                                    std::vector<net::NameAnswer> answers);

    [[nodiscard]] std::vector<net::Endpoint> endpoints(const std::string& name,
                                                       std::uint16_t port) const;
    /// Those of `names` whose last look-up failed; its addresses may be old ones.
    [[nodiscard]] std::set<std::string> unanswered(const std::set<std::string>& names) const;
    /// Forgets every other name.
    void keep_only(const std::set<std::string>& names);

  private:
    struct Entry {
        std::vector<net::Endpoint> endpoints;
        bool answered = false;
    };

    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;
};

/// The names among the servers of every upstream.
[[nodiscard]] std::set<std::string> server_names(const config::Snapshot& snapshot);

}  // namespace proxyd::upstream
