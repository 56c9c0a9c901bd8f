#pragma once

#include "support/gate.hpp"

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace proxyd::test {

// The service manager's end of sd_notify: a datagram socket that keeps every message.
class NotifySocket {
  public:
    explicit NotifySocket(std::filesystem::path path);
    ~NotifySocket();
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::vector<std::string> messages() const { return messages_.get(); }
    // Waits until `count` messages hold a line that starts with `line`.
    [[nodiscard]] bool wait_for(std::string_view line, Duration limit = kLimit, int count = 1);

  private:
    void read_loop(const std::stop_token& stop);

    std::filesystem::path path_;
    int fd_ = -1;
    Watched<std::vector<std::string>> messages_;
    std::jthread reader_;
};

// True when one of the lines of a notification starts with `line`.
bool has_line(std::string_view message, std::string_view line);

}  // namespace proxyd::test
