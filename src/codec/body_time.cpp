#include "body_time.hpp"

#include <algorithm>

namespace proxyd::codec {
namespace {

using std::chrono::milliseconds;

/// min_rate counts from here on.
constexpr milliseconds kGrace{2000};

}  // namespace

milliseconds BodyTime::patience(milliseconds limit, std::uint64_t received) const {
    if (min_rate_ == 0) return limit;
    const auto earned = static_cast<async::Milliseconds>(received * 1000 / min_rate_);
    const milliseconds left(std::max<async::Milliseconds>(kGrace.count() + earned - waited_, 1));
    return limit.count() == 0 ? left : std::min(limit, left);
}

Error BodyTime::late() const {
    if (side_ == Source::upstream) {
        return Error(Reason::upstream_timeout_read, side_, Retry::no,
                     "nothing came for timeouts.read");
    }
    return Error(Reason::client_timeout_body, side_, Retry::no,
                 min_rate_ == 0 ? "nothing came for client.body_timeout"
                                : "slower than client.min_rate, or nothing for body_timeout");
}

}  // namespace proxyd::codec
