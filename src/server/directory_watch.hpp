#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/descriptor.hpp"
#include "watched_paths.hpp"

namespace proxyd::server {

/// What inotify says of names in directories: `changed(index)` for each index that was bound to
/// the name. Lives on a loop; add() alone may run on another thread.
class DirectoryWatch : public std::enable_shared_from_this<DirectoryWatch> {
  public:
    using Changed = std::function<void(std::size_t index)>;
    /// The kernel's number of a watched directory, and a name in it.
    struct Bond {
        int watch = -1;
        std::string name;
        bool gone = false;  ///< there is no such directory: nothing that the kernel refused
    };

    DirectoryWatch(async::Loop& loop, Changed changed);
    /// False: there is no inotify to be had.
    [[nodiscard]] bool open();
    /// Begins to listen; what happens before bind() is kept for it. Any thread. Watch -1: refused.
    [[nodiscard]] Bond add(const Place& place) const;
    void bind(const Bond& bond, std::size_t index);
    /// Behind the last bind(): hands out what came before its bond was known.
    void bound();
    void close();

  private:
    struct Event {
        int watch = -1;
        std::string name;  ///< "" = the directory itself
    };
    void read();
    void take(const char* data, std::size_t size);
    [[nodiscard]] bool hand_out(const Event& event);
    void call(const std::vector<std::size_t>& indices) const;
    void all_changed();

    Changed changed_;
    boost::asio::posix::stream_descriptor stream_;
    std::shared_ptr<Descriptor> inotify_;  ///< the same instance, for add()
    using Names = std::unordered_map<std::string, std::vector<std::size_t>>;
    std::unordered_map<int, Names> bonds_;
    std::vector<Event> unknown_;
    alignas(8) char buffer_[16 * 1024];
};

}  // namespace proxyd::server
