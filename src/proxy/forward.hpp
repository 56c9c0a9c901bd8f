#pragma once

#include <optional>

#include "exchange.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/base/lifetime.hpp"
#include "request_body.hpp"

namespace proxyd::proxy {

/// The upstream half of an exchange: buffers the request as the policy says, tries peers until one
/// answers, relays the answer. Lives inside the exchange; cancel() ends it from outside.
class Forward final : public Cancelable {
  public:
    explicit Forward(Exchange& exchange);
    ~Forward();
    Forward(const Forward&) = delete;
    Forward& operator=(const Forward&) = delete;

    Task<void> run();
    // Cancelable
    void cancel(const Error& why) override;

  private:
    enum class Next : std::uint8_t { give_up, other_peer, same_peer };

    Task<Result<http::ResponseHead*>> try_once();
    Task<Result<http::ResponseHead*>> read_final_head();
    Task<void> upload();
    Task<void> end_upload(std::chrono::milliseconds grace);
    void stop_upload();
    Task<void> end_attempt();
    [[nodiscard]] Next after(const Error& why);
    [[nodiscard]] bool may_ask_another(config::RetryOn word, const Error& why);
    [[nodiscard]] bool within_budget(const Error& why);
    [[nodiscard]] bool settles(int status);
    void note_try(int status);

    Task<void> relay(http::ResponseHead& head);
    Task<void> relay_rest(http::ResponseHead& head);
    Task<void> copy_body(bool unbuffered);
    Task<void> tunnel(http::ResponseHead& head);

    Exchange& exchange_;
    const config::Upstream& settings_;
    upstream::Attempts attempts_;
    RequestBody body_;
    std::unique_ptr<http::ClientStream> stream_;
    async::TaskScope uploads_;
    std::optional<Error> canceled_;
    std::optional<Error> client_failed_;  ///< the upload ended because of the client
    bool same_peer_ = false;
    unsigned stale_ = 0;
    async::Milliseconds began_ = 0;  ///< of the current try
    const bool idempotent_;
    bool finished_ = false;
    Lifetime lifetime_;
};

}  // namespace proxyd::proxy
