#pragma once

#include "support/wire.hpp"

#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace proxyd::test {

// How a process ended: with a code, or killed by a signal.
struct ExitStatus {
    int code = -1;
    int signal = 0;

    [[nodiscard]] bool crashed() const;
    bool operator==(const ExitStatus&) const = default;
};

struct SpawnOptions {
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;  // added to the test's own
    std::filesystem::path directory;         // to start in
    std::filesystem::path out;               // files that take the output
    std::filesystem::path err;
    std::optional<rlim_t> max_files;  // soft and hard RLIMIT_NOFILE
    bool as_nobody = false;           // give up root before exec, when we are root
};

// A child that dies with the test. Kills the child when destroyed.
class ChildProcess {
  public:
    explicit ChildProcess(const SpawnOptions& options);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] bool running();
    void signal(int number) const;
    // The exit status, or nothing when it still runs at the limit.
    std::optional<ExitStatus> wait(Duration limit);

  private:
    pid_t pid_ = -1;
    int pid_fd_ = -1;
    std::optional<ExitStatus> ended_;
};

}  // namespace proxyd::test
