#pragma once

#include <boost/intrusive/list.hpp>
#include <memory>

#include "fill_stream.hpp"

namespace proxyd::proxy {

/// One fill: an exchange of its own, whose client is the cache. Owned by its task in CacheFills, so
/// that it does not end with the client that began it.
class CacheFill : public boost::intrusive::list_base_hook<> {
  public:
    CacheFill(const Exchange& origin, FillOrder order);
    CacheFill(const CacheFill&) = delete;
    CacheFill& operator=(const CacheFill&) = delete;
    ~CacheFill();

    Task<void> run();
    /// Often ends it: last action of the caller.
    void cancel(const Error& why);

  private:
    void log_failure();

    FillStream* stream_;  ///< of exchange_
    const PassPipePtr pipe_;
    Exchange exchange_;
};

}  // namespace proxyd::proxy
