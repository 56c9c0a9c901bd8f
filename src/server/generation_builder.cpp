#include "generation_builder.hpp"

#include "proxyd/base/log.hpp"

namespace proxyd::server {

Result<NextGeneration> GenerationBuilder::build(std::shared_ptr<const config::Snapshot> snapshot,
                                                const std::stop_token& stop) {
    NextGeneration next;
    next.problems = states_.addresses().look_up(upstream::server_names(*snapshot), stop);
    auto built = proxy::Generation::build(std::move(snapshot), states_, logs_);
    if (!built) return std::move(built).error();
    next.generation = std::move(*built);
    return next;
}

std::optional<NextGeneration> GenerationBuilder::retry_names(
    std::shared_ptr<const config::Snapshot> snapshot, const std::stop_token& stop) {
    upstream::AddressBook& book = states_.addresses();
    const auto missing = book.unanswered(upstream::server_names(*snapshot));
    (void)book.look_up(missing, stop);
    const auto still_missing = book.unanswered(missing);
    if (still_missing.size() == missing.size()) return std::nullopt;
    for (const std::string& name : missing) {
        if (!still_missing.contains(name)) log::info("'{}' resolves now", name);
    }
    auto built = proxy::Generation::build(std::move(snapshot), states_, logs_);
    if (built) return NextGeneration{std::move(*built), {}};
    log::warn("its addresses wait for the next reload: {}", built.error().detail);
    return std::nullopt;
}

bool GenerationBuilder::misses_names(const config::Snapshot& served) {
    return !states_.addresses().unanswered(upstream::server_names(served)).empty();
}

void GenerationBuilder::forget_unused(const config::Snapshot& served) {
    states_.forget_unused();
    states_.addresses().keep_only(upstream::server_names(served));
}

}  // namespace proxyd::server
