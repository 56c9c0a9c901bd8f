#pragma once

#include "support/raw_client.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace proxyd::test {

// Threads that send GET requests one behind the other and judge every answer.
// A connection that the peer closes between two answers is opened again and is no failure:
// that is HTTP/1.1's way to end a kept connection. Anything else that is not a whole 200 is one.
class Load {
  public:
    struct Options {
        int threads = 2;
        bool keepalive = true;
        std::string path = "/";
        std::string host = "app.test";
        std::string expected_body;  // empty = any
    };

    Load(std::uint16_t port, Options options);
    explicit Load(std::uint16_t port) : Load(port, Options{}) {}
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    [[nodiscard]] int answered() const { return answered_; }
    [[nodiscard]] bool wait_for_answers(int count, Duration limit = kLimit) const;
    // From here on a refused or unanswered new connection ends a thread and is no failure.
    void expect_shutdown() { shutdown_expected_ = true; }
    void stop();
    [[nodiscard]] std::vector<std::string> failures() const;

  private:
    void run(int number);
    bool one_connection(int number, int& count);
    void fail(std::string text);

    std::uint16_t port_;
    Options options_;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> shutdown_expected_ = false;
    std::atomic<int> answered_ = 0;
    mutable std::mutex mutex_;
    std::vector<std::string> failures_;
    std::vector<std::thread> threads_;
};

}  // namespace proxyd::test
