#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "plans.hpp"
#include "proxyd/base/arena.hpp"
#include "proxyd/base/random.hpp"
#include "proxyd/http/stream.hpp"
#include "proxyd/proxy/exchange.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::proxy {

class FillStream;

/// What an exchange does when its client leaves or its time is over. Last action of the caller.
class Cancelable {
  public:
    virtual void cancel(const Error& why) = 0;

  protected:
    ~Cancelable() = default;
};

/// nginx's words for what the cache did ($upstream_cache_status).
enum class CacheWord : std::uint8_t {
    none,  ///< the cache was not asked
    miss,
    hit,
    expired,
    stale,
    updating,
    revalidated,
    bypass,
};
[[nodiscard]] std::string_view text_of(CacheWord word) noexcept;

/// An answer of which the client has the beginning: another one with the same validators brings
/// what follows.
struct AnswerRest {
    std::uint64_t skip = 0;
    int status = 0;
    std::string etag, last_modified;
};

/// What the cache did, for the answer and the log.
struct CacheFacts {
    CacheWord word = CacheWord::none;
    std::string_view status;  ///< Cache-Status (RFC 9211), in the arena
};

/// What the upstream side of an exchange was like, for the log and the variables.
struct UpstreamFacts {
    std::string addresses;  ///< of all tries
    std::string statuses;
    const http::HeaderMap* fields = nullptr;  ///< of the answer that is being relayed
    const upstream::Peer* peer = nullptr;     ///< of the last try
    std::optional<async::Milliseconds> connect_time, header_time, response_time;
    std::uint64_t response_bytes = 0;
};

/// The state of one request, from its head to its line in the log: what the phases of the pipeline
/// found, what the variables show. Owned by run_exchange(), on the connection's thread.
class Exchange final : public vars::Scope, public http::AbortListener {
  public:
    Exchange(WorkerContext& worker, GenerationRef generation,
             std::unique_ptr<http::ServerStream> stream);
    ~Exchange() override;

    Task<void> run();

    // vars::Scope
    void append(vars::Var var, std::string_view name, std::string& out) const override;
    // http::AbortListener
    void on_abort(const Error& why) override;

    [[nodiscard]] const http::RequestHead& request() const noexcept { return stream->head(); }
    [[nodiscard]] const Plans& plans() const noexcept { return (**generation).plans(); }
    [[nodiscard]] const config::Snapshot& snapshot() const noexcept {
        return (**generation).snapshot();
    }
    [[nodiscard]] const config::Policy& policy() const noexcept { return *plan->policy->settings; }
    /// timeouts.total: what still runs then is ended.
    void limit_total(std::chrono::milliseconds limit);
    [[nodiscard]] std::string_view request_id() const;
    void adopt_request_id(std::string_view id) noexcept { given_request_id_ = id; }
    /// Of the answer, as logged: without its head.
    [[nodiscard]] std::uint64_t body_bytes() const noexcept {
        return upgraded ? upstream.response_bytes : stream->body_bytes_sent();
    }
    /// Milliseconds since the head was complete.
    [[nodiscard]] async::Milliseconds elapsed() const noexcept {
        return worker.loop().now() - started;
    }

    WorkerContext& worker;
    const GenerationRef generation;
    std::unique_ptr<http::ServerStream> stream;
    const async::Milliseconds started;
    mutable Arena arena;

    // Found by the phases
    policy::ClientAddress client;  ///< real_ip
    routing::Scratch scratch;
    routing::RouteMatch match;
    const LocationPlan* plan;  ///< never null
    std::string_view target;   ///< for the upstream
    http::RequestHead outgoing;
    int sticky_peer = -1;  ///< index of the peer that the client's cookie names

    // Said to the client
    http::ResponseHead response;
    bool head_sent = false;
    bool upgraded = false;
    int status = 0;  ///< as logged; 499 where nothing was sent
    Reason reason = Reason::none;
    std::string detail;  ///< of the reason
    UpstreamFacts upstream;

    CacheFacts cache;
    std::optional<AnswerRest> rest;

    /// While something runs that can be canceled.
    Cancelable* running = nullptr;
    /// Of an exchange that has no client but fills the cache; then `stream` is it.
    FillStream* fill = nullptr;

  private:
    void append_request(vars::Var var, std::string& out) const;
    void append_outcome(vars::Var var, std::string& out) const;

    async::Deadline total_;
    mutable std::optional<RandomId> request_id_;
    std::string_view given_request_id_;  ///< by a trusted proxy
};

}  // namespace proxyd::proxy
