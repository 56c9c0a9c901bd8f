#pragma once

#include <boost/intrusive/list.hpp>
#include <optional>

#include "exchange.hpp"
#include "proxyd/async/deadline_wheel.hpp"
#include "proxyd/proxy/mirrors.hpp"
#include "request_body.hpp"

namespace proxyd::proxy {

/// One copy of a request, with everything it needs, on its way to a shadow upstream: one try, its
/// answer read and dropped. Owned by its task in Mirrors.
class Mirror : public boost::intrusive::list_base_hook<> {
  public:
    Mirror(Exchange& exchange, const MirrorPlan& plan, std::string_view body);
    Mirror(const Mirror&) = delete;
    Mirror& operator=(const Mirror&) = delete;

    Task<Result<void>> run();
    /// Often ends it: last action of the caller.
    void cancel(const Error& why);
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] const std::string& upstream() const noexcept { return upstream_; }

  private:
    Task<Result<void>> exchange();
    Task<Result<void>> send();
    Task<Result<void>> drop_answer();
    [[nodiscard]] bool went_stale(const Error& why) const;
    [[nodiscard]] std::string_view keep(std::string_view text);
    [[nodiscard]] upstream::AttemptSettings settings_of(const Exchange& exchange,
                                                        const MirrorPlan& plan);

    const GenerationRef generation_;  ///< the group lives in it
    Arena arena_;
    std::size_t bytes_ = 0;
    http::RequestHead head_;
    std::string_view body_;
    const std::string upstream_;
    upstream::Attempts attempts_;
    std::unique_ptr<http::ClientStream> stream_;
    std::optional<Error> canceled_;
    async::Deadline limit_;
};

/// Sends a copy of what goes upstream to the location's shadow upstream, without waiting: where the
/// location has one and the dice say so.
void mirror_request(Exchange& exchange, const RequestBody& body);

}  // namespace proxyd::proxy
