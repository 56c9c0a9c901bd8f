#pragma once

#include "proxyd/proxy/generation.hpp"
#include "proxyd/server/server.hpp"

namespace proxyd::server {

/// Makes generations and owns what outlives them: the state of peers, the addresses of names, the
/// log files. build() and retry_names() may run on another thread, one at a time; they block on the
/// name service until `stop` is asked for.
class GenerationBuilder {
  public:
    Result<NextGeneration> build(std::shared_ptr<const config::Snapshot> snapshot,
                                 const std::stop_token& stop);
    /// None: no name that was missing resolves.
    std::optional<NextGeneration> retry_names(std::shared_ptr<const config::Snapshot> snapshot,
                                              const std::stop_token& stop);

    [[nodiscard]] bool misses_names(const config::Snapshot& served);
    /// Lets go of what only former generations used.
    void forget_unused(const config::Snapshot& served);
    [[nodiscard]] proxy::LogFiles& logs() noexcept { return logs_; }

  private:
    upstream::StateRegistry states_;
    proxy::LogFiles logs_;
};

}  // namespace proxyd::server
