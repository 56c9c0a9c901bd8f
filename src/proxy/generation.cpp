#include "proxyd/proxy/generation.hpp"

#include <map>
#include <tuple>
#include <unordered_map>

#include "access_log.hpp"
#include "answer_fields.hpp"
#include "plans.hpp"

namespace proxyd::proxy {
namespace {

/// The default of `cache.key`.
constexpr std::string_view kUrlKey = "$scheme$host$request_uri";

/// Fills the Plans of one snapshot; equal policies and logs are compiled once.
class PlanBuilder {
  public:
    PlanBuilder(const config::Snapshot& snapshot, LogFiles& files, Plans& plans)
        : snapshot_(snapshot), files_(files), plans_(plans) {}

    using Groups = std::map<std::string, std::shared_ptr<const upstream::Group>>;
    using Zones = std::map<std::string, cache::ZonePtr>;

    Result<void> build(const Groups& groups, const Zones& zones) {
        groups_ = &groups;
        zones_ = &zones;
        plans_.locations.reserve(plans_.routes->locations().size());
        for (const routing::RoutedLocation& routed : plans_.routes->locations()) {
            auto plan = location(routed.config->policy.get(), &routed.config->action);
            if (!plan) return std::move(plan).error();
            plans_.locations.push_back(*plan);
        }
        plans_.hosts.resize(plans_.routes->hosts().size());
        for (const routing::RoutedHost& routed : plans_.routes->hosts()) {
            auto plan = location(routed.config->policy.get(), nullptr);
            if (!plan) return std::move(plan).error();
            plans_.hosts[routed.index] = *plan;
        }
        auto fallback = location(snapshot_.default_policy.get(), nullptr);
        if (!fallback) return std::move(fallback).error();
        plans_.fallback = *fallback;
        return {};
    }

  private:
    /// `action` null: none is found.
    Result<std::uint32_t> location(const config::Policy* settings, const config::Action* action) {
        const bool sends = action != nullptr && action->kind == config::Action::Kind::upstream;
        const config::TrafficSplit* const shares = sends ? action->split.get() : nullptr;
        const upstream::Group* const group =
            sends && shares == nullptr ? groups_->at(action->upstream).get() : nullptr;
        const auto known = known_.find({settings, group, shares});
        if (known != known_.end()) return known->second;
        auto compiled = policy(settings);
        if (!compiled) return std::move(compiled).error();
        LocationPlan plan;
        plan.policy = *compiled;
        plan.timeouts = config::effective(settings->timeouts, {});
        if (group != nullptr) send_to(plan, *group);
        if (shares != nullptr) plan.split = split(*shares, plan);
        const auto place = static_cast<std::uint32_t>(plans_.plans.size());
        plans_.plans.push_back(std::make_unique<const LocationPlan>(std::move(plan)));
        known_.emplace(std::tuple(settings, group, shares), place);
        return place;
    }

    void send_to(LocationPlan& plan, const upstream::Group& group) {
        plan.group = &group;
        const auto [names, fresh] = plans_.own_names.try_emplace(&group);
        if (fresh) names->second = own_names_of(group);
        plan.own_names = &names->second;
        if (group.settings().sticky) {
            auto& known = plans_.sticky[&group];
            if (known == nullptr) known = std::make_unique<const StickyPeers>(group);
            plan.sticky = known.get();
        }
        plan.timeouts =
            config::effective(plan.policy->settings->timeouts, group.settings().timeouts);
    }

    std::shared_ptr<const SplitPlan> split(const config::TrafficSplit& settings,
                                           const LocationPlan& location) {
        auto split = std::make_shared<SplitPlan>(settings);
        for (const config::TrafficSplit::Share& share : settings.shares) {
            send_to(split->plans.emplace_back(location), *groups_->at(share.upstream));
        }
        return split;
    }

    Result<const PolicyPlan*> policy(const config::Policy* settings) {
        const PolicyPlan*& known = policies_[settings];
        if (known != nullptr) return known;
        auto plan = std::make_unique<PolicyPlan>();
        plan->settings = settings;
        plan->methods = policy::AllowedMethods(settings->methods);
        plan->request_rules = policy::HeaderRules(settings->request_headers);
        plan->response_rules = policy::HeaderRules(settings->response_headers);
        if (settings->mirror) {
            const upstream::Group& shadow = *groups_->at(settings->mirror->upstream);
            plan->mirror.group = &shadow;
            plan->mirror.percent = settings->mirror->percent;
            plan->mirror.timeouts = config::effective({}, shadow.settings().timeouts);
        }
        plan->cookie_rules = policy::CookieRules(*settings);
        if (settings->cache) plan->cache = cache_plan(*settings->cache);
        auto log = log_of(settings->access_log.get());
        if (!log) return std::move(log).error();
        plan->log = *log;
        known = plan.get();
        plans_.policies.push_back(std::move(plan));
        return known;
    }

    [[nodiscard]] CachePlan cache_plan(const config::Cache& settings) const {
        CachePlan plan;
        plan.zone = zones_->at(settings.zone);
        plan.settings = &settings;
        plan.url_key = settings.key.source() == kUrlKey;
        return plan;
    }

    Result<const LogPlan*> log_of(const config::AccessLog* settings) {
        if (settings == nullptr || settings->format == config::AccessLog::Format::off) {
            return static_cast<const LogPlan*>(nullptr);
        }
        const LogPlan*& known = logs_[settings];
        if (known != nullptr) return known;
        auto file = files_.open(settings->path);
        if (!file) return std::move(file).error();
        auto plan = std::make_unique<LogPlan>();
        plan->settings = settings;
        plan->file = std::move(*file);
        plan->line = log_template(*settings);
        known = plan.get();
        plans_.logs.push_back(std::move(plan));
        return known;
    }

    const config::Snapshot& snapshot_;
    LogFiles& files_;
    Plans& plans_;
    const Groups* groups_ = nullptr;
    const Zones* zones_ = nullptr;
    std::map<std::tuple<const config::Policy*, const upstream::Group*, const config::TrafficSplit*>,
             std::uint32_t>
        known_;  ///< places in Plans::plans
    std::unordered_map<const config::Policy*, const PolicyPlan*> policies_;
    std::unordered_map<const config::AccessLog*, const LogPlan*> logs_;
};

}  // namespace

Generation::~Generation() = default;

const routing::Table& Generation::routes() const noexcept {
    return *plans_->routes;
}

Result<std::shared_ptr<const Generation>> Generation::build(
    std::shared_ptr<const config::Snapshot> snapshot, upstream::StateRegistry& states,
    LogFiles& logs, const ZoneSource& zones) {
    std::shared_ptr<Generation> generation(new Generation);
    generation->snapshot_ = snapshot;
    for (const auto& [name, settings] : snapshot->upstreams) {
        generation->groups_.emplace(name, upstream::Group::make(settings, states));
    }
    for (const auto& [name, settings] : snapshot->caches) {
        generation->zones_.emplace(name, zones(settings));
    }
    generation->plans_ = std::make_unique<Plans>();
    Plans& plans = *generation->plans_;
    auto routes = routing::Table::build(snapshot);
    if (!routes) return std::move(routes).error();
    plans.routes = std::move(*routes);
    auto maps = policy::Maps::build(*snapshot);
    if (!maps) return std::move(maps).error();
    plans.maps = std::move(*maps);
    plans.real_ip = std::make_unique<const policy::RealIp>(*snapshot);
    PlanBuilder builder(*snapshot, logs, plans);
    if (auto built = builder.build(generation->groups_, generation->zones_);
        !built) return std::move(built).error();
    return std::shared_ptr<const Generation>(std::move(generation));
}

}  // namespace proxyd::proxy
