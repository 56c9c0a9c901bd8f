#include "daemon/demo.hpp"

#include <fmt/core.h>

#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "daemon/config_test.hpp"
#include "daemon/daemon.hpp"
#include "daemon/demo_tour.hpp"
#include "daemon/demo_upstream.hpp"
#include "daemon/exit_code.hpp"

namespace proxyd::daemon {
namespace {

constexpr std::uint16_t kPort = 8080;
constexpr std::chrono::seconds kTourLimit{30};

/// A new directory for the demo's files; removed with everything in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "proxyd-demo-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("cannot make " + name + ": " + std::strerror(errno));
        }
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

void print_line(const DemoLine& line) {
    fmt::print("{:<5}{:<26}{}\n", line.ok ? "ok" : "FAIL", line.title, line.result);
    std::fflush(stdout);
}

void print_farewell(const std::string& config, std::uint16_t port) {
    fmt::print(
        "\nIt stays up until Ctrl-C. Its configuration: {}\n"
        "  curl -i http://127.0.0.1:{}/\n",
        config, port);
    std::fflush(stdout);
}

/// The requests on a thread of their own, while the control loop serves. Ends before the daemon it
/// was given.
class Tour {
  public:
    Tour(Daemon& daemon, std::string config, std::uint16_t port, bool once)
        : daemon_(daemon),
          config_(std::move(config)),
          port_(port),
          once_(once),
          limit_(daemon.loop().io(), kTourLimit) {}
    Tour(const Tour&) = delete;
    Tour& operator=(const Tour&) = delete;
    ~Tour() {
        if (thread_.joinable()) thread_.join();
    }

    void start() {
        thread_ = std::thread([this] { make(); });
        if (!once_) return;
        limit_.async_wait([this](const boost::system::error_code& error) {
            if (!error) daemon_.end(kFailure);
        });
    }

  private:
    void make() {
        const bool all = demo_tour(port_, print_line);
        if (once_) return daemon_.end(all ? kSuccess : kFailure);
        print_farewell(config_, port_);
    }

    Daemon& daemon_;
    std::string config_;
    std::uint16_t port_;
    bool once_;
    boost::asio::steady_timer limit_;
    std::thread thread_;
};

/// Runs the configuration that was just written.
int serve(const Options& options, std::uint16_t port) {
    const config::LoadResult loaded = config::load(options.load_options());
    if (!loaded.snapshot) {
        fmt::print(stderr, "{}", render_all(loaded.diagnostics));
        return kFailure;
    }
    Daemon daemon(options);
    Tour tour(daemon, options.config, port, options.once);
    daemon.on_ready([&tour] { tour.start(); });
    return daemon.run(loaded.snapshot);
}

}  // namespace

int run_demo(const Options& options) {
    const TemporaryDirectory directory;
    const DemoUpstream upstream;
    const std::uint16_t port = free_port(kPort);
    Options own = options;
    own.config = directory.path() + "/proxyd.yaml";
    std::ofstream(own.config) << demo_config(directory.path(), port, upstream.port(), free_port());
    fmt::print("proxyd on 127.0.0.1:{} before an upstream on 127.0.0.1:{}\n", port,
               upstream.port());
    std::fflush(stdout);
    return serve(own, port);
}

}  // namespace proxyd::daemon
