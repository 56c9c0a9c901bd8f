#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <functional>
#include <memory>

#include "proxyd/base/result.hpp"
#include "proxyd/cache/zone.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/proxy/log_file.hpp"
#include "proxyd/upstream/group.hpp"

namespace proxyd::routing {
class Table;
}

namespace proxyd::proxy {

struct Plans;

/// The zone that stands for an entry of `caches`: the one that is there, or a new one.
using ZoneSource = std::function<cache::ZonePtr(const config::CacheZone&)>;

/// Everything that exchanges need, built from one Snapshot off the workers: routes, groups, header
/// rules, log formats. Immutable, shared by the workers.
class Generation {
  public:
    /// Errors: a log file that can't be opened, an expression that does not compile.
    static Result<std::shared_ptr<const Generation>> build(
        std::shared_ptr<const config::Snapshot> snapshot, upstream::StateRegistry& states,
        LogFiles& logs, const ZoneSource& zones = {});
    ~Generation();

    [[nodiscard]] const config::Snapshot& snapshot() const noexcept { return *snapshot_; }
    [[nodiscard]] const std::shared_ptr<const config::Snapshot>& shared_snapshot() const noexcept {
        return snapshot_;
    }
    [[nodiscard]] const Plans& plans() const noexcept { return *plans_; }
    [[nodiscard]] const routing::Table& routes() const noexcept;
    /// By name of the upstream, for status.
    [[nodiscard]] const std::map<std::string, std::shared_ptr<const upstream::Group>>& groups()
        const noexcept {
        return groups_;
    }
    [[nodiscard]] const std::map<std::string, cache::ZonePtr>& zones() const noexcept {
        return zones_;
    }

  private:
    Generation() = default;
    std::shared_ptr<const config::Snapshot> snapshot_;
    std::map<std::string, std::shared_ptr<const upstream::Group>> groups_;
    std::map<std::string, cache::ZonePtr> zones_;
    std::unique_ptr<Plans> plans_;
};

/// One worker's reference to a generation: exchanges count on it without atomics. The last one
/// hands the shared object to `retire`, which takes it off the worker before destroying it.
class WorkerGeneration
    : public boost::intrusive_ref_counter<WorkerGeneration, boost::thread_unsafe_counter> {
  public:
    using Retire = std::function<void(std::shared_ptr<const Generation>)>;
    WorkerGeneration(std::shared_ptr<const Generation> generation, Retire retire)
        : generation_(std::move(generation)), retire_(std::move(retire)) {}
    ~WorkerGeneration() { retire_(std::move(generation_)); }
    WorkerGeneration(const WorkerGeneration&) = delete;
    WorkerGeneration& operator=(const WorkerGeneration&) = delete;
    [[nodiscard]] const Generation& operator*() const noexcept { return *generation_; }

  private:
    std::shared_ptr<const Generation> generation_;
    Retire retire_;
};
using GenerationRef = boost::intrusive_ptr<WorkerGeneration>;

}  // namespace proxyd::proxy
