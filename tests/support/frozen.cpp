#include "support/frozen.hpp"

#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <csignal>

namespace proxyd::test {
namespace {

bool every_thread_is(const Daemon& daemon, char state) {
    std::error_code error;
    const std::filesystem::path tasks("/proc/" + std::to_string(daemon.pid()) + "/task");
    for (const auto& task : std::filesystem::directory_iterator(tasks, error)) {
        // "TID (name) STATE ...": the name may hold anything.
        const auto stat = read_file(task.path() / "stat");
        const auto name_end = stat.rfind(')');
        if (name_end == std::string::npos || stat.size() < name_end + 3) return false;
        if (stat[name_end + 2] != state) return false;
    }
    return !error;
}

}  // namespace

bool wait_until_idle(const Daemon& daemon, Duration limit) {
    return eventually([&] { return every_thread_is(daemon, 'S'); }, limit);
}

bool delivered(const Wire& wire, Duration limit) {
    return eventually(
        [&] {
            int waiting = 0;
            return ::ioctl(wire.fd(), SIOCOUTQ, &waiting) == 0 && waiting == 0;
        },
        limit);
}

Frozen::Frozen(const Daemon& daemon) : daemon_(daemon) {
    EXPECT_TRUE(wait_until_idle(daemon_));
    daemon_.signal(SIGSTOP);
    EXPECT_TRUE(eventually([&] { return every_thread_is(daemon_, 'T'); }));
}

Frozen::~Frozen() {
    daemon_.signal(SIGCONT);
}

}  // namespace proxyd::test
