#pragma once

#include <memory>

#include "health_probe.hpp"
#include "proxyd/upstream/health_checker.hpp"

namespace proxyd::upstream {

/// The checks of one peer, one after the other, and the verdict. Shared by the checker and the
/// check that runs; on the checker's loop.
class PeerCheck : public std::enable_shared_from_this<PeerCheck> {
  public:
    PeerCheck(HealthChecker& checker, CheckedPeer peer);

    void start();
    /// No further check; one that runs ends without a verdict.
    void retire();
    [[nodiscard]] bool same_as(const CheckedPeer& peer) const;
    [[nodiscard]] PeerState& state() const noexcept { return *peer_.peer.state; }
    [[nodiscard]] const config::HealthCheck& settings() const noexcept {
        return *peer_.upstream->health_check;
    }

  private:
    void begin();
    static Task<void> check(std::shared_ptr<PeerCheck> self);
    void schedule(async::Milliseconds began);
    void judge(const std::string& cause);
    void passed();
    void failed(const std::string& cause);

    HealthChecker& checker_;
    CheckedPeer peer_;
    ProbePlan plan_;
    async::Deadline next_;
    HealthProbe* probe_ = nullptr;
    async::Milliseconds began_ = 0;  ///< of the check that runs
    unsigned passed_in_row_ = 0, failed_in_row_ = 0;
    bool retired_ = false;
};

}  // namespace proxyd::upstream
