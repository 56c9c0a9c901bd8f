#include "daemon/process.hpp"

#include <sys/resource.h>

#include <csignal>

namespace proxyd::daemon {

ServingProcess::ServingProcess() {
    (void)std::signal(SIGPIPE, SIG_IGN);
    (void)std::signal(SIGXFSZ, SIG_IGN);  // a limit on files is an error of write
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace proxyd::daemon
