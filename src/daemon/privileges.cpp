#include "daemon/privileges.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "proxyd/base/log.hpp"

namespace proxyd::daemon {
namespace {

Error failure(std::string text) {
    return Error(Reason::internal_error, Source::internal, Retry::no, std::move(text));
}

Error step_failed(const char* step) {
    return failure(std::string("cannot drop privileges: ") + step + ": " + std::strerror(errno));
}

/// Of what is permitted only `mask` stays, and that in effect. Raw, so that no library is needed;
/// it acts on the calling thread only.
bool keep_capabilities(std::uint32_t mask) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
    const std::uint32_t kept = data[0].permitted & mask;
    data = {__user_cap_data_struct{kept, kept, 0}, __user_cap_data_struct{}};
    return ::syscall(SYS_capset, &header, data.data()) == 0;
}

std::set<std::string> log_files(const config::Snapshot& snapshot, const std::string& error_log) {
    std::set<std::string> paths{error_log};
    const auto add = [&](const std::shared_ptr<const config::AccessLog>& log) {
        if (log) paths.insert(log->path);
    };
    add(snapshot.access_log);
    for (const config::Host& host : snapshot.hosts) {
        for (const config::Location& location : host.locations) {
            if (location.policy) add(location.policy->access_log);
        }
    }
    return paths;
}

}  // namespace

Result<std::optional<Identity>> identity_of(const config::Snapshot& snapshot) {
    if (snapshot.user.empty()) return std::optional<Identity>();
    const passwd* const entry = ::getpwnam(snapshot.user.c_str());
    if (entry == nullptr) return failure("user '" + snapshot.user + "' does not exist");
    Identity identity{snapshot.user, entry->pw_uid, entry->pw_gid};
    if (!snapshot.group.empty()) {
        const group* const found = ::getgrnam(snapshot.group.c_str());
        if (found == nullptr) return failure("group '" + snapshot.group + "' does not exist");
        identity.gid = found->gr_gid;
    }
    if (::geteuid() == 0) return std::optional<Identity>(std::move(identity));
    if (::geteuid() != identity.uid) {
        log::warn("user '{}' is ignored: only root can change its user", snapshot.user);
    }
    return std::optional<Identity>();
}

Result<void> become(const Identity& identity) {
    const std::uint32_t bind = 1U << CAP_NET_BIND_SERVICE;
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return step_failed("keepcaps");
    if (::initgroups(identity.user.c_str(), identity.gid) != 0) return step_failed("initgroups");
    if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) return step_failed("setresgid");
    if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) return step_failed("setresuid");
    if (identity.uid != 0 && !keep_capabilities(bind)) return step_failed("capset");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return step_failed("no_new_privs");
    return {};
}

void hand_over(const config::Snapshot& snapshot, const std::string& error_log,
               const Identity& identity) {
    for (const std::string& path : log_files(snapshot, error_log)) {
        if (!path.starts_with('/')) continue;
        const int fd =
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (fd < 0) continue;
        if (::fchown(fd, identity.uid, identity.gid) != 0) {
            log::warn("cannot give {} to {}: {}", path, identity.user, std::strerror(errno));
        }
        ::close(fd);
    }
    if (!snapshot.control.empty() &&
        ::lchown(snapshot.control.c_str(), identity.uid, identity.gid) != 0 && errno != ENOENT) {
        log::warn("cannot give {} to {}: {}", snapshot.control, identity.user,
                  std::strerror(errno));
    }
}

}  // namespace proxyd::daemon
