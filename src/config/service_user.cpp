#include "config/service_user.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <set>

#include "config/small_file.hpp"

namespace proxyd::config {
namespace {

constexpr std::string_view kCertbot = "/letsencrypt/live/";

std::vector<gid_t> groups_of(const std::string& user, gid_t own) {
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (::getgrouplist(user.c_str(), own, groups.data(), &count) < 0) {
        groups.resize(static_cast<std::size_t>(count));
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

/// The calling thread's only: the library's function would change all threads.
bool set_groups(const std::vector<gid_t>& groups) {
    return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

std::string user_name(uid_t uid) {
    const passwd* const entry = ::getpwuid(uid);
    return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

std::string resolved(const std::string& path) {
    char text[PATH_MAX];
    return ::realpath(path.c_str(), text) != nullptr ? text : path;
}

/// Nothing inside can be reached.
bool is_closed(const std::string& directory) {
    const int fd = ::open((directory + "/.").c_str(), O_PATH | O_CLOEXEC);
    if (fd >= 0) ::close(fd);
    return fd < 0 && errno == EACCES;
}

}  // namespace

/// While it lives, files are opened with the rights of the service user, access lists and groups
/// included; no capability of root helps.
class ServiceUser::Eyes {
  public:
    explicit Eyes(const ServiceUser& user) : active_(user.other_) {
        if (!active_) return;
        before_.resize(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
        if (::getgroups(static_cast<int>(before_.size()), before_.data()) < 0) before_.clear();
        active_ = set_groups(user.groups_);
        if (!active_) return;
        ::setfsgid(user.gid_);
        ::setfsuid(user.uid_);
    }
    ~Eyes() {
        if (!active_) return;
        ::setfsuid(::geteuid());
        ::setfsgid(::getegid());
        set_groups(before_);
    }
    Eyes(const Eyes&) = delete;
    Eyes& operator=(const Eyes&) = delete;

  private:
    bool active_;
    std::vector<gid_t> before_;
};

ServiceUser::ServiceUser(const std::string& user, const std::string& group)
    : name_(user_name(::geteuid())) {
    const passwd* const entry = user.empty() ? nullptr : ::getpwnam(user.c_str());
    if (entry == nullptr || entry->pw_uid == ::geteuid()) return;
    if (::geteuid() != 0) {
        wanted_ = user;
        return;
    }
    name_ = user;
    other_ = true;
    uid_ = entry->pw_uid;
    gid_ = entry->pw_gid;
    if (!group.empty()) {
        if (const auto* const found = ::getgrnam(group.c_str())) gid_ = found->gr_gid;
    }
    groups_ = groups_of(user, gid_);
}

std::shared_ptr<const std::string> ServiceUser::read(const std::string& path,
                                                     Refusal& refusal) const {
    std::string problem;
    bool forbidden = false;
    {
        const Eyes eyes(*this);
        errno = 0;
        auto content = read_small_file(path, problem);
        if (content != nullptr && !content->empty()) return content;
        forbidden = content == nullptr && errno == EACCES;
        if (content != nullptr) problem = "is empty";
    }
    refusal.text = problem;
    if (!forbidden) return nullptr;
    refusal.text = "cannot be read by user '" + name_ + "': Permission denied";
    refusal.hint = how_to_mend(path);
    return nullptr;
}

std::string ServiceUser::how_to_mend(const std::string& path) const {
    if (!wanted_.empty()) {
        return "the service runs as '" + wanted_ + "'; as root, proxyd -t looks with its eyes";
    }
    const std::size_t certbot = path.find(kCertbot);
    if (certbot != std::string::npos) {
        const std::string home = path.substr(0, certbot) + "/letsencrypt";
        return "as root: setfacl -R -m u:" + name_ + ":rX " + home + "/live " + home +
               "/archive ; the same line belongs into an executable file in " + home +
               "/renewal-hooks/deploy, because each renewal makes new files";
    }
    return "as root: " + closed_directories(path) + "setfacl -m u:" + name_ + ":r " + path;
}

/// Commands that open the way to the file; a directory that can be read can be watched too.
std::string ServiceUser::closed_directories(const std::string& path) const {
    std::set<std::string> closed;
    for (const std::string& each : {path, resolved(path)}) {
        const Eyes eyes(*this);
        for (std::size_t at = each.find('/', 1); at != std::string::npos;
             at = each.find('/', at + 1)) {
            // Behind a closed one nothing can be told from here.
            const std::string directory = each.substr(0, at);
            if (is_closed(directory)) closed.insert(directory);
        }
    }
    std::string commands;
    for (const std::string& directory : closed) {
        commands += "setfacl -m u:" + name_ + ":rx " + directory + " && ";
    }
    return commands;
}

}  // namespace proxyd::config
