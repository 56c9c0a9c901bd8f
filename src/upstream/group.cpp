#include "proxyd/upstream/group.hpp"

#include "balancer/balancer.hpp"
#include "health_passive.hpp"
#include "upstream/peer_list.hpp"

namespace proxyd::upstream {

Group::Group() = default;
Group::~Group() = default;

std::shared_ptr<const Group> Group::make(std::shared_ptr<const config::Upstream> settings,
                                         StateRegistry& registry) {
    auto group = std::make_shared<Group>();
    group->settings_ = std::move(settings);
    const std::string& name = group->settings_->name;
    group->state_ = registry.group(name);
    group->peers_ = make_peers(*group->settings_, registry);
    for (const Peer& peer : group->peers_) {
        group->usable_ += peer.down ? 0 : 1;
        group->limited_ |= peer.max_conns != 0;
    }
    group->primaries_ =
        make_balancer(*group->settings_, group->peers_, false, group->state_->sequence);
    group->backups_ =
        make_balancer(*group->settings_, group->peers_, true, group->state_->backup_sequence);
    return group;
}

const vars::Template* Group::hash_key() const noexcept {
    return settings_->balance == config::Balance::hash ? &settings_->hash.key : nullptr;
}

int Group::pick(const PickRequest& request) const noexcept {
    Candidates candidates(peers_, request, usable_ == 1);
    if (request.preferred >= 0) {
        const auto preferred = static_cast<std::size_t>(request.preferred);
        if (candidates.fit_for_its_client(preferred) && candidates.take(preferred)) {
            return request.preferred;
        }
    }
    const int primary = primaries_->pick(candidates);
    return primary >= 0 ? primary : backups_->pick(candidates);
}

void Group::release(const Peer& peer) const noexcept {
    peer.state->leave();
    if (limited_ && state_->waiting.size() != 0) state_->waiting.serve();
}

Group::Outlook Group::outlook(const PickRequest& request) const noexcept {
    Outlook outlook = Outlook::dead;
    const Candidates candidates(peers_, request, usable_ == 1);
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        if (candidates.fit(i)) return Outlook::open;
        if (candidates.full(i)) outlook = Outlook::busy;
    }
    return outlook;
}

std::uint64_t Group::attempts() const noexcept {
    std::uint64_t all = 0;
    for (const Peer& peer : peers_) all += peer.state->requests.load(std::memory_order_relaxed);
    return all;
}

void Group::report_failure(const Peer& peer, std::int64_t now, Reason why) const {
    note_failure(*this, peer, now, why);
}

void Group::report_success(const Peer& peer) const noexcept {
    peer.state->succeeded();
}

}  // namespace proxyd::upstream
