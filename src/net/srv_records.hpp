#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace proxyd::net {

struct SrvRecord {
    std::string host;
    std::uint16_t port = 0;
    std::uint16_t priority = 0;
    std::uint16_t weight = 0;
};
struct SrvRecords {
    std::vector<SrvRecord> records;
    std::chrono::seconds ttl{0};  ///< the smallest of the answer
    std::string problem;          ///< "" = there are some
};

/// Of a whole DNS message.
[[nodiscard]] SrvRecords parse_srv(std::span<const unsigned char> message);

}  // namespace proxyd::net
