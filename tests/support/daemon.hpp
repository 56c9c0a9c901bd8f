#pragma once

#include "support/child_process.hpp"
#include "support/fake_upstream.hpp"
#include "support/json.hpp"
#include "support/notify_socket.hpp"
#include "support/temp_dir.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::test {

// What stands behind the @NAME@ marks of a YAML text. @TMP@ is the daemon's directory; a name
// that is not given stands for a free port of its own (@HTTP@, @HTTP2@, @DEAD@, ...).
class Marks {
  public:
    Marks() = default;
    Marks(std::initializer_list<std::pair<const std::string, std::string>> marks) : marks_(marks) {}

    void set(const std::string& name, std::string value) { marks_[name] = std::move(value); }
    [[nodiscard]] std::string value(const std::string& name);
    [[nodiscard]] std::string apply(std::string_view text);

  private:
    std::map<std::string, std::string> marks_;
};

// "@UP1@", "@UP2@", ... for the ports of the given upstreams.
template <typename... Upstreams>
Marks ups(const Upstreams&... upstreams) {
    Marks marks;
    int number = 0;
    (marks.set("UP" + std::to_string(++number), std::to_string(upstreams.port())), ...);
    return marks;
}

struct CliResult {
    int exit_code = -1;
    int signal = 0;
    std::string out;
    std::string err;

    [[nodiscard]] std::string both() const { return out + err; }
};

struct CliOptions {
    std::filesystem::path directory;
    std::map<std::string, std::string> env;
    Duration limit = kLimit;
    bool as_nobody = false;
};

// The path of the program under test.
std::string binary_path();
// Runs it to its end; a run over the limit is killed and has the signal SIGKILL.
CliResult run_proxyd(const std::vector<std::string>& arguments, const CliOptions& options = {});

struct DaemonOptions {
    std::vector<std::string> arguments;  // behind -c FILE
    std::map<std::string, std::string> env;
    std::optional<rlim_t> max_files;
    bool complete_config = true;  // add control, workers, listeners and log
    bool wait_ready = true;
};

// The program under test as a daemon in a directory of its own. Unless the text has them, these
// are added at its end: control, workers: 4, a listener on @HTTP@ and a JSON access log that
// writes every line at once. The destructor stops it with TERM; a crash, a sanitizer report or
// a daemon that does not stop fails the test.
class Daemon {
  public:
    explicit Daemon(std::string_view yaml, Marks marks = {}, DaemonOptions options = {});
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    [[nodiscard]] std::uint16_t http() { return port("HTTP"); }
    [[nodiscard]] std::uint16_t port(const std::string& mark);
    [[nodiscard]] const std::filesystem::path& directory() const { return temp_.path(); }
    [[nodiscard]] std::filesystem::path config_path() const;
    [[nodiscard]] pid_t pid() const { return child_->pid(); }
    [[nodiscard]] bool running() { return child_->running(); }
    [[nodiscard]] NotifySocket& notify() { return *notify_; }
    [[nodiscard]] Marks& marks() { return marks_; }

    // Replaces the configuration file (marks applied, the same completion).
    void write_config(std::string_view yaml);
    // The same, and `-s reload`, which must succeed.
    void reload(std::string_view yaml);
    // `proxyd <arguments> -c FILE`.
    CliResult cli(std::vector<std::string> arguments, Duration limit = kLimit) const;

    void signal(int number) const { child_->signal(number); }
    // The exit status; a daemon that still runs at the limit fails the test and has code -1.
    ExitStatus wait_exit(Duration limit = kLimit);

    [[nodiscard]] std::string log() const;
    [[nodiscard]] bool wait_for_log(std::string_view text, Duration limit = kLimit) const;
    [[nodiscard]] std::vector<std::string> access_lines() const;
    // Waits for that many lines; fewer at the limit fail the test.
    std::vector<std::string> wait_for_access(std::size_t count, Duration limit = kLimit) const;
    // Line `index` of the JSON access log (from 0), waited for.
    Json access(std::size_t index, Duration limit = kLimit) const;

    [[nodiscard]] std::size_t rss_kib() const { return status_value("VmRSS:"); }
    // A sanitizer reserves terabytes: figures about memory say nothing then.
    [[nodiscard]] bool sanitized() const { return status_value("VmSize:") > (1ULL << 30U); }
    // The number behind a name in the kernel's status of the process (sizes in KiB).
    [[nodiscard]] std::size_t status_value(const std::string& name, int base = 10) const;
    [[nodiscard]] double cpu_seconds() const;
    [[nodiscard]] std::size_t open_files() const;
    // The file the default access log goes to.
    [[nodiscard]] std::filesystem::path access_path() const;

  private:
    [[nodiscard]] std::string complete(std::string_view yaml) const;
    void check_end();

    TempDir temp_;
    Marks marks_;
    DaemonOptions options_;
    std::unique_ptr<NotifySocket> notify_;
    std::unique_ptr<ChildProcess> child_;
    bool expected_end_ = false;
};

}  // namespace proxyd::test
