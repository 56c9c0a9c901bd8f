#include "proxyd/net/resolver.hpp"

#include <netdb.h>

#include <cstring>
#include <memory>

namespace proxyd::net {

std::vector<Endpoint> resolve(const std::string& name, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) return {};
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
    std::vector<Endpoint> endpoints;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        sockaddr_storage storage{};
        std::memcpy(&storage, entry->ai_addr, entry->ai_addrlen);
        endpoints.push_back(Endpoint::from(storage, entry->ai_addrlen));
    }
    return endpoints;
}

}  // namespace proxyd::net
