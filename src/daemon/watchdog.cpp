#include "daemon/watchdog.hpp"

namespace proxyd::daemon {

Watchdog::Watchdog(async::Loop& loop, server::Server& server, const SdNotify& notify)
    : timer_(loop.io()), server_(server), notify_(notify) {}

void Watchdog::start() {
    const auto limit = SdNotify::watchdog_limit();
    if (!limit) return;
    timer_.expires_after(*limit / 3);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (!error) ask();
    });
}

void Watchdog::ask() {
    server_.status([this](const server::Status&) {
        notify_.watchdog();
        start();
    });
}

}  // namespace proxyd::daemon
