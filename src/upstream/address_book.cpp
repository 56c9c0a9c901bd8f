#include "proxyd/upstream/address_book.hpp"

#include "proxyd/config/model.hpp"

namespace proxyd::upstream {

std::vector<std::string> AddressBook::look_up(const std::set<std::string>& names,
                                              const std::stop_token& stop) {
    const std::vector<std::string> list(names.begin(), names.end());
    return record(list, net::look_up(list, net::kLookUpLimit, stop));
}

std::vector<std::string> AddressBook::record(const std::vector<std::string>& names,
                                             std::vector<net::NameAnswer> answers) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> problems;
    for (std::size_t i = 0; i < names.size(); ++i) {
        Entry& entry = entries_[names[i]];
        entry.answered = answers[i].problem.empty();
        if (entry.answered) {
            entry.endpoints = std::move(answers[i].endpoints);
            continue;
        }
        problems.push_back("'" + names[i] + "' cannot be resolved: " + answers[i].problem + "; " +
                           (entry.endpoints.empty() ? "it is down until the name resolves"
                                                    : "its last addresses stay in use"));
    }
    return problems;
}

std::vector<net::Endpoint> AddressBook::endpoints(const std::string& name,
                                                  std::uint16_t port) const {
    const std::lock_guard lock(mutex_);
    std::vector<net::Endpoint> result;
    if (const auto found = entries_.find(name); found != entries_.end()) {
        for (const auto& endpoint : found->second.endpoints) {
            result.push_back(endpoint.with_port(port));
        }
    }
    return result;
}

std::set<std::string> AddressBook::unanswered(const std::set<std::string>& names) const {
    const std::lock_guard lock(mutex_);
    std::set<std::string> result;
    for (const std::string& name : names) {
        const auto found = entries_.find(name);
        if (found == entries_.end() || !found->second.answered) result.insert(name);
    }
    return result;
}

void AddressBook::keep_only(const std::set<std::string>& names) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& item) { return !names.contains(item.first); });
}

std::set<std::string> server_names(const config::Snapshot& snapshot) {
    std::set<std::string> names;
    for (const auto& [name, upstream] : snapshot.upstreams) {
        for (const config::Server& server : upstream->servers) {
            if (server.address.kind == config::Address::Kind::name) {
                names.insert(server.address.name);
            }
        }
    }
    return names;
}

}  // namespace proxyd::upstream
