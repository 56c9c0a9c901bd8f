#include "config/keys_upstreams.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"

namespace proxyd::config {
namespace {

constexpr std::uint64_t kDay = 86'400'000;

void store_cookie(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    if (!is_token(*text) || parse_boolean(*text)) {
        reader.report.error(node.at, "'" + *text + "' is not a name for a cookie",
                            "sticky: { cookie: srv, ttl: 1h }");
        return;
    }
    static_cast<Sticky*>(target)->cookie = *text;
}

void store_ttl(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto ttl = reader.number(node, key);
    if (!ttl) return;
    if (*ttl % 1000 != 0) {
        reader.report.error(node.at, "'ttl' counts whole seconds, not " + node.text);
        return;
    }
    static_cast<Sticky*>(target)->ttl = Duration{*ttl};
}

constexpr Key kKeys[] = {
    {.name = "cookie", .type = Type::text, .doc = "The cookie's name.", .store = store_cookie},
    {.name = "ttl",
     .type = Type::duration,
     .fallback = "0s",
     .doc = "How long the client keeps it; 0 = until the browser is closed.",
     .range = {0, 400 * kDay},
     .store = store_ttl},
};

}  // namespace

constinit const Table kStickyTable{.name = "sticky", .keys = kKeys};

void store_sticky(Reader& reader, const Key& key, const Node& node, void* upstream) {
    auto& place = static_cast<Upstream*>(upstream)->sticky;
    const Node* cookie = node.find("cookie");
    if (cookie != nullptr && node.items.size() == 1 && parse_boolean(cookie->text) == false) {
        place.reset();
        return;
    }
    Sticky sticky;
    const std::size_t errors = reader.report.errors();
    reader.apply_defaults(kStickyTable, &sticky);
    reader.read_map(node, kStickyTable, Where{key.name}, &sticky);
    if (reader.report.errors() == errors && sticky.cookie.empty()) {
        reader.report.error(node.key_at, "'sticky' needs the name of a cookie",
                            "sticky: { cookie: srv, ttl: 1h }");
    }
    place = std::move(sticky);
}

}  // namespace proxyd::config
