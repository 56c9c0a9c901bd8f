#include "shared_dials.hpp"

#include <algorithm>

namespace proxyd::upstream {
namespace {

/// So many wait for one connection at most.
constexpr std::size_t kMostStreams = 1000;

}  // namespace

SharedDials::Waiter::Waiter(SharedDials& dials, async::Loop& loop, std::string_view tag,
                            std::chrono::milliseconds limit)
    : tag_(tag),
      deadline_(
          loop.wheel(),
          [](void* self) {
              static_cast<Waiter*>(self)->end(
                  Error(Reason::upstream_timeout_connect, Source::upstream, Retry::yes,
                        "no stream on a connection within timeouts.connect"));
          },
          this) {
    dials.waiting_.push_back(*this);
    deadline_.arm(limit);
}

Task<std::optional<Error>> SharedDials::Waiter::wait() {
    co_await woken_.wait();
    co_return why_;
}

void SharedDials::Waiter::end(const Error& why) {
    if (!is_linked()) return;  // woken already
    unlink();
    why_ = why;
    woken_.set();
}

bool SharedDials::worth_waiting(std::string_view tag) const noexcept {
    if (!multiplexes_) return false;
    const auto same = [tag](const auto& each) { return each.tag_ == tag; };
    const auto made = static_cast<std::size_t>(std::ranges::count_if(making_, same));
    if (made == 0) return false;
    const auto waiting = static_cast<std::size_t>(std::ranges::count_if(waiting_, same));
    return made * (streams_ - 1) > waiting;  // each has one stream for whoever makes it
}

void SharedDials::wake(std::string_view tag) {
    wake(tag, nullptr);
}

void SharedDials::fail(std::string_view tag, const Error& why) {
    wake(tag, &why);
}

/// Whoever is woken may come back to wait, and may end any of the others.
void SharedDials::wake(std::string_view tag, const Error* why) {
    List<Waiter> now;
    for (auto next = waiting_.begin(); next != waiting_.end();) {
        Waiter& waiter = *next++;
        if (waiter.tag_ != tag) continue;
        waiter.unlink();
        now.push_back(waiter);
    }
    while (!now.empty()) {
        Waiter& first = now.front();
        now.pop_front();
        if (why != nullptr) first.why_ = *why;
        first.woken_.set();
    }
}

void SharedDials::found_shared(std::string_view tag, std::size_t streams) {
    multiplexes_ = true;
    if (streams != 0) streams_ = std::min(streams, kMostStreams);
    wake(tag);
}

void SharedDials::found_single(std::string_view tag) {
    multiplexes_ = false;
    wake(tag);
}

}  // namespace proxyd::upstream
