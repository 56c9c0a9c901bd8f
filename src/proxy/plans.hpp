#pragma once

#include <map>
#include <memory>
#include <vector>

#include "proxyd/cache/zone.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/policy/cookie_rules.hpp"
#include "proxyd/policy/header_rules.hpp"
#include "proxyd/policy/maps.hpp"
#include "proxyd/policy/methods.hpp"
#include "proxyd/policy/own_names.hpp"
#include "proxyd/policy/real_ip.hpp"
#include "proxyd/policy/split.hpp"
#include "proxyd/proxy/log_file.hpp"
#include "proxyd/routing/table.hpp"
#include "proxyd/upstream/attempt.hpp"
#include "sticky.hpp"

namespace proxyd::proxy {

/// An access log of the configuration, opened.
struct LogPlan {
    const config::AccessLog* settings = nullptr;
    std::shared_ptr<LogFile> file;
    vars::Template line;  ///< combined, combined_plus and custom; empty for json
};

/// Where copies of requests go.
struct MirrorPlan {
    const upstream::Group* group = nullptr;  ///< null = none are made
    unsigned percent = 0;
    config::EffectiveTimeouts timeouts;
};

/// Where answers are kept.
struct CachePlan {
    cache::ZonePtr zone;  ///< null = nowhere
    const config::Cache* settings = nullptr;
    bool url_key = false;  ///< `key` is the default: the URL
};

/// A policy, compiled. Shared by every location that has the same one.
struct PolicyPlan {
    const config::Policy* settings = nullptr;
    policy::AllowedMethods methods;
    policy::HeaderRules request_rules;
    policy::HeaderRules response_rules;
    const LogPlan* log = nullptr;  ///< null = off
    MirrorPlan mirror;
    CachePlan cache;
    policy::CookieRules cookie_rules;
};

struct SplitPlan;

/// What happens to the requests of a location. Shared by all that have the same policy and send to
/// the same upstream, so that it stays in the cache however many hosts there are.
struct LocationPlan {
    const PolicyPlan* policy = nullptr;
    const upstream::Group* group = nullptr;  ///< null unless the action is `upstream`
    config::EffectiveTimeouts timeouts;
    const StickyPeers* sticky = nullptr;          ///< null = none
    const policy::OwnNames* own_names = nullptr;  ///< of the group
    std::shared_ptr<const SplitPlan> split;  ///< null = none; then one of its plans stands for this
};

/// A `split`, compiled: the location once for each of its upstreams.
struct SplitPlan {
    explicit SplitPlan(const config::TrafficSplit& its_settings)
        : settings(its_settings), shares(its_settings) {}
    const config::TrafficSplit& settings;
    policy::SplitShares shares;
    std::vector<LocationPlan> plans;
};

/// What a Generation consists of.
struct Plans {
    std::shared_ptr<const routing::Table> routes;
    std::vector<std::unique_ptr<const LocationPlan>> plans;
    // Places in `plans`:
    std::vector<std::uint32_t> locations;  ///< by RoutedLocation::index
    std::vector<std::uint32_t> hosts;      ///< by RoutedHost::index: where no location matched
    std::uint32_t fallback = 0;            ///< where no host was found: `defaults`
    std::vector<std::unique_ptr<LogPlan>> logs;
    std::vector<std::unique_ptr<PolicyPlan>> policies;
    std::map<const upstream::Group*, std::unique_ptr<const StickyPeers>> sticky;
    std::map<const upstream::Group*, policy::OwnNames> own_names;
    std::unique_ptr<const policy::RealIp> real_ip;
    std::unique_ptr<const policy::Maps> maps;
};

}  // namespace proxyd::proxy
