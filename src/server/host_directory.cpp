#include "host_directory.hpp"

#include "proxyd/routing/table.hpp"

namespace proxyd::server {

net::tls::ServedHost HostDirectory::choose(std::string_view name, std::string_view listener) const {
    net::tls::ServedHost served;
    const routing::RoutedHost* const host = (**generation_).routes().find_host(name, listener);
    if (host == nullptr || host->config->tls == nullptr) return served;
    const std::shared_ptr<const config::HostTls>& tls = host->config->tls;
    served.owner = tls;
    served.policy = tls->policy.get();
    served.certificates = tls->certificates.get();
    served.identity = tls->identity;
    return served;
}

}  // namespace proxyd::server
