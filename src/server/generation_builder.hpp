#pragma once

#include "proxyd/proxy/generation.hpp"
#include "proxyd/server/server.hpp"
#include "zones.hpp"

namespace proxyd::server {

/// Makes generations and owns what outlives them: the state of peers, the addresses of names, the
/// log files. build() and refresh_names() may run on another thread, one at a time; they block on
/// the name service until `stop` is asked for.
class GenerationBuilder {
  public:
    Result<NextGeneration> build(std::shared_ptr<const config::Snapshot> snapshot,
                                 const std::stop_token& stop);
    /// Looks up the names that are due. None: no address changed.
    std::optional<NextGeneration> refresh_names(std::shared_ptr<const config::Snapshot> snapshot,
                                                const std::stop_token& stop);

    /// How long until refresh_names() has something to do; none without names.
    [[nodiscard]] std::optional<std::chrono::milliseconds> refresh_after(
        const config::Snapshot& served);
    /// It is served from now on: lets go of what only former generations used.
    void adopted(const NextGeneration& next);
    [[nodiscard]] proxy::LogFiles& logs() noexcept { return logs_; }

  private:
    Result<NextGeneration> make(std::shared_ptr<const config::Snapshot> snapshot);

    upstream::StateRegistry states_;
    proxy::LogFiles logs_;
    Zones zones_;
    std::uint64_t served_addresses_ = 0;  ///< the version of the book that is served
};

}  // namespace proxyd::server
