#include "support/ports.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <stdexcept>
#include <string>

namespace proxyd::test {
namespace {

constexpr std::uint16_t kFirst = 10'000;
constexpr std::uint16_t kLast = 32'000;

bool can_listen(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const bool listens = bound && ::listen(fd, 1) == 0;
    ::close(fd);
    return listens;
}

// Takes the lock file of a port for the life of this process (the descriptor is never closed).
bool lock_port(const std::filesystem::path& directory, std::uint16_t port) {
    const auto path = directory / std::to_string(port);
    const int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) {
        return false;
    }
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        return false;
    }
    return true;
}

}  // namespace

std::uint16_t claim_port() {
    const auto directory = std::filesystem::temp_directory_path() / "proxyd-test-ports";
    std::filesystem::create_directories(directory);
    std::random_device device;
    std::uniform_int_distribution<int> any(kFirst, kLast);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto port = static_cast<std::uint16_t>(any(device));
        if (lock_port(directory, port) && can_listen(port)) {
            return port;
        }
    }
    throw std::runtime_error("no free port");
}

}  // namespace proxyd::test
