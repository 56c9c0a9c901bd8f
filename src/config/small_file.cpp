#include "config/small_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace proxyd::config {
namespace {

constexpr std::size_t kLargest = std::size_t{1} << 20;

}  // namespace

std::shared_ptr<const std::string> read_small_file(const std::string& path, std::string& problem) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) {
        problem = std::string("cannot be read: ") + std::strerror(errno);
    } else if (!S_ISREG(facts.st_mode)) {
        problem = "is not a file";
    } else if (static_cast<std::size_t>(facts.st_size) > kLargest) {
        problem = "is larger than 1 MiB";
    } else if (std::ifstream file(path, std::ios::binary); file) {
        std::ostringstream content;
        content << file.rdbuf();
        return std::make_shared<const std::string>(std::move(content).str());
    } else {
        problem = std::string("cannot be read: ") + std::strerror(errno);
    }
    return nullptr;
}

}  // namespace proxyd::config
