#include "support/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace proxyd::test {
namespace {

constexpr uid_t kNobody = 65'534;

std::vector<std::string> environment(const std::map<std::string, std::string>& added) {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text(*entry);
        const auto name = text.substr(0, text.find('='));
        if (!added.contains(name) && name != "NOTIFY_SOCKET" && name != "LISTEN_FDS") {
            result.push_back(text);
        }
    }
    for (const auto& [name, value] : added) {
        result.push_back(name + "=" + value);
    }
    return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

void redirect(const std::filesystem::path& file, int target) {
    const char* const path = file.empty() ? "/dev/null" : file.c_str();
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    ::dup2(fd, target);
}

// Runs in the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const SpawnOptions& options, char** argv, char** env) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, STDIN_FILENO);
    redirect(options.out, STDOUT_FILENO);
    redirect(options.err, STDERR_FILENO);
    if (options.max_files) {
        const rlimit limit{*options.max_files, *options.max_files};
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    bool ready = options.directory.empty() || ::chdir(options.directory.c_str()) == 0;
    if (options.as_nobody && ::geteuid() == 0) {
        ready = ready && ::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 &&
                ::setuid(kNobody) == 0;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    if (ready) {
        ::execve(argv[0], argv, env);
    }
    ::_exit(127);
}

}  // namespace

bool ExitStatus::crashed() const {
    return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL ||
           signal == SIGFPE || signal == SIGPIPE || signal == SIGTRAP;
}

ChildProcess::ChildProcess(const SpawnOptions& options) {
    auto arguments = options.argv;
    auto variables = environment(options.env);
    auto argv = pointers(arguments);
    auto env = pointers(variables);
    pid_ = ::fork();
    if (pid_ < 0) {
        throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
    }
    if (pid_ == 0) {
        become(options, argv.data(), env.data());
    }
    pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

ChildProcess::~ChildProcess() {
    if (!ended_) {
        signal(SIGKILL);
        wait(kLimit);
    }
    ::close(pid_fd_);
}

bool ChildProcess::running() {
    return !wait(Duration(0));
}

void ChildProcess::signal(int number) const {
    if (!ended_) {
        ::kill(pid_, number);
    }
}

std::optional<ExitStatus> ChildProcess::wait(Duration limit) {
    if (ended_) {
        return ended_;
    }
    const Deadline deadline(limit);
    pollfd entry{pid_fd_, POLLIN, 0};
    int ready = 0;
    do {
        ready = ::poll(&entry, 1, deadline.left_ms());
    } while (ready < 0 && errno == EINTR);
    int status = 0;
    if (ready == 1 && ::waitpid(pid_, &status, 0) == pid_) {
        ended_ = WIFSIGNALED(status) ? ExitStatus{-1, WTERMSIG(status)}
                                     : ExitStatus{WEXITSTATUS(status), 0};
    }
    return ended_;
}

}  // namespace proxyd::test
