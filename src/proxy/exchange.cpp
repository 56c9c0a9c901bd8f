#include "exchange.hpp"

#include "access_log.hpp"
#include "cache_flow.hpp"
#include "forward.hpp"
#include "local_response.hpp"
#include "pipeline.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {

Exchange::Exchange(WorkerContext& its_worker, GenerationRef its_generation,
                   std::unique_ptr<http::ServerStream> its_stream)
    : worker(its_worker),
      generation(std::move(its_generation)),
      stream(std::move(its_stream)),
      started(worker.loop().now()),
      plan(plans().plans[plans().fallback].get()),
      total_(
          worker.loop().wheel(),
          [](void* self) {
              auto& exchange = *static_cast<Exchange*>(self);
              const Error why(Reason::timeout_total, Source::internal);
              if (exchange.running != nullptr) exchange.running->cancel(why);
          },
          this) {
    ++worker.exchanges;
    stream->set_abort_listener(this);
}

Exchange::~Exchange() {
    --worker.exchanges;
}

std::string_view text_of(CacheWord word) noexcept {
    static_assert(static_cast<std::size_t>(CacheWord::bypass) + 1 == cache::kStatusWords.size());
    return cache::kStatusWords[static_cast<std::size_t>(word)];
}

Task<void> Exchange::run() {
    if (fill == nullptr) ++worker.requests;
    std::optional<Forward>
        upstream_half;  // until the line is written: it shows the upstream's head
    std::string failure;
    try {
        bool goes_on = co_await run_pipeline(*this);
        if (goes_on && plan->policy->cache.zone && fill == nullptr) {
            CacheFlow flow(*this);
            goes_on = co_await flow.run();
        }
        if (goes_on) {
            build_upstream_request(*this);
            co_await upstream_half.emplace(*this).run();
        }
    } catch (const std::exception& thrown) {  // out of memory, most likely
        failure = thrown.what();
    }
    if (!failure.empty()) {
        Error why(Reason::internal_error, Source::internal, Retry::no, std::move(failure));
        co_await respond_error(*this, std::move(why));
    }
    if (status == 0) status = status_of(Reason::client_closed);
    if (fill == nullptr) {
        if (cache.word != CacheWord::none) {
            plan->policy->cache.zone->words().count(static_cast<std::size_t>(cache.word));
        }
        write_access_log(*this);
    }
    stream->set_abort_listener(nullptr);
}

void Exchange::limit_total(std::chrono::milliseconds limit) {
    total_.arm(limit);
}

void Exchange::on_abort(const Error& why) {
    if (running != nullptr) running->cancel(why);
}

std::string_view Exchange::request_id() const {
    if (!given_request_id_.empty()) return given_request_id_;
    if (!request_id_) request_id_ = random_id();
    return view(*request_id_);
}

Task<void> run_exchange(WorkerContext& worker, GenerationRef generation,
                        std::unique_ptr<http::ServerStream> stream) {
    Exchange exchange(worker, std::move(generation), std::move(stream));
    co_await exchange.run();
}

}  // namespace proxyd::proxy
