#include "acceptor.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proxyd/base/log.hpp"

namespace proxyd::server {
namespace {

/// Enough to empty a usual queue, few enough to let the loop do other work.
constexpr int kBatch = 64;
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

Acceptor::Acceptor(async::Loop& loop, net::ListenSocket socket,
                   std::shared_ptr<const ListenerContext> listener, Deliver deliver,
                   std::function<bool()> may_accept)
    : listener_(std::move(listener)),
      deliver_(std::move(deliver)),
      may_accept_(std::move(may_accept)),
      socket_(loop, std::move(socket.descriptor), [this] { accept_batch(); }),
      file_(std::move(socket.file)),
      resume_(
          loop.wheel(), [](void* self) { static_cast<Acceptor*>(self)->accept_batch(); }, this) {}

void Acceptor::set_listener(std::shared_ptr<const ListenerContext> listener) noexcept {
    if (listener->backlog != listener_->backlog) {
        ::listen(socket_.descriptor(), listener->backlog);
    }
    listener_ = std::move(listener);
}

bool Acceptor::accept_one() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = ::accept4(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return false;
    deliver_(Accepted{fd, net::Endpoint::from(address, size), listener_, {}});
    return true;
}

void Acceptor::take_queued() {
    while (may_accept_() && accept_one()) {
    }
}

void Acceptor::accept_batch() {
    for (int i = 0; i < kBatch; ++i) {
        if (!may_accept_()) return pause("the limit of open files is near");
        if (accept_one()) {
            pause_logged_ = false;
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return socket_.wait(true);
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return pause(std::strerror(errno));
        }
        // ECONNABORTED and the network's own errors concern one connection (accept(2)).
    }
    socket_.wait(false);
}

void Acceptor::pause(const char* why) {
    if (!pause_logged_) {
        pause_logged_ = true;
        log::warn("listener '{}': accepting pauses: {}", listener_->name, why);
    }
    resume_.arm(kPause);
}

}  // namespace proxyd::server
