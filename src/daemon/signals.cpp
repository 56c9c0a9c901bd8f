#include "daemon/signals.hpp"

#include <unistd.h>

#include <csignal>

namespace proxyd::daemon {
namespace {

void end_at_once(int) {
    ::_exit(0);
}

}  // namespace

Signals::Signals(async::Loop& loop, Actions actions)
    : set_(loop.io()), actions_(std::move(actions)) {
    for (const int number : {SIGHUP, SIGUSR1, SIGQUIT, SIGTERM, SIGINT}) set_.add(number);
    wait();
}

void Signals::wait() {
    set_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        wait();
        act(number);
    });
}

void Signals::act(int number) {
    switch (number) {
        case SIGHUP:
            return actions_.reload();
        case SIGUSR1:
            return actions_.reopen();
        case SIGQUIT:
            return actions_.quit();
        default:
            break;
    }
    for (const int end : {SIGTERM, SIGINT}) {
        set_.remove(end);
        (void)std::signal(end, end_at_once);
    }
    actions_.stop();
}

}  // namespace proxyd::daemon
