#pragma once

#include "support/gate.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace proxyd::test {

enum class DnsType : std::uint16_t { A = 1, Cname = 5, Aaaa = 28, Srv = 33 };

struct SrvData {
    int priority = 0;
    int weight = 0;
    int port = 0;
    std::string target;
};

// What a name server says of one name.
class DnsEntry {
  public:
    enum class Trick { None, WrongId, OtherQuestion, Noise, PointerLoop, ShortRecord, Mutated };
    static constexpr int kServfail = 2, kNxdomain = 3, kRefused = 5;

    // IPv4 and IPv6 texts; none at all = a name without addresses.
    static DnsEntry addresses(std::vector<std::string> list, std::uint32_t ttl = 1);
    static DnsEntry services(const std::vector<SrvData>& list, std::uint32_t ttl = 1);
    static DnsEntry alias(const std::string& target, std::uint32_t ttl = 1);
    static DnsEntry failure(int rcode);
    static DnsEntry silence();

    DnsEntry& truncated() { return truncated_ = true, *this; }  // by UDP; TCP has it all
    DnsEntry& silent_for(DnsType type) { return silent_type_ = static_cast<int>(type), *this; }
    DnsEntry& failing_for(DnsType type) { return failing_type_ = static_cast<int>(type), *this; }
    // Sent before the answer (WrongId, OtherQuestion, Noise) or in its place;
    // Mutated has the right number and some other bytes in every answer.
    DnsEntry& with(Trick trick) { return trick_ = trick, *this; }

  private:
    friend class FakeDns;
    struct Record {
        DnsType type;
        std::string data;
        std::uint32_t ttl;
    };
    void add(DnsType type, std::string data, std::uint32_t ttl);

    std::vector<Record> records_;
    std::string alias_;  // the name whose records follow
    int rcode_ = 0;
    bool silent_ = false;
    bool truncated_ = false;
    int silent_type_ = 0;
    int failing_type_ = 0;
    Trick trick_ = Trick::None;
};

// A scripted name server on a loopback port, by UDP and TCP, with a thread of its own. A name that
// it does not know does not exist. The records of every answer are in another order than those of
// the one before.
class FakeDns {
  public:
    FakeDns();
    ~FakeDns();
    FakeDns(const FakeDns&) = delete;
    FakeDns& operator=(const FakeDns&) = delete;

    [[nodiscard]] std::string address() const;

    void set(const std::string& name, DnsEntry entry);
    // Requests for A or SRV records of that name so far.
    [[nodiscard]] int asked(const std::string& name) const;
    [[nodiscard]] int asked_by_tcp() const { return state_.get().by_tcp; }
    // `count` more of them than now.
    [[nodiscard]] bool wait_for_questions(const std::string& name, int count = 1,
                                          Duration limit = kLimit);
    // Its ports are closed from now on.
    void stop();

  private:
    struct Question {
        std::string id;  // two bytes
        std::string name;
        std::uint16_t type = 0;
        std::string wire;  // the question section
    };
    struct State {
        std::map<std::string, DnsEntry> entries;
        std::map<std::string, int> asked;
        int by_tcp = 0;
        unsigned turn = 0;
    };

    void run();
    void serve_udp() const;
    void serve_tcp();
    // The datagrams to send, in their order.
    [[nodiscard]] std::vector<std::string> answers(std::string_view request, bool tcp) const;
    [[nodiscard]] static bool parse(std::string_view request, Question& question);
    [[nodiscard]] std::string answer(const Question& question, const State& state,
                                     const DnsEntry& entry, bool tcp) const;

    std::uint16_t port_ = 0;
    int udp_ = -1;
    int tcp_ = -1;
    int wake_ = -1;
    mutable Watched<State> state_;
    std::thread thread_;
};

}  // namespace proxyd::test
