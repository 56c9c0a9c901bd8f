#include "proxyd/upstream/address_book.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "proxyd/config/model.hpp"

namespace proxyd::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A TTL of 0 must not become a flood of questions, nor a long one keep a wrong address for days.
constexpr seconds kShortestTtl{1};
constexpr seconds kLongestTtl{3'600};
/// At boot the name service is often only seconds late; afterwards an outage may last.
constexpr milliseconds kFirstRetry{1'000};
constexpr milliseconds kLastRetry{10'000};

std::set<std::string> addresses(const std::vector<net::Target>& targets) {
    std::set<std::string> all;
    for (const net::Target& each : targets) {
        const bool service = each.endpoint.port() != 0;
        all.insert(service ? each.endpoint.text() : each.endpoint.ip().text());
    }
    return all;
}

bool same(const net::Target& a, const net::Target& b) {
    return a.weight == b.weight && a.key() == b.key();
}
bool same(const std::vector<net::Target>& a, const std::vector<net::Target>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
}

/// A family of a host that got no answer keeps what it had.
void keep_missing(const std::vector<net::Target>& old, net::NameAnswer& answer) {
    const auto missing = [&](const net::Target& target) {
        return std::any_of(answer.missing.begin(), answer.missing.end(), [&](const auto& each) {
            return each.host == target.host && each.family == target.endpoint.family();
        });
    };
    const std::size_t known = answer.targets.size();
    std::copy_if(old.begin(), old.end(), std::back_inserter(answer.targets), missing);
    if (answer.targets.size() == known) return;
    std::ranges::sort(answer.targets, {}, &net::Target::key);
}

/// "10.0.0.2 came; 10.0.0.1 went"
std::string difference(const std::vector<net::Target>& from, const std::vector<net::Target>& to) {
    const auto before = addresses(from);
    const auto after = addresses(to);
    std::vector<std::string> parts;
    const auto add = [&](const auto& has, const auto& has_not, const char* verb) {
        std::vector<std::string> found;
        std::set_difference(has.begin(), has.end(), has_not.begin(), has_not.end(),
                            std::back_inserter(found));
        if (!found.empty()) parts.push_back(fmt::format("{} {}", fmt::join(found, ", "), verb));
    };
    add(after, before, "came");
    add(before, after, "went");
    if (parts.empty()) parts.emplace_back("other priorities or weights");
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string resolved(const net::Question& name, const std::vector<net::Target>& targets) {
    return fmt::format("'{}' resolves now: {}", name.name, fmt::join(addresses(targets), ", "));
}

}  // namespace

AddressBook::News AddressBook::look_up(const Names& names, const net::ResolverOptions& options,
                                       const std::stop_token& stop) {
    const std::vector<net::Question> list(names.begin(), names.end());
    auto answers = net::look_up(list, options, stop);
    return record(list, std::move(answers), async::coarse_clock().now());
}

AddressBook::News AddressBook::record(const std::vector<net::Question>& names,
                                      std::vector<net::NameAnswer> answers,
                                      async::Milliseconds now) {
    const std::lock_guard lock(mutex_);
    News news;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (answers[i].stopped) continue;
        Entry& entry = entries_[names[i]];
        if (answers[i].problem.empty()) {
            take(names[i], entry, std::move(answers[i]), news, now);
        } else {
            note_failure(names[i], entry, answers[i].problem, news, now);
        }
        entry.asked = true;
    }
    return news;
}

void AddressBook::take(const net::Question& name, Entry& entry, net::NameAnswer answer, News& news,
                       async::Milliseconds now) {
    if (!entry.targets.empty()) keep_missing(entry.targets, answer);
    const bool failed_before = entry.retry_after.count() != 0;
    if (failed_before) {
        news.changes.push_back(resolved(name, answer.targets));
    } else if (entry.asked && !same(entry.targets, answer.targets)) {
        news.changes.push_back(
            fmt::format("'{}': {}", name.name, difference(entry.targets, answer.targets)));
    }
    if (!same(entry.targets, answer.targets)) {
        entry.targets = std::move(answer.targets);
        ++version_;
    }
    entry.retry_after = {};
    const milliseconds wait = std::clamp(answer.ttl, kShortestTtl, kLongestTtl);
    entry.due = now + (answer.missing.empty() ? wait : std::min(wait, kLastRetry)).count();
}

void AddressBook::note_failure(const net::Question& name, Entry& entry, const std::string& why,
                               News& news, async::Milliseconds now) {
    news.problems.push_back(fmt::format("'{}' cannot be resolved: {}; {}", name.name, why,
                                        entry.targets.empty() ? "it is down until the name resolves"
                                                              : "its last addresses stay in use"));
    const bool failed_before = entry.retry_after.count() != 0;
    if (!failed_before) news.losses.push_back(news.problems.back());
    entry.retry_after = failed_before ? std::min(entry.retry_after * 2, kLastRetry) : kFirstRetry;
    entry.due = now + entry.retry_after.count();
}

std::vector<net::Target> AddressBook::targets(const net::Question& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    return found == entries_.end() ? std::vector<net::Target>{} : found->second.targets;
}

Names AddressBook::due(const Names& names, async::Milliseconds now) const {
    const std::lock_guard lock(mutex_);
    Names healthy, failing;
    for (const net::Question& name : names) {
        const auto found = entries_.find(name);
        if (found != entries_.end() && found->second.due > now) continue;
        const bool failed = found != entries_.end() && found->second.retry_after.count() != 0;
        (failed ? failing : healthy).insert(name);
    }
    return healthy.empty() ? failing : healthy;
}

std::optional<async::Milliseconds> AddressBook::next_due(const Names& names) const {
    const std::lock_guard lock(mutex_);
    std::optional<async::Milliseconds> first;
    for (const net::Question& name : names) {
        const auto found = entries_.find(name);
        const async::Milliseconds due = found == entries_.end() ? 0 : found->second.due;
        first = std::min(first.value_or(due), due);
    }
    return first;
}

std::uint64_t AddressBook::version() const {
    const std::lock_guard lock(mutex_);
    return version_;
}

void AddressBook::keep_only(const Names& names) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& item) { return !names.contains(item.first); });
}

Names server_names(const config::Snapshot& snapshot) {
    Names names;
    for (const auto& [name, upstream] : snapshot.upstreams) {
        for (const config::Server& server : upstream->servers) {
            const auto asked = config::asked_name(server.address);
            if (asked) names.insert({asked->name, asked->srv});
        }
    }
    return names;
}

net::ResolverOptions resolver_options(const config::Snapshot& snapshot) {
    return {snapshot.resolver.servers, snapshot.resolver.timeout};
}

}  // namespace proxyd::upstream
