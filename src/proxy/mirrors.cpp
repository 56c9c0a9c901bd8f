#include "proxyd/proxy/mirrors.hpp"

#include <vector>

#include "mirror.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/base/log.hpp"

namespace proxyd::proxy {
namespace {

// A shadow that hangs costs a worker no more than this.
constexpr std::uint64_t kMostRunning = 256;
constexpr std::size_t kMostBytes = 32 << 20;

}  // namespace

struct Mirrors::Impl {
    Impl(async::Loop& its_loop, upstream::WorkerPools& its_pools)
        : loop(its_loop),
          pools(its_pools),
          grace(
              loop.wheel(),
              [](void* self) {
                  static_cast<Impl*>(self)->cancel_all(
                      Error(Reason::shutting_down, Source::internal));
              },
              this) {}

    Task<void> run(std::unique_ptr<Mirror> mirror);
    void cancel_all(const Error& why);
    void note_failure(const std::string& upstream, const Error& why);

    async::Loop& loop;
    upstream::WorkerPools& pools;
    async::TaskScope tasks;
    boost::intrusive::list<Mirror> list;
    MirrorCounts counts;
    std::size_t bytes = 0;
    LineQuota lines;
    async::Deadline grace;
    std::function<void()> idle;
};

Task<void> Mirrors::Impl::run(std::unique_ptr<Mirror> mirror) {
    try {
        auto result = co_await mirror->run();
        ++(result ? counts.sent : counts.failed);
        if (!result) note_failure(mirror->upstream(), result.error());
    } catch (const std::exception&) {  // out of memory, most likely
        ++counts.failed;
    }
    list.erase(list.iterator_to(*mirror));
    bytes -= mirror->bytes();
    mirror.reset();
    --counts.running;
    if (counts.running == 0 && idle) idle();
}

void Mirrors::Impl::note_failure(const std::string& upstream, const Error& why) {
    if (!log::enabled(log::Level::info) || !lines.take(loop.now())) return;
    log::info("a copy for upstream '{}' failed: {}: {}{}{}", upstream, word(why.code),
              describe(why.code), why.detail.empty() ? "" : ": ", why.detail);
}

/// Ending one never ends another, so the pointers stay good.
void Mirrors::Impl::cancel_all(const Error& why) {
    std::vector<Mirror*> all;
    for (Mirror& mirror : list) all.push_back(&mirror);
    for (Mirror* mirror : all) mirror->cancel(why);
}

Mirrors::Mirrors(async::Loop& loop, upstream::WorkerPools& pools)
    : impl_(std::make_unique<Impl>(loop, pools)) {}
Mirrors::~Mirrors() = default;

bool Mirrors::admit(std::size_t bytes) {
    if (impl_->counts.running < kMostRunning && impl_->bytes + bytes <= kMostBytes) return true;
    leave_out();
    if (log::enabled(log::Level::info) && impl_->lines.take(impl_->loop.now())) {
        log::info("a copy was left out: {} of this worker are on their way ({} bytes)",
                  impl_->counts.running, impl_->bytes);
    }
    return false;
}

void Mirrors::leave_out() noexcept {
    ++impl_->counts.left_out;
}

void Mirrors::start(std::unique_ptr<Mirror> mirror) {
    impl_->list.push_back(*mirror);
    impl_->bytes += mirror->bytes();
    ++impl_->counts.running;
    impl_->tasks.spawn(impl_->run(std::move(mirror)));
}

MirrorCounts Mirrors::counts() const noexcept {
    return impl_->counts;
}
void Mirrors::set_idle_listener(std::function<void()> idle) {
    impl_->idle = std::move(idle);
}
void Mirrors::cancel_all(const Error& why) {
    impl_->cancel_all(why);
}

void Mirrors::end_within(std::chrono::milliseconds limit) {
    if (!impl_->grace.armed()) impl_->grace.arm(limit);
}

}  // namespace proxyd::proxy
