#pragma once

#include "balancer.hpp"
#include "turns.hpp"

namespace proxyd::upstream {

/// nginx's `hash KEY consistent` (ketama): 160 points for each unit of weight on a ring, crc32 of
/// HOST 0 PORT PREVIOUS; a key belongs to the first point at or behind its crc32. A server that
/// cannot be had leaves its keys to those behind it and moves no other.
class Ketama final : public Balancer {
  public:
    Ketama(unsigned bound, std::span<const Peer> peers, Turns turns);
    [[nodiscard]] int pick(Candidates& candidates) const noexcept override;

  private:
    struct Point {
        std::uint32_t hash;
        std::uint16_t server;  ///< into servers_
    };
    [[nodiscard]] std::size_t first_point(std::uint32_t hash) const noexcept;
    template <class Fits>
    [[nodiscard]] int peer_of(const Candidates& candidates, std::uint16_t server,
                              Fits fits) const noexcept;

    const unsigned bound_;
    const Turns turns_;
    std::vector<std::vector<std::uint16_t>> servers_;  ///< peers of each: one name, many addresses
    std::vector<Point> points_;
};

}  // namespace proxyd::upstream
