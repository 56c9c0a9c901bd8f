#include "config/keys_balance.hpp"

#include <algorithm>
#include <charconv>

#include "config/store.hpp"
#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

struct BalanceWord {
    std::string_view name;
    Balance balance;
};
constexpr BalanceWord kBalanceWords[] = {
    {"round_robin", Balance::round_robin}, {"least_conn", Balance::least_conn},
    {"ip_hash", Balance::ip_hash},         {"hash", Balance::hash},
    {"random_two", Balance::random_two},
};

/// A factor such as 1.25, kept as percent.
void store_bounded_load(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text || parse_boolean(*text) == false) return;
    double factor = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), factor);
    if (error != std::errc() || end != text->data() + text->size() ||
        !(factor >= 1.01 && factor <= 100)) {
        reader.report.error(node.at, "'bounded_load' must be between 1.01 and 100, not " + *text,
                            "1.25 lets a server have a quarter more than its share");
        return;
    }
    static_cast<Hash*>(target)->bounded_load = static_cast<unsigned>(factor * 100 + 0.5);
}

constexpr Key kHashKeys[] = {
    {.name = "key",
     .type = Type::variables,
     .doc = "What is hashed; where it is empty the request goes round robin.",
     .nginx = "hash",
     .store = store<&Hash::key>},
    {.name = "consistent",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "A ketama ring, as nginx's: a server that goes or comes moves only its own keys.",
     .store = store<&Hash::consistent>},
    {.name = "bounded_load",
     .type = Type::text,
     .fallback = "off",
     .doc = "How much of its fair share of the requests in flight a server gets at most, such as "
            "1.25; the next one takes what is above it.",
     .store = store_bounded_load},
};

constexpr Key kIpHashKeys[] = {
    {.name = "ipv4_prefix",
     .type = Type::count,
     .fallback = "24",
     .doc = "Bits of an IPv4 address that choose the server.",
     .range = {1, 32},
     .store = store<&IpHash::ipv4_prefix>},
    {.name = "ipv6_prefix",
     .type = Type::count,
     .fallback = "128",
     .doc = "Bits of an IPv6 address that choose the server.",
     .range = {1, 128},
     .store = store<&IpHash::ipv6_prefix>},
};

constexpr Key kQueueKeys[] = {
    {.name = "size",
     .type = Type::count,
     .fallback = "0",
     .doc = "Requests of all workers that may wait; 0 = none.",
     .range = {0, 1'000'000},
     .store = store<&Queue::size>},
    {.name = "timeout",
     .type = Type::duration,
     .fallback = "5s",
     .doc = "How long a request waits at most; then 503.",
     .range = kWait,
     .store = store<&Queue::timeout>},
};

}  // namespace

constinit const Table kHashTable{.name = "hash", .keys = kHashKeys};
constinit const Table kIpHashTable{.name = "ip_hash", .keys = kIpHashKeys};
constinit const Table kQueueTable{.name = "queue", .keys = kQueueKeys};

void store_balance(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    const auto* row = std::find_if(std::begin(kBalanceWords), std::end(kBalanceWords),
                                   [&](const BalanceWord& word) { return word.name == *text; });
    if (row == std::end(kBalanceWords)) {
        std::string hint = did_you_mean(*text, split_words(key.words));
        if (hint.empty()) hint = "one of round_robin, least_conn, ip_hash, hash, random_two";
        reader.report.error(node.at, "unknown balance '" + *text + "'", std::move(hint));
        return;
    }
    static_cast<Upstream*>(target)->balance = row->balance;
}

/// What only one way of choosing goes by would do nothing beside another.
void check_balance(Reader& reader, const Node& node, const Upstream& upstream) {
    const auto useless = [&](std::string_view key) {
        const Node* given = node.find(key);
        const std::string name(key);
        reader.report.error(given != nullptr ? given->key_at : node.key_at,
                            "'" + name + "' does nothing without 'balance: " + name + "'");
    };
    const bool hashes = upstream.balance == Balance::hash;
    const Hash& hash = upstream.hash;
    const bool has_hash = !hash.key.empty() || hash.consistent || hash.bounded_load != 0;
    if (!hashes && has_hash) useless("hash");
    if (upstream.balance != Balance::ip_hash && upstream.ip_hash != IpHash{}) useless("ip_hash");
    if (hashes && upstream.hash.key.empty()) {
        reader.report.error(node.key_at, "'balance: hash' of '" + node.key + "' has no key",
                            "hash: { key: $request_uri }");
    }
}

}  // namespace proxyd::config
