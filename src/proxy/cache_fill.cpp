#include "cache_fill.hpp"

#include <vector>

#include "error_log.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/base/log.hpp"
#include "proxyd/proxy/cache_fills.hpp"

namespace proxyd::proxy {

CacheFill::CacheFill(const Exchange& origin, FillOrder order)
    : stream_(new FillStream(origin, order)),
      pipe_(order.pipe),
      exchange_(origin.worker, origin.generation, std::unique_ptr<http::ServerStream>(stream_)) {
    exchange_.fill = stream_;
    exchange_.adopt_request_id(stream_->request_id());
    stream_->set_exchange(exchange_);
    if (pipe_) pipe_->fill = this;
}

CacheFill::~CacheFill() {
    if (pipe_) pipe_->fill = nullptr;
}

Task<void> CacheFill::run() {
    co_await exchange_.run();
    // Whatever it was, nobody may wait for it any more.
    stream_->reset(
        Error(Reason::internal_error, Source::internal, Retry::no, "the fill has ended"));
    if (!pipe_) log_failure();
}

void CacheFill::log_failure() {
    const auto& why = stream_->failure();
    if (why && why->code != Reason::none) log_error(exchange_, *why);
}

void CacheFill::cancel(const Error& why) {
    if (exchange_.running != nullptr) exchange_.running->cancel(why);
}

struct CacheFills::Impl {
    Task<void> run(std::unique_ptr<CacheFill> fill);

    async::TaskScope tasks;
    boost::intrusive::list<CacheFill> list;
    std::function<void()> idle;
};

Task<void> CacheFills::Impl::run(std::unique_ptr<CacheFill> fill) {
    co_await fill->run();
    list.erase(list.iterator_to(*fill));
    fill.reset();
    if (list.empty() && idle) idle();
}

CacheFills::CacheFills() : impl_(std::make_unique<Impl>()) {}
CacheFills::~CacheFills() = default;

void CacheFills::start(std::unique_ptr<CacheFill> fill) {
    impl_->list.push_back(*fill);
    impl_->tasks.spawn(impl_->run(std::move(fill)));
}

std::size_t CacheFills::running() const noexcept {
    return impl_->list.size();
}

void CacheFills::set_idle_listener(std::function<void()> idle) {
    impl_->idle = std::move(idle);
}

/// Ending one never ends another fill, so the pointers stay good.
void CacheFills::cancel_all(const Error& why) {
    std::vector<CacheFill*> all;
    for (CacheFill& fill : impl_->list) all.push_back(&fill);
    for (CacheFill* fill : all) fill->cancel(why);
}

}  // namespace proxyd::proxy
