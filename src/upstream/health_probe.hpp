#pragma once

#include <memory>
#include <string>

#include "dial.hpp"
#include "proxyd/codec/client_codec.hpp"
#include "proxyd/config/model.hpp"

namespace re2 {
class RE2;
}

namespace proxyd::upstream {

/// What a check asks for and of whom, made ready once for all checks of a peer.
struct ProbePlan {
    std::shared_ptr<const config::Upstream> upstream;  ///< has a health_check
    Peer peer;
    Opening opening;
    std::string host;
    std::shared_ptr<const re2::RE2> body;  ///< where the body is an expression
};

/// One check, over a connection of its own. On the loop's thread, owned by whoever awaits run().
/// Everything is bounded: the whole by `timeout`, the head by the codec, the body by 64 KiB.
class HealthProbe final : codec::ClientObserver {
  public:
    HealthProbe(async::Loop& loop, ClientContexts& contexts, const ProbePlan& plan);
    ~HealthProbe();
    HealthProbe(const HealthProbe&) = delete;
    HealthProbe& operator=(const HealthProbe&) = delete;

    /// Why the check failed; empty = it passed.
    Task<std::string> run();
    /// False when it failed for want of descriptors or memory here: that says nothing of the peer.
    [[nodiscard]] bool could_ask() const noexcept { return could_ask_; }
    /// Makes run() return. Often the end of this object: last action of the caller.
    void cancel();

  private:
    void on_idle(codec::ClientCodec&) override {}
    void on_closed(codec::ClientCodec&) override {}

    Task<std::string> ask();
    Task<std::string> look_at_body();
    [[nodiscard]] bool body_matches() const;
    [[nodiscard]] std::string cause_of(const Error& why);

    async::Loop& loop_;
    const ProbePlan& plan_;
    const config::HealthCheck& settings_;
    async::Deadline limit_;
    Dial dial_;
    std::unique_ptr<codec::ClientCodec> codec_;
    std::unique_ptr<http::ClientStream> stream_;  ///< ends before its codec
    std::string body_;
    bool late_ = false;
    bool could_ask_ = true;
};

}  // namespace proxyd::upstream
