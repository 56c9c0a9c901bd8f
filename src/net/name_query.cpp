#include "net/name_query.hpp"

#include <arpa/nameser.h>

#include <algorithm>
#include <set>

namespace proxyd::net {
namespace {

/// More addresses than that are no group of servers any more.
constexpr std::size_t kMostTargets = 256;

/// In an order of their own, each once; what several records say of one address adds up.
void put_in_order(std::vector<Target>& targets) {
    std::vector<Target> all;
    all.swap(targets);
    std::ranges::sort(all, {}, &Target::key);
    for (Target& each : all) {
        if (targets.empty() || targets.back().key() != each.key()) {
            if (targets.size() == kMostTargets) return;
            targets.push_back(std::move(each));
            continue;
        }
        const int sum = targets.back().weight + each.weight;
        if (each.endpoint.port() != 0) targets.back().weight = std::min(sum, 65'535);
    }
}

}  // namespace

void NameQuery::start(DnsChannel& files, DnsChannel& dns) {
    files_ = &files;
    dns_ = &dns;
    answer_.ttl = std::chrono::seconds::max();
    if (question_.srv) {
        ares_search(dns.get(), question_.name.c_str(), ns_c_in, ns_t_srv, on_records, this);
    } else {
        SrvRecords itself;
        itself.records.push_back({question_.name, 0, 0, 1});
        itself.ttl = std::chrono::seconds::max();
        resolve_hosts(std::move(itself));
    }
}

void NameQuery::on_records(void* self, int status, int, unsigned char* data, int size) {
    NameQuery& query = *static_cast<NameQuery*>(self);
    if (status != ARES_SUCCESS) return query.fail(status);
    SrvRecords found = parse_srv({data, static_cast<std::size_t>(size)});
    if (found.problem.empty()) return query.resolve_hosts(std::move(found));
    query.answer_.problem = std::move(found.problem);
    query.finish();
}

void NameQuery::resolve_hosts(SrvRecords found) {
    records_ = std::move(found.records);
    answer_.ttl = found.ttl;
    std::set<std::string> names;
    for (const SrvRecord& record : records_) names.insert(record.host);
    for (const std::string& name : names) {
        hosts_.push_back(nullptr);
        auto& host = hosts_.back();
        const std::size_t index = hosts_.size() - 1;
        host = std::make_unique<HostQuery>(name, question_.srv, [this, index](HostAnswer answer) {
            take_host(*hosts_[index], answer);
        });
    }
    pending_ = hosts_.size();
    for (const auto& host : hosts_) host->start(*files_, *dns_);
}

void NameQuery::take_host(const HostQuery& host, const HostAnswer& answer) {
    if (answer.addresses.empty()) {
        host_problem_ = words(answer.status);
        for (const int family : {AF_INET, AF_INET6})
            answer_.missing.push_back({host.name(), family});
    } else {
        answer_.ttl = std::min(answer_.ttl, answer.ttl);
        for (const int family : answer.missing) answer_.missing.push_back({host.name(), family});
        for (const SrvRecord& record : records_) {
            if (record.host == host.name()) add(record, answer);
        }
    }
    if (--pending_ == 0) finish();
}

void NameQuery::add(const SrvRecord& record, const HostAnswer& answer) {
    const std::uint16_t weight = std::max<std::uint16_t>(record.weight, 1);
    for (const IpAddress& ip : answer.addresses) {
        answer_.targets.push_back(
            {record.host, Endpoint::tcp(ip, record.port), record.priority, weight});
    }
}

void NameQuery::fail(int status) {
    answer_.problem = words(status);
    finish();
}

void NameQuery::finish() {
    put_in_order(answer_.targets);
    if (answer_.targets.empty() && answer_.problem.empty()) answer_.problem = host_problem_;
    done_ = true;
    ++done_count_;
}

NameAnswer NameQuery::take_answer() {
    if (!done_) answer_.problem = late_;
    return std::move(answer_);
}

std::string NameQuery::words(int status) const {
    switch (status) {
        case ARES_ENOTFOUND:
            return "there is no such name";
        case ARES_ENODATA:
            return question_.srv ? "it has no such records" : "it has no address";
        case ARES_ESERVFAIL:
            return "the name server failed (SERVFAIL)";
        case ARES_EREFUSED:
            return "the name server refused to answer";
        case ARES_ECONNREFUSED:
            return "no name server can be reached, or all of them fail";
        case ARES_ETIMEOUT:
        case ARES_ECANCELLED:
        case ARES_EDESTRUCTION:
            return late_;
        default:
            return ares_strerror(status);
    }
}

}  // namespace proxyd::net
