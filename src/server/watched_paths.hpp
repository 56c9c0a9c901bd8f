#pragma once

#include <string>
#include <vector>

namespace proxyd::server {

/// A name in a directory that decides what a path leads to.
struct Place {
    std::string directory;
    std::string name;
};
/// The file itself and every symbolic link on the way, as far as the path leads today.
[[nodiscard]] std::vector<Place> places_of(const std::string& path);

/// The same as long as nobody has written or replaced the files.
[[nodiscard]] std::string signature_of(const std::string& path);

}  // namespace proxyd::server
