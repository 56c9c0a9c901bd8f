#include "cache/disk/scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "cache/disk/disk_zone.hpp"
#include "cache/disk/purge_file.hpp"

namespace proxyd::cache::disk {
namespace {

constexpr std::size_t kDeepest = 3;
constexpr std::uint64_t kLookEvery = 256;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

bool is_level_name(std::string_view name) noexcept {
    return (name.size() == 1 || name.size() == 2) &&
           name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

bool Scan::run() {
    return directory(zone_.tree().root(), 0);
}

bool Scan::directory(const std::string& path, std::size_t depth) {
    const std::unique_ptr<DIR, CloseDirectory> open(::opendir(path.c_str()));
    if (!open) {
        if (errno != ENOENT) zone_.trouble().read_failed(errno);
        return true;
    }
    const int descriptor = ::dirfd(open.get());
    while (const dirent* entry = ::readdir(open.get())) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (++seen_ % kLookEvery == 0 && zone_.ending_within(std::chrono::milliseconds(0))) {
            return false;
        }
        if (Tree::kind_of(name) != Tree::Name::foreign) {
            if (!file(path, name, descriptor)) return false;
        } else if (depth < kDeepest && is_level_name(name)) {
            if (!directory(path + "/" + std::string(name), depth + 1)) return false;
        } else if (depth != 0 || name != kPurgeFileName) {
            found_foreign(path + "/" + std::string(name));
        }
    }
    return true;
}

bool Scan::file(const std::string& path, std::string_view name, int directory) {
    struct stat facts {};
    const std::string text(name);
    if (::fstatat(directory, text.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return true;
    if (!S_ISREG(facts.st_mode)) {
        found_foreign(path + "/" + text);
        return true;
    }
    if (Tree::kind_of(name) == Tree::Name::temporary) {
        if (!Tree::is_of_this_process(name)) ::unlinkat(directory, text.c_str(), 0);
        return true;
    }
    const Key key = Tree::key_of_name(name);
    const std::string here = path + "/" + text;
    if (const std::string place = zone_.tree().path(key); place != here) {
        if (zone_.tree().make_directories(key) != 0) return true;
        const bool moved = ::link(here.c_str(), place.c_str()) == 0;
        ::unlink(here.c_str());
        if (!moved) return true;  // a younger one is there
    }
    const auto bytes = static_cast<std::uint64_t>(facts.st_size);
    if (zone_.index().add_found(key, Index::counted(bytes))) (void)zone_.make_room(0);
    return true;
}

void Scan::found_foreign(const std::string& path) {
    ++foreign_;
    foreign_path_ = path;
}

}  // namespace proxyd::cache::disk
