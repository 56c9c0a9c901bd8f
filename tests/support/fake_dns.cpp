#include "support/fake_dns.hpp"

#include "support/ports.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <random>
#include <stdexcept>

namespace proxyd::test {
namespace {

std::string number(unsigned value, int bytes) {
    std::string text;
    while (bytes-- > 0) {
        text += static_cast<char>(value >> (8 * bytes) & 0xff);
    }
    return text;
}

std::string encode(const std::string& name) {
    std::string wire;
    for (std::size_t start = 0; start < name.size();) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        wire += static_cast<char>(end - start) + name.substr(start, end - start);
        start = end + 1;
    }
    return wire + '\0';
}

int bound_socket(int type, std::uint16_t port) {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error("no port for a name server");
    }
    return fd;
}

// Some bytes behind the number are others; sometimes the end is missing.
std::string mutated(std::string message, unsigned seed) {
    std::minstd_rand random(seed * 7919U + 1U);
    const auto below = [&](std::size_t end) { return random() % end; };
    for (auto count = 1 + below(6); count > 0; --count) {
        message[2 + below(message.size() - 2)] = static_cast<char>(random());
    }
    if (below(4) == 0) message.resize(2 + below(message.size() - 2));
    return message;
}

bool is_counted(std::uint16_t type) {
    return type != static_cast<std::uint16_t>(DnsType::Aaaa);
}

}  // namespace

void DnsEntry::add(DnsType type, std::string data, std::uint32_t ttl) {
    records_.push_back({type, std::move(data), ttl});
}

DnsEntry DnsEntry::addresses(std::vector<std::string> list, std::uint32_t ttl) {
    DnsEntry entry;
    for (const std::string& text : list) {
        const bool v6 = text.find(':') != std::string::npos;
        std::string bytes(v6 ? 16 : 4, '\0');
        if (::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1) {
            throw std::runtime_error("not an address: " + text);
        }
        entry.add(v6 ? DnsType::Aaaa : DnsType::A, bytes, ttl);
    }
    return entry;
}

DnsEntry DnsEntry::services(const std::vector<SrvData>& list, std::uint32_t ttl) {
    DnsEntry entry;
    for (const SrvData& each : list) {
        std::string data;
        for (const int part : {each.priority, each.weight, each.port}) {
            data += number(static_cast<unsigned>(part), 2);
        }
        entry.add(DnsType::Srv, data + encode(each.target == "." ? "" : each.target), ttl);
    }
    return entry;
}

DnsEntry DnsEntry::alias(const std::string& target, std::uint32_t ttl) {
    DnsEntry entry;
    entry.alias_ = target;
    entry.add(DnsType::Cname, encode(target), ttl);
    return entry;
}

DnsEntry DnsEntry::failure(int rcode) {
    DnsEntry entry;
    entry.rcode_ = rcode;
    return entry;
}

DnsEntry DnsEntry::silence() {
    DnsEntry entry;
    entry.silent_ = true;
    return entry;
}

FakeDns::FakeDns()
    : port_(claim_port()),
      udp_(bound_socket(SOCK_DGRAM, port_)),
      tcp_(bound_socket(SOCK_STREAM, port_)),
      wake_(::eventfd(0, EFD_CLOEXEC)) {
    ::listen(tcp_, 64);
    thread_ = std::thread([this] { run(); });
}

FakeDns::~FakeDns() {
    stop();
    ::close(wake_);
}

void FakeDns::stop() {
    if (!thread_.joinable()) return;
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(udp_);
    ::close(tcp_);
}

std::string FakeDns::address() const {
    return "127.0.0.1:" + std::to_string(port_);
}

void FakeDns::set(const std::string& name, DnsEntry entry) {
    state_.change([&](State& state) { state.entries[name] = std::move(entry); });
}

int FakeDns::asked(const std::string& name) const {
    const State state = state_.get();
    const auto found = state.asked.find(name);
    return found == state.asked.end() ? 0 : found->second;
}

bool FakeDns::wait_for_questions(const std::string& name, int count, Duration limit) {
    const int wanted = asked(name) + count;
    return state_.wait(
        [&](const State& state) {
            const auto found = state.asked.find(name);
            return found != state.asked.end() && found->second >= wanted;
        },
        limit);
}

void FakeDns::run() {
    while (true) {
        std::array<pollfd, 3> watched{{{wake_, POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
        ::poll(watched.data(), watched.size(), -1);
        if (watched[0].revents != 0) return;
        if (watched[1].revents != 0) serve_udp();
        if (watched[2].revents != 0) serve_tcp();
    }
}

void FakeDns::serve_udp() const {
    std::array<char, 4096> buffer{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    auto* const address = reinterpret_cast<sockaddr*>(&from);
    const auto got = ::recvfrom(udp_, buffer.data(), buffer.size(), 0, address, &size);
    if (got <= 0) return;
    for (const auto& each : answers({buffer.data(), static_cast<std::size_t>(got)}, false)) {
        ::sendto(udp_, each.data(), each.size(), 0, address, size);
    }
}

void FakeDns::serve_tcp() {
    Wire wire(::accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC));
    // Nobody else is served meanwhile, and a client may keep the connection for later.
    const auto have = [&](std::size_t count) {
        const Deadline deadline(Duration(20));
        while (wire.view().size() < count) {
            if (wire.fill(deadline) != IoStatus::Ok) return false;
        }
        return true;
    };
    while (have(2)) {
        const auto head = wire.view();
        const std::size_t size =
            static_cast<unsigned char>(head[0]) << 8U | static_cast<unsigned char>(head[1]);
        if (!have(2 + size)) return;
        for (const auto& each : answers(wire.view().substr(2, size), true)) {
            (void)wire.send(number(static_cast<unsigned>(each.size()), 2) + each);
        }
        wire.consume(2 + size);
    }
}

bool FakeDns::parse(std::string_view request, Question& question) {
    constexpr std::size_t kHead = 12;
    if (request.size() < kHead + 5) return false;
    question.id = request.substr(0, 2);
    std::size_t at = kHead;
    while (at < request.size() && request[at] != 0) {
        const auto length = static_cast<unsigned char>(request[at]);
        if (at + 1 + length >= request.size()) return false;
        question.name += (question.name.empty() ? "" : ".");
        question.name += request.substr(at + 1, length);
        at += 1 + length;
    }
    if (at + 5 > request.size()) return false;
    question.type = static_cast<std::uint16_t>(static_cast<unsigned char>(request[at + 1]) << 8U |
                                               static_cast<unsigned char>(request[at + 2]));
    question.wire = request.substr(kHead, at + 5 - kHead);
    return true;
}

std::vector<std::string> FakeDns::answers(std::string_view request, bool tcp) const {
    using Trick = DnsEntry::Trick;
    Question question;
    if (!parse(request, question)) return {};
    state_.change([&](State& state) {
        ++state.turn;
        state.by_tcp += tcp ? 1 : 0;
        if (is_counted(question.type)) ++state.asked[question.name];
    });
    const State state = state_.get();
    const auto found = state.entries.find(question.name);
    const DnsEntry entry =
        found == state.entries.end() ? DnsEntry::failure(DnsEntry::kNxdomain) : found->second;
    if (entry.silent_ || entry.silent_type_ == question.type) return {};
    std::vector<std::string> result;
    Question other = question;
    if (entry.trick_ == Trick::WrongId) {
        other.id[0] = static_cast<char>(other.id[0] ^ 1);
        result.push_back(answer(other, state, DnsEntry::addresses({"127.9.9.9"}), tcp));
    } else if (entry.trick_ == Trick::OtherQuestion) {
        other.wire = encode("evil.test") + question.wire.substr(question.wire.size() - 4);
        result.push_back(answer(other, state, DnsEntry::addresses({"127.9.9.9"}), tcp));
    } else if (entry.trick_ == Trick::Noise) {
        for (std::size_t size = 1; size < 64; ++size) {
            result.push_back(question.id + std::string(size, '\xff'));
            result.push_back(std::string(size, '\xc0'));
        }
    }
    result.push_back(answer(question, state, entry, tcp));
    if (entry.trick_ == Trick::Mutated) {
        result.back() = mutated(std::move(result.back()), state.turn);
    }
    return result;
}

std::string FakeDns::answer(const Question& question, const State& state, const DnsEntry& entry,
                            bool tcp) const {
    using Trick = DnsEntry::Trick;
    const std::string owner("\xc0\x0c", 2);  // the name of the question
    std::string records;
    unsigned count = 0;
    const auto append = [&](const std::string& name, const DnsEntry::Record& record) {
        records += name + number(static_cast<unsigned>(record.type), 2) + number(1, 2) +
                   number(record.ttl, 4) + number(static_cast<unsigned>(record.data.size()), 2) +
                   record.data;
        ++count;
    };
    const auto known = state.asked.find(question.name);
    const std::size_t turn = known == state.asked.end() ? 0 : known->second;
    const auto append_all = [&](const std::string& name, const DnsEntry& from) {
        std::vector<const DnsEntry::Record*> fitting;
        for (const auto& record : from.records_) {
            const bool alias = record.type == DnsType::Cname;
            if (alias || static_cast<std::uint16_t>(record.type) == question.type) {
                fitting.push_back(&record);
            }
        }
        for (std::size_t i = 0; i < fitting.size(); ++i) {
            append(name, *fitting[(i + turn) % fitting.size()]);
        }
    };
    append_all(owner, entry);
    const auto next = state.entries.find(entry.alias_);
    if (!entry.alias_.empty() && next != state.entries.end()) {
        append_all(encode(entry.alias_), next->second);
    }
    if (entry.trick_ == Trick::PointerLoop) {  // a record whose name points at itself
        const auto here = static_cast<unsigned>(12 + question.wire.size());
        records = number(0xc000U | here, 2) + number(question.type, 2) + number(1, 2) +
                  number(60, 4) + number(4, 2) + number(0x7f090909, 4);
        count = 1;
    } else if (entry.trick_ == Trick::ShortRecord && !records.empty()) {
        records.pop_back();
    }
    const bool cut = entry.truncated_ && !tcp;
    if (cut) records.clear(), count = 0;
    const bool fails = entry.failing_type_ == question.type;
    const int rcode = fails ? DnsEntry::kServfail : entry.rcode_;
    if (rcode != 0) records.clear(), count = 0;
    const unsigned flags = 0x8180U | (cut ? 0x0200U : 0U) | static_cast<unsigned>(rcode);
    return question.id + number(flags, 2) + number(1, 2) + number(count, 2) + number(0, 4) +
           question.wire + records;
}

}  // namespace proxyd::test
