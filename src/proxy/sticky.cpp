#include "sticky.hpp"

#include <algorithm>

#include "exchange.hpp"
#include "proxyd/base/hash.hpp"
#include "proxyd/policy/cookies.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

std::array<char, 16> hex(std::uint64_t number) {
    std::array<char, 16> digits{};
    for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, number >>= 4) {
        *digit = "0123456789abcdef"[number & 15];
    }
    return digits;
}

}  // namespace

StickyPeers::StickyPeers(const upstream::Group& group) : settings_(*group.settings().sticky) {
    for (const upstream::Peer& peer : group.peers()) {
        ids_.push_back(hex(stable_hash(group.settings().name + "\n" + peer.address)));
    }
    attributes_ = "; Path=/";
    if (settings_.ttl.count() > 0) {
        attributes_ += "; Max-Age=" + std::to_string(settings_.ttl.count() / 1000);
    }
    attributes_ += "; HttpOnly; SameSite=Lax";
}

int StickyPeers::find(std::string_view id) const noexcept {
    const auto found = std::ranges::find_if(
        ids_, [&](const Id& own) { return std::string_view(own.data(), own.size()) == id; });
    return found == ids_.end() ? -1 : static_cast<int>(found - ids_.begin());
}

std::string_view StickyPeers::set_cookie(std::size_t peer, bool secure, Arena& arena) const {
    std::string text(settings_.cookie);
    text.append("=").append(ids_[peer].data(), ids_[peer].size()).append(attributes_);
    if (secure) text += "; Secure";
    return arena.copy(text);
}

int take_sticky_peer(Exchange& exchange) {
    const StickyPeers* sticky = exchange.plan->sticky;
    if (sticky == nullptr) return -1;
    const std::string_view id =
        policy::take_cookie(exchange.outgoing.fields, sticky->settings().cookie, exchange.arena);
    return id.empty() ? -1 : sticky->find(id);
}

void keep_on_peer(Exchange& exchange) {
    const StickyPeers* sticky = exchange.plan->sticky;
    const upstream::Peer* peer = exchange.upstream.peer;
    if (sticky == nullptr || peer == nullptr) return;
    const auto index = static_cast<std::size_t>(peer - exchange.plan->group->peers().data());
    if (static_cast<int>(index) == exchange.sticky_peer) return;
    exchange.response.fields.add(
        http::FieldId::set_cookie,
        sticky->set_cookie(index, client_scheme(exchange) == http::Scheme::https, exchange.arena));
}

}  // namespace proxyd::proxy
