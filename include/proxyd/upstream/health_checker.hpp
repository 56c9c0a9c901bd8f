#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::upstream {

class ClientContexts;
class PeerCheck;

/// A peer that is to be checked.
struct CheckedPeer {
    Peer peer;
    std::shared_ptr<const config::Upstream> upstream;  ///< has a health_check
};
/// Those of a group; none where it has no health_check. What is down by configuration is left out.
void append_checked_peers(const Group& group, std::vector<CheckedPeer>& peers);

/// The active checks of the whole process; the workers see its verdicts in PeerState. On one loop,
/// which serves nobody else. At most kMostAtOnce checks run at one time, so that descriptors
/// remain for the traffic; the others wait.
class HealthChecker {
  public:
    static constexpr std::size_t kMostAtOnce = 256;

    explicit HealthChecker(async::Loop& loop);
    ~HealthChecker();
    HealthChecker(const HealthChecker&) = delete;
    HealthChecker& operator=(const HealthChecker&) = delete;

    /// From now on these. A check that is the same as before goes on, a new one begins; a peer
    /// that is not checked any more counts as healthy.
    void watch(const std::vector<CheckedPeer>& peers);
    /// Ends all of them, verdicts stay; returns when the last has ended.
    Task<void> finish();

    [[nodiscard]] async::Loop& loop() noexcept { return loop_; }
    [[nodiscard]] async::TaskScope& running() noexcept { return running_; }
    [[nodiscard]] ClientContexts& contexts() noexcept { return *contexts_; }

  private:
    async::Loop& loop_;
    std::unique_ptr<ClientContexts> contexts_;
    async::TaskScope running_;
    std::map<std::size_t, std::shared_ptr<PeerCheck>> checks_;  ///< by PeerState::id()
};

}  // namespace proxyd::upstream
