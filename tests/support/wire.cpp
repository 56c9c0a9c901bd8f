#include "support/wire.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace proxyd::test {
namespace {

// True when the descriptor is ready for `events` (or in error) before the deadline.
bool wait_ready(int fd, short events, const Deadline& deadline) {
    while (true) {
        pollfd entry{fd, events, 0};
        const int ready = ::poll(&entry, 1, deadline.left_ms());
        if (ready > 0) {
            return true;
        }
        if (ready == 0 || errno != EINTR) {
            return false;
        }
    }
}

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

int Deadline::left_ms() const {
    const auto left = std::chrono::ceil<Duration>(at_ - Clock::now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

std::string_view to_text(IoStatus status) {
    switch (status) {
        case IoStatus::Ok:
            return "ok";
        case IoStatus::Eof:
            return "end of stream";
        case IoStatus::Reset:
            return "connection reset";
        case IoStatus::Timeout:
            return "time limit";
    }
    return "?";
}

Wire::Wire(int fd) : fd_(fd) {
    if (fd_ >= 0) {
        ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    }
}

Wire::~Wire() {
    close();
}

Wire::Wire(Wire&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      layer_(std::move(other.layer_)),
      buffer_(std::move(other.buffer_)),
      start_(std::exchange(other.start_, 0)),
      sent_(std::exchange(other.sent_, 0)) {}

Wire& Wire::operator=(Wire&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
        layer_ = std::move(other.layer_);
        buffer_ = std::move(other.buffer_);
        start_ = std::exchange(other.start_, 0);
        sent_ = std::exchange(other.sent_, 0);
    }
    return *this;
}

IoStatus Wire::send(std::string_view bytes, Duration limit) {
    const Deadline deadline(limit);
    while (!bytes.empty()) {
        const auto count = layer_ ? layer_->send(bytes)
                                  : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            sent_ += static_cast<std::size_t>(count);
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (!would_block()) {
            return IoStatus::Reset;
        } else if (!wait_ready(fd_, POLLOUT, deadline)) {
            return IoStatus::Timeout;
        }
    }
    return IoStatus::Ok;
}

ssize_t Wire::receive(char* into, std::size_t most) const {
    return layer_ ? layer_->receive(into, most) : ::recv(fd_, into, most, 0);
}

IoStatus Wire::fill(const Deadline& deadline, std::size_t most) {
    if (start_ > 0) {
        buffer_.erase(0, start_);
        start_ = 0;
    }
    const auto old_size = buffer_.size();
    buffer_.resize(old_size + most);
    auto status = IoStatus::Ok;
    std::size_t got = 0;
    while (true) {
        const auto count = receive(buffer_.data() + old_size, most);
        if (count > 0) {
            got = static_cast<std::size_t>(count);
        } else if (count == 0) {
            status = IoStatus::Eof;
        } else if (!would_block()) {
            status = IoStatus::Reset;
        } else if (wait_ready(fd_, POLLIN, deadline)) {
            continue;
        } else {
            status = IoStatus::Timeout;
        }
        break;
    }
    buffer_.resize(old_size + got);
    return status;
}

IoStatus Wire::wait_for_close(Duration limit) {
    const Deadline deadline(limit);
    while (true) {
        consume(view().size());
        const auto status = fill(deadline);
        if (status != IoStatus::Ok) {
            return status;
        }
    }
}

IoStatus Wire::wait_for_event(Duration limit) {
    if (!view().empty()) {
        return IoStatus::Ok;
    }
    if (layer_) {
        return fill(Deadline(limit));
    }
    if (!wait_ready(fd_, POLLIN, Deadline(limit))) {
        return IoStatus::Timeout;
    }
    char byte = 0;
    const auto count = ::recv(fd_, &byte, 1, MSG_PEEK);
    if (count > 0) {
        return IoStatus::Ok;
    }
    return count == 0 ? IoStatus::Eof : IoStatus::Reset;
}

std::string_view Wire::view() const {
    return std::string_view(buffer_).substr(start_);
}

void Wire::consume(std::size_t count) {
    start_ += std::min(count, buffer_.size() - start_);
}

void Wire::half_close() const {
    if (layer_) {
        layer_->finish();
    }
    ::shutdown(fd_, SHUT_WR);
}

void Wire::reset() {
    if (fd_ >= 0) {
        const linger abort_at_close{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof abort_at_close);
        close();
    }
}

void Wire::close() {
    if (fd_ >= 0) {
        ::close(std::exchange(fd_, -1));
    }
}

void Wire::interrupt() const {
    ::shutdown(fd_, SHUT_RDWR);
}

}  // namespace proxyd::test
