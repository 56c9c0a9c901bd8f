#include "config/keys_listeners.hpp"

#include <sys/stat.h>

#include "config/address.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

/// A socket that is left over gives way when the listener binds; anything else would be lost.
bool is_other_file(const Address& address) {
    struct stat found {};
    return address.kind == Address::Kind::unix_socket &&
           ::lstat(address.name.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode);
}

void store_address(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    AddressResult result = parse_listen_address(*text);
    if (!result.address) {
        reader.report.error(node.at, std::move(result.problem), std::move(result.hint));
        return;
    }
    if (is_other_file(*result.address)) {
        reader.report.error(node.at, "'" + result.address->name + "' exists and is no socket",
                            "choose another path, or move that file away");
        return;
    }
    static_cast<Listener*>(target)->address = *std::move(result.address);
}

constexpr Key kHttp2Keys[] = {
    {.name = "enabled",
     .type = Type::boolean,
     .doc = "On where this map is given.",
     .store = store<&Listener::http2>},
};
constinit const Table kListenerHttp2Table{
    .name = "http2", .keys = kHttp2Keys, .more = &kHttp2Table};

void store_http2(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& listener = *static_cast<Listener*>(target);
    listener.http2 = true;
    reader.read_map(node, kListenerHttp2Table, Where{key.name}, &listener, &listener.client);
}

constexpr Key kKeys[] = {
    {.name = "address",
     .type = Type::bind,
     .doc = "ip:port, `:80` (every address of both families), `[::]:80` or `unix:/run/x.sock`.",
     .nginx = "listen",
     .store = store_address},
    {.name = "backlog",
     .type = Type::count,
     .fallback = "4096",
     .doc = "Connections that wait to be accepted.",
     .range = {1, 65'535},
     .store = store<&Listener::backlog>},
    {.name = "tls",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Speak TLS, with the certificate of the host that the client asks for.",
     .nginx = "ssl",
     .store = store<&Listener::tls>},
    {.name = "http2",
     .type = Type::map,
     .doc =
         "HTTP/2 beside HTTP/1, and its limits. With `tls` it is agreed in the handshake, and on "
         "by default; without, it is for clients that know.",
     .nginx = "http2",
     .store = store_http2,
     .inner = &kListenerHttp2Table,
     .scalar = "enabled",
     .inherits = true},
    {.name = "proxy_protocol",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Each connection begins with a PROXY protocol header (v1 or v2) that names its client. "
            "Whoever can connect is believed.",
     .store = store<&Listener::proxy_protocol>},
    {.name = "max_connections", .type = Type::count, .doc = "Connections at one time."},
};

/// Both would bind the same port: the kernel refuses the second, so the check does.
bool collide(const Address& a, const Address& b) {
    if (a.text == b.text) return a.port != 0 || a.kind == Address::Kind::unix_socket;
    const bool ip = a.kind == Address::Kind::ip && b.kind == Address::Kind::ip;
    if (!ip || a.port != b.port || a.port == 0) return false;
    if (a.any || b.any) return true;
    const bool wild = a.ip == IpAddress::v4({}) || b.ip == IpAddress::v4({}) ||
                      a.ip == IpAddress::v6({}) || b.ip == IpAddress::v6({});
    return wild && a.ip.is_v6() == b.ip.is_v6();
}

void add_listener(Reader& reader, Listener listener, const Position& at) {
    for (const Listener& other : reader.snapshot.listeners) {
        if (!collide(other.address, listener.address)) continue;
        reader.report.error(at, "listener '" + listener.name + "' (" + listener.address.text +
                                    ") takes the address of listener '" + other.name + "' (" +
                                    other.address.text + ")");
    }
    reader.snapshot.listeners.push_back(std::move(listener));
}

}  // namespace

constinit const Table kListenerTable{.name = "a listener", .keys = kKeys, .more = &kClientTable};

namespace {

void read_listener(Reader& reader, const Node& node) {
    Listener listener;
    reader.apply_defaults(kListenerTable, &listener);
    listener.name = node.key;
    listener.client = reader.client;
    const std::size_t errors = reader.report.errors();
    reader.read_map(node, kListenerTable, Where{"listener", node.key}, &listener, &listener.client);
    if (node.find("http2") == nullptr) listener.http2 = listener.tls;
    if (reader.report.errors() != errors) return;
    if (listener.address.text.empty()) {
        reader.report.error(node.key_at, "listener '" + node.key + "' has no address");
        return;
    }
    if (listener.tls) reader.tls_listeners.emplace(node.key, node.find("tls")->at);
    const Node* address = node.find("address");
    add_listener(reader, std::move(listener), address != nullptr ? address->at : node.key_at);
}

}  // namespace

void store_listeners(Reader& reader, const Key& key, const Node& node, void*) {
    if (!node.is_map() && !node.is_null()) {
        reader.wrong(node, key.name, "a map of names", "listeners: { http: \":80\" }");
        return;
    }
    for (const Node& item : node.items) {
        read_listener(reader, item.is_scalar() ? expand_shorthand(item, key.scalar) : item);
    }
}

std::vector<std::string> read_listen(Reader& reader, const Node& node, std::string_view name) {
    std::vector<std::string> listen;
    for (const Node* item : reader.scalars(node, name)) {
        if (reader.listener_names.contains(item->text)) {
            listen.push_back(item->text);
            continue;
        }
        std::vector<std::string_view> names(reader.listener_names.begin(),
                                            reader.listener_names.end());
        reader.report.error(item->at, "unknown listener '" + item->text + "'",
                            did_you_mean(item->text, names));
    }
    return listen;
}

namespace {

void add_default(Reader& reader, const char* name, const char* address, bool tls) {
    Listener listener;
    reader.apply_defaults(kListenerTable, &listener);
    listener.name = name;
    listener.address = *parse_listen_address(address).address;
    listener.tls = listener.http2 = tls;
    listener.client = reader.client;
    reader.snapshot.listeners.push_back(std::move(listener));
}

}  // namespace

void ensure_listeners(Reader& reader) {
    if (!reader.snapshot.listeners.empty() || reader.listeners_given) return;
    add_default(reader, "http", ":80", false);
    if (reader.listener_names.contains("https")) add_default(reader, "https", ":443", true);
}

}  // namespace proxyd::config
