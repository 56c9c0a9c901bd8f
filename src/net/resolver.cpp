#include "proxyd/net/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

namespace proxyd::net {
namespace {

/// Enough for one name that gets no answer not to hold up the others.
constexpr std::size_t kMostThreads = 64;

NameAnswer ask_system(const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int failure = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
    if (failure != 0) return {{}, ::gai_strerror(failure)};
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
    NameAnswer answer;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        sockaddr_storage storage{};
        std::memcpy(&storage, entry->ai_addr, entry->ai_addrlen);
        answer.endpoints.push_back(Endpoint::from(storage, entry->ai_addrlen));
    }
    return answer;
}

/// Shared by the caller and its threads. getaddrinfo(3) can't be cancelled: a thread whose answer
/// comes too late finds that nobody waits and ends.
class LookUp {
  public:
    LookUp(std::vector<std::string> names, std::chrono::milliseconds limit)
        : names_(std::move(names)), answers_(names_.size()), limit_(limit) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
        for (NameAnswer& answer : answers_) {
            answer.problem = "no answer within " + std::to_string(seconds) + " s";
        }
    }

    void work() {
        std::unique_lock lock(mutex_);
        while (!over_ && next_ < names_.size()) {
            const std::size_t index = next_++;
            lock.unlock();
            NameAnswer answer = ask_system(names_[index]);
            lock.lock();
            answers_[index] = std::move(answer);
            if (++done_ == names_.size()) all_.notify_all();
        }
    }

    std::vector<NameAnswer> wait(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        all_.wait_for(lock, stop, limit_, [&] { return done_ == names_.size(); });
        over_ = true;
        return answers_;
    }

  private:
    const std::vector<std::string> names_;
    std::mutex mutex_;
    std::condition_variable_any all_;
    std::vector<NameAnswer> answers_;
    const std::chrono::milliseconds limit_;
    std::size_t next_ = 0, done_ = 0;
    bool over_ = false;
};

}  // namespace

std::vector<NameAnswer> look_up(const std::vector<std::string>& names,
                                std::chrono::milliseconds limit, const std::stop_token& stop) {
    if (names.empty()) return {};
    const auto shared = std::make_shared<LookUp>(names, limit);
    for (std::size_t i = 0; i < std::min(names.size(), kMostThreads); ++i) {
        std::thread([shared] { shared->work(); }).detach();
    }
    return shared->wait(stop);
}

}  // namespace proxyd::net
