#include "proxyd/base/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

namespace proxyd::log {
namespace {

/// A longer line could block on a pipe that poll() calls writable (PIPE_BUF, pipe(7)).
constexpr std::size_t kLongestLine = 4096;
/// For the time, the level and the mark of a cut.
constexpr std::size_t kFrame = 96;

constexpr std::array<std::string_view, 7> kNames{"trace", "debug",    "info", "warn",
                                                 "error", "critical", "off"};

/// `%*` of the pattern: our names of the levels.
class LevelFlag final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        const std::string_view name = kNames.at(static_cast<std::size_t>(message.level));
        out.append(name.data(), name.data() + name.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<LevelFlag>();
    }
};

std::unique_ptr<spdlog::formatter> line_format() {
    auto format = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc, "\n");
    format->add_flag<LevelFlag>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %* %v");
    return format;
}

Error failure(const std::string& path) {
    return Error(Reason::internal_error, Source::internal, Retry::no,
                 "cannot open the error log " + path + ": " + std::strerror(errno));
}

int open_file(const std::string& path) {
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/// Where the lines go: a descriptor (standard error or a file opened with O_APPEND, one write for
/// each line) or syslog. Every member holds the mutex of base_sink while it works.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    Sink() : base_sink(line_format()) {}

    Result<void> direct(const std::string& path) {
        const std::lock_guard guard(mutex_);
        if (path == "syslog") {
            syslog_.reset();  // its closelog() must come before the new openlog()
            syslog_ = std::make_unique<spdlog::sinks::syslog_sink_st>("proxyd", LOG_PID, LOG_DAEMON,
                                                                      false);
            use(STDERR_FILENO, {});
            return {};
        }
        const bool file = path != "stderr" && path != "stdout";
        const int fd = file ? open_file(path) : path == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
        if (fd < 0) return failure(path);
        syslog_.reset();
        use(fd, file ? path : std::string());
        return {};
    }

    Result<void> reopen() {
        const std::lock_guard guard(mutex_);
        if (path_.empty()) return {};
        const int fd = open_file(path_);
        if (fd < 0) return failure(path_);
        use(fd, path_);
        return {};
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (syslog_) return syslog_->log(message);
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        if (!writable()) {
            ++lost_;
            return;
        }
        put({line.data(), line.size()});
        if (lost_ == 0 || !writable()) return;
        put(fmt::format("{} lines of this log were lost: it could not be written to\n",
                        std::exchange(lost_, 0)));
    }
    void flush_() override {}

  private:
    /// A pipe that nobody reads must not stop the traffic.
    [[nodiscard]] bool writable() const noexcept {
        pollfd waiting{fd_, POLLOUT, 0};
        return ::poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLOUT) != 0;
    }

    void put(std::string_view line) noexcept {
        while (::write(fd_, line.data(), line.size()) < 0 && errno == EINTR) {
        }
    }

    void use(int fd, std::string path) {
        if (!path_.empty()) ::close(fd_);
        fd_ = fd;
        path_ = std::move(path);
    }

    std::unique_ptr<spdlog::sinks::syslog_sink_st> syslog_;
    int fd_ = STDERR_FILENO;
    std::string path_;  ///< of the file that fd_ is; empty for the others
    std::uint64_t lost_ = 0;
};

/// Lives until the process ends: other threads may still write while statics are destroyed.
struct Front {
    std::shared_ptr<Sink> sink = std::make_shared<Sink>();
    spdlog::logger logger{"proxyd", sink};
};

Front& front() {
    static Front& instance = *new Front;
    return instance;
}

/// One message is one line: whoever chose the text can't forge a second one.
std::string escaped(std::string_view message) {
    std::string out;
    out.reserve(message.size());
    for (const char c : message) {
        if (out.size() > kLongestLine - kFrame) return out += "...";
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            out += c;
        } else {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        }
    }
    return out;
}

}  // namespace

Result<void> open(const std::string& path, Level level) {
    if (auto opened = front().sink->direct(path); !opened) return opened;
    front().logger.set_level(static_cast<spdlog::level::level_enum>(level));
    return {};
}

Result<void> reopen() {
    return front().sink->reopen();
}

Level parse_level(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<Level>(i);
    }
    return Level::info;
}

bool enabled(Level level) noexcept {
    return front().logger.should_log(static_cast<spdlog::level::level_enum>(level));
}

void write(Level level, std::string_view message) noexcept {
    try {
        const std::string line = escaped(message);
        front().logger.log(static_cast<spdlog::level::level_enum>(level),
                           spdlog::string_view_t(line));
    } catch (...) {
        // Out of memory: the line is lost, the caller goes on.
    }
}

}  // namespace proxyd::log
