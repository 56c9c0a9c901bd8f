#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "proxyd/net/endpoint.hpp"

namespace proxyd::net {

/// The addresses of a host, or the servers of a service (SRV, RFC 2782).
struct Question {
    std::string name;
    bool srv = false;
    friend auto operator<=>(const Question&, const Question&) = default;
};

struct ResolverOptions {
    std::vector<std::string> servers;  ///< "10.0.0.2:53", "[::1]:53"; none = those of resolv.conf
    std::chrono::milliseconds limit{5'000};  ///< for all the names of one look_up()
};

/// One address behind a name. Priority and weight are those of SRV.
struct Target {
    std::string host;   ///< whose address it is: the name itself or the target of an SRV record
    Endpoint endpoint;  ///< port 0 for the addresses of a host
    std::uint16_t priority = 0;
    std::uint16_t weight = 1;

    /// The order of an answer's targets, whatever the records came in: by priority, then address.
    [[nodiscard]] std::pair<std::uint16_t, std::string> key() const {
        return {priority, endpoint.text()};
    }
};

/// The addresses of one family of one host are not known: no answer, or a server's failure.
struct Missing {
    std::string host;
    int family = 0;
};

/// What the name service says of one name: its addresses, each once, or why there are none.
struct NameAnswer {
    std::vector<Target> targets;   ///< ordered, so that the order of records plays no part
    std::chrono::seconds ttl{0};   ///< the smallest of all records
    std::vector<Missing> missing;  ///< what `targets` may lack
    std::string problem;           ///< "" = there are some
    bool stopped = false;          ///< no verdict: the caller asked for the end
};

/// Looks the names up at one time, in the hosts file and by DNS with the search domains of the
/// system. Returns an answer for each, in their order, when the last one is there, after the limit,
/// or when `stop` is asked for; what is missing then is a problem. Blocks: never on a loop.
[[nodiscard]] std::vector<NameAnswer> look_up(const std::vector<Question>& questions,
                                              const ResolverOptions& options = {},
                                              const std::stop_token& stop = {});

}  // namespace proxyd::net
