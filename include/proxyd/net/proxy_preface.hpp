#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/descriptor.hpp"
#include "proxyd/base/result.hpp"
#include "proxyd/base/task.hpp"
#include "proxyd/net/proxy_protocol.hpp"

namespace proxyd::net {

/// Takes the PROXY header off the front of an accepted connection, and not a byte more: it is
/// looked at in the kernel until it is whole. Owns the descriptor until release(). Loop's thread.
/// Errors: proxy_protocol_invalid, proxy_protocol_timeout, what end_within() or cancel() was given.
class ProxyPreface {
  public:
    ProxyPreface(async::Loop& loop, Descriptor socket);
    ProxyPreface(const ProxyPreface&) = delete;
    ProxyPreface& operator=(const ProxyPreface&) = delete;
    ~ProxyPreface();

    /// `limit` 0 = none.
    Task<Result<ProxyHeader>> read(std::chrono::milliseconds limit);
    /// A pending read() returns `why` unless the header is whole within `limit`.
    void end_within(std::chrono::milliseconds limit, Error why);
    /// Makes a pending read() return `why`.
    void cancel(Error why);
    /// After read().
    [[nodiscard]] Descriptor release() noexcept;

  private:
    struct Pending;
    boost::intrusive_ptr<Pending> pending_;
};

}  // namespace proxyd::net
