#include "proxyd/net/resolver.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <optional>

#include "net/name_query.hpp"

namespace proxyd::net {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Enough for names that get no answer not to hold up the others, and no flood.
constexpr std::size_t kMostAtOnce = 256;

std::string late_words(milliseconds limit) {
    const auto count = limit.count();
    const bool whole = count % 1'000 == 0;
    return "no answer within " +
           (whole ? std::to_string(count / 1'000) + " s" : std::to_string(count) + " ms");
}

/// Readable from the moment stop is asked for.
class StopEvent {
  public:
    explicit StopEvent(const std::stop_token& stop)
        : event_(::eventfd(0, EFD_CLOEXEC)),
          on_stop_(std::in_place, stop, [this] { (void)::eventfd_write(event_, 1); }) {}
    StopEvent(const StopEvent&) = delete;
    StopEvent& operator=(const StopEvent&) = delete;
    ~StopEvent() {
        on_stop_.reset();
        if (event_ >= 0) ::close(event_);
    }
    [[nodiscard]] int get() const noexcept { return event_; }

  private:
    const int event_;
    std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

/// All names of one call. The channels go first: they may still call the queries.
class LookUp {
  public:
    LookUp(const std::vector<Question>& questions, const ResolverOptions& options)
        : limit_(options.limit), files_(options, "f"), dns_(options, "b") {
        for (const Question& question : questions) {
            queries_.emplace_back(question, done_, late_words(limit_));
        }
    }

    std::vector<NameAnswer> run(const std::stop_token& stop) {
        for (const DnsChannel* channel : {&files_, &dns_}) {
            if (!channel->problem().empty()) return all_failed(channel->problem());
        }
        const StopEvent stopped(stop);
        const auto end = Clock::now() + limit_;
        for (start_some(); done_ < queries_.size() && !stop.stop_requested(); start_some()) {
            const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
            if (left.count() <= 0) break;
            dns_.drive(stopped.get(), left);
        }
        return answers(stop.stop_requested());
    }

  private:
    void start_some() {
        while (started_ < queries_.size() && started_ - done_ < kMostAtOnce) {
            queries_[started_++].start(files_, dns_);
        }
    }

    std::vector<NameAnswer> answers(bool stopped) {
        std::vector<bool> in_time;
        for (const NameQuery& query : queries_) in_time.push_back(query.done());
        dns_.cancel();
        std::vector<NameAnswer> all;
        for (std::size_t i = 0; i < queries_.size(); ++i) {
            all.push_back(queries_[i].take_answer());
            all.back().stopped = stopped && !in_time[i] && !all.back().problem.empty();
        }
        return all;
    }

    [[nodiscard]] std::vector<NameAnswer> all_failed(const std::string& problem) const {
        NameAnswer failed;
        failed.problem = problem;
        return std::vector<NameAnswer>(queries_.size(), failed);
    }

    const milliseconds limit_;
    std::size_t started_ = 0, done_ = 0;
    std::deque<NameQuery> queries_;
    DnsChannel files_, dns_;
};

}  // namespace

std::vector<NameAnswer> look_up(const std::vector<Question>& questions,
                                const ResolverOptions& options, const std::stop_token& stop) {
    if (questions.empty()) return {};
    return LookUp(questions, options).run(stop);
}

}  // namespace proxyd::net
