#pragma once

#include <memory>
#include <string_view>

namespace proxyd::net::tls {

class CertificateSlot;
class ServerPolicy;

/// What a name is served with.
struct ServedHost {
    std::shared_ptr<const void> owner;  ///< of all that follows
    const ServerPolicy* policy = nullptr;
    const CertificateSlot* certificates = nullptr;
    /// The same for all that are served alike: sessions of one do not open another.
    std::string_view identity;
};

/// Knows who has a name. On the thread of the handshake.
class HostChooser {
  public:
    /// `name` has the characters of a host name; "" = the client gave none. Without a policy:
    /// nobody has it.
    [[nodiscard]] virtual ServedHost choose(std::string_view name,
                                            std::string_view listener) const = 0;

  protected:
    ~HostChooser() = default;
};

}  // namespace proxyd::net::tls
