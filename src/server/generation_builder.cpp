#include "generation_builder.hpp"

#include "proxyd/base/log.hpp"

namespace proxyd::server {
namespace {

/// Between two tries to serve addresses that no generation could be built from.
constexpr std::chrono::milliseconds kBuildAgain{1'000};

}  // namespace

Result<NextGeneration> GenerationBuilder::build(std::shared_ptr<const config::Snapshot> snapshot,
                                                const std::stop_token& stop) {
    auto news = states_.addresses().look_up(upstream::server_names(*snapshot),
                                            upstream::resolver_options(*snapshot), stop);
    for (const std::string& change : news.changes) log::info("{}", change);
    auto next = make(std::move(snapshot));
    if (next) next->problems = std::move(news.problems);
    return next;
}

Result<NextGeneration> GenerationBuilder::make(std::shared_ptr<const config::Snapshot> snapshot) {
    NextGeneration next;
    next.addresses = states_.addresses().version();
    auto built = proxy::Generation::build(
        std::move(snapshot), states_, logs_,
        [this](const config::CacheZone& settings) { return zones_.get(settings); });
    if (!built) return std::move(built).error();
    next.generation = std::move(*built);
    return next;
}

/// Also serves what a reload that was refused has found out about names.
std::optional<NextGeneration> GenerationBuilder::refresh_names(
    std::shared_ptr<const config::Snapshot> snapshot, const std::stop_token& stop) {
    upstream::AddressBook& book = states_.addresses();
    const auto due = book.due(upstream::server_names(*snapshot), async::coarse_clock().now());
    const auto news = book.look_up(due, upstream::resolver_options(*snapshot), stop);
    for (const std::string& loss : news.losses) log::warn("{}", loss);
    for (const std::string& change : news.changes) log::info("{}", change);
    if (book.version() == served_addresses_) return std::nullopt;
    auto next = make(std::move(snapshot));
    if (next) return std::move(*next);
    log::warn("the new addresses wait: {}", next.error().detail);
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> GenerationBuilder::refresh_after(
    const config::Snapshot& served) {
    const upstream::AddressBook& book = states_.addresses();
    const auto due = book.next_due(upstream::server_names(served));
    if (!due) return std::nullopt;
    const std::chrono::milliseconds wait{*due - async::coarse_clock().now()};
    return book.version() == served_addresses_ ? wait : std::min(wait, kBuildAgain);
}

void GenerationBuilder::adopted(const NextGeneration& next) {
    served_addresses_ = next.addresses;
    states_.forget_unused();
    zones_.adopted(next.generation->zones());
    states_.addresses().keep_only(upstream::server_names(next.generation->snapshot()));
}

}  // namespace proxyd::server
