#include "directory_watch.hpp"

#include <fcntl.h>
#include <sys/inotify.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <cstring>

namespace proxyd::server {
namespace {

constexpr std::uint32_t kMask = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF |
                                IN_MOVE_SELF | IN_ONLYDIR;
/// Beyond it everything counts as changed.
constexpr std::size_t kMostUnknown = 1024;

}  // namespace

DirectoryWatch::DirectoryWatch(async::Loop& loop, Changed changed)
    : changed_(std::move(changed)), stream_(loop.io()) {}

bool DirectoryWatch::open() {
    inotify_ = std::make_shared<Descriptor>(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!*inotify_) return false;
    const int own = ::fcntl(inotify_->get(), F_DUPFD_CLOEXEC, 0);
    boost::system::error_code error;
    if (own < 0 || stream_.assign(own, error)) return false;
    read();
    return true;
}

DirectoryWatch::Bond DirectoryWatch::add(const Place& place) const {
    const int watch = ::inotify_add_watch(inotify_->get(), place.directory.c_str(), kMask);
    return {watch, place.name, watch < 0 && (errno == ENOENT || errno == ENOTDIR)};
}

void DirectoryWatch::bind(const Bond& bond, std::size_t index) {
    auto& known = bonds_[bond.watch][bond.name];
    if (std::find(known.begin(), known.end(), index) == known.end()) known.push_back(index);
}

void DirectoryWatch::bound() {
    const auto waiting = std::exchange(unknown_, {});
    for (const Event& event : waiting) (void)hand_out(event);
}

void DirectoryWatch::close() {
    changed_ = nullptr;
    boost::system::error_code ignored;
    stream_.close(ignored);
}

void DirectoryWatch::read() {
    stream_.async_read_some(
        boost::asio::buffer(buffer_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
            if (error || !self->changed_) return;
            self->take(self->buffer_, size);
            if (self->changed_) self->read();
        });
}

void DirectoryWatch::take(const char* data, std::size_t size) {
    for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
        inotify_event event{};
        std::memcpy(&event, data + at, sizeof event);
        const char* const name = data + at + sizeof event;
        at += sizeof event + event.len;
        if ((event.mask & IN_Q_OVERFLOW) != 0) {
            all_changed();
            continue;
        }
        if ((event.mask & IN_IGNORED) != 0) {  // it is gone
            bonds_.erase(event.wd);
            continue;
        }
        Event seen{event.wd, event.len > 0 ? std::string(name) : std::string()};
        if (hand_out(seen)) continue;
        if (unknown_.size() < kMostUnknown) {
            unknown_.push_back(std::move(seen));
        } else {
            all_changed();
        }
    }
}

bool DirectoryWatch::hand_out(const Event& event) {
    const auto found = bonds_.find(event.watch);
    if (found == bonds_.end()) return false;
    if (event.name.empty()) {
        for (const auto& [name, indices] : found->second) call(indices);
    } else if (const auto named = found->second.find(event.name); named != found->second.end()) {
        call(named->second);
    }
    return true;
}

void DirectoryWatch::call(const std::vector<std::size_t>& indices) const {
    for (const std::size_t index : indices) changed_(index);
}

void DirectoryWatch::all_changed() {
    for (const auto& [watch, names] : bonds_) {
        for (const auto& [name, indices] : names) call(indices);
    }
}

}  // namespace proxyd::server
