#include "proxyd/net/tls/ticket_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

namespace proxyd::net::tls {
namespace {

template <class Bytes>
bool fill(Bytes& bytes) {
    return RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
}

constexpr async::Milliseconds milliseconds(std::chrono::milliseconds span) {
    return span.count();
}

}  // namespace

TicketKeys::Key::~Key() {
    OPENSSL_cleanse(encryption.data(), encryption.size());
    OPENSSL_cleanse(authentication.data(), authentication.size());
}

/// Both ends: a new key where it is time, and none that no valid ticket was made with.
void TicketKeys::rotate() {
    const async::Milliseconds now = clock_.now();
    constexpr async::Milliseconds kUsable = milliseconds(kRotateEvery) + milliseconds(kLifetime);
    while (!keys_.empty() && now - keys_.back()->since >= kUsable) keys_.pop_back();
    if (!keys_.empty() && now - keys_.front()->since < milliseconds(kRotateEvery)) return;
    auto key = std::make_shared<Key>();
    if (!fill(key->name) || !fill(key->encryption) || !fill(key->authentication)) return;
    key->since = now;
    keys_.push_front(std::move(key));
}

TicketKeys::KeyPtr TicketKeys::current() {
    const std::lock_guard lock(mutex_);
    rotate();
    return keys_.empty() ? nullptr : keys_.front();
}

TicketKeys::KeyPtr TicketKeys::find(const unsigned char* name) {
    const std::lock_guard lock(mutex_);
    rotate();
    for (const KeyPtr& key : keys_) {
        if (CRYPTO_memcmp(key->name.data(), name, kNameBytes) == 0) return key;
    }
    return nullptr;
}

}  // namespace proxyd::net::tls
