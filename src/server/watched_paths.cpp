#include "watched_paths.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <deque>
#include <optional>

namespace proxyd::server {
namespace {

/// As many links as the kernel follows.
constexpr int kMostLinks = 40;

void split_in_front(std::deque<std::string>& rest, const std::string& path) {
    std::vector<std::string> parts;
    for (std::size_t start = 0; start < path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        if (end > start) parts.push_back(path.substr(start, end - start));
        start = end + 1;
    }
    rest.insert(rest.begin(), parts.begin(), parts.end());
}

std::string start_of(const std::string& path) {
    return path.starts_with('/') ? "/" : ".";
}

std::optional<std::string> link_target(const std::string& path) {
    char target[PATH_MAX];
    const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
    if (size < 0) return std::nullopt;
    return std::string(target, static_cast<std::size_t>(size));
}

}  // namespace

std::vector<Place> places_of(const std::string& path) {
    std::vector<Place> places;
    std::deque<std::string> rest;
    std::string directory = start_of(path);
    split_in_front(rest, path);
    for (int links = 0; !rest.empty() && links <= kMostLinks;) {
        const std::string name = rest.front();
        rest.pop_front();
        const std::string full = directory + "/" + name;
        if (const auto target = link_target(full)) {
            ++links;
            places.push_back({directory, name});
            if (target->starts_with('/')) directory = "/";
            split_in_front(rest, *target);
        } else if (rest.empty()) {
            places.push_back({directory, name});
        } else {
            directory = full;
        }
    }
    return places;
}

std::string signature_of(const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return "none ";
    const auto add = [](auto value) { return std::to_string(value) + " "; };
    return add(facts.st_dev) + add(facts.st_ino) + add(facts.st_size) + add(facts.st_mtim.tv_sec) +
           add(facts.st_mtim.tv_nsec) + add(facts.st_ctim.tv_sec) + add(facts.st_ctim.tv_nsec);
}

}  // namespace proxyd::server
