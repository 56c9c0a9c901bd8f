#pragma once

#include <memory>
#include <vector>

#include "net/host_query.hpp"
#include "net/srv_records.hpp"

namespace proxyd::net {

/// Answers one question: a host's addresses, or the records of a service and then the addresses of
/// their hosts. Stays where it is until it is done, which cancelling the channel brings about.
class NameQuery {
  public:
    NameQuery(Question question, std::size_t& done, std::string late)
        : question_(std::move(question)), done_count_(done), late_(std::move(late)) {}
    NameQuery(const NameQuery&) = delete;
    NameQuery& operator=(const NameQuery&) = delete;

    void start(DnsChannel& files, DnsChannel& dns);
    [[nodiscard]] bool done() const noexcept { return done_; }
    /// An unfinished one says that its answer comes too late.
    [[nodiscard]] NameAnswer take_answer();

  private:
    static void on_records(void* self, int status, int timeouts, unsigned char* data, int size);
    void resolve_hosts(SrvRecords found);
    void take_host(const HostQuery& host, const HostAnswer& answer);
    void add(const SrvRecord& record, const HostAnswer& answer);
    void fail(int status);
    void finish();
    [[nodiscard]] std::string words(int status) const;

    const Question question_;
    std::size_t& done_count_;
    const std::string late_;
    DnsChannel* files_ = nullptr;
    DnsChannel* dns_ = nullptr;
    std::vector<SrvRecord> records_;
    std::vector<std::unique_ptr<HostQuery>> hosts_;
    std::size_t pending_ = 0;
    std::string host_problem_;
    NameAnswer answer_;
    bool done_ = false;
};

}  // namespace proxyd::net
