#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxyd/base/descriptor.hpp"

namespace proxyd::daemon {

/// The notification protocol of sd_notify(3): datagrams to $NOTIFY_SOCKET, a path or an abstract
/// name ('@'). Connected when it is made, while the rights of the start last. Without the variable
/// every call does nothing. Never fails the caller.
class SdNotify {
  public:
    SdNotify();  ///< from the environment
    explicit SdNotify(std::string socket);

    void ready(std::string_view status) const;
    /// Before a reload; ready() or status() comes after it. With MONOTONIC_USEC, which systemd
    /// from 253 on waits for.
    void reloading() const;
    void stopping() const;
    void watchdog() const;

    /// How often the service manager wants watchdog(); none when it does not.
    [[nodiscard]] static std::optional<std::chrono::microseconds> watchdog_limit();

  private:
    void connect() const;
    void send(const std::string& message) const;

    std::string socket_;
    mutable Descriptor fd_;
};

}  // namespace proxyd::daemon
