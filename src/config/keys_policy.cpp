#include "config/keys_log.hpp"
#include "config/keys_upstreams.hpp"
#include "config/sections.hpp"
#include "config/store.hpp"
#include "config/suggest.hpp"

namespace proxyd::config {
namespace {

constexpr std::uint64_t kMega = 1 << 20;

void store_methods(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& methods = static_cast<Policy*>(target)->methods;
    methods.clear();
    for (const Node* item : reader.scalars(node, key.name)) {
        if (!is_token(item->text)) {
            reader.report.error(item->at, "'" + item->text + "' is not a method");
            continue;
        }
        std::string upper;
        for (const char c : item->text) {
            upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        }
        if (upper != item->text) {
            reader.report.error(item->at, "methods are case-sensitive: '" + item->text + "'",
                                "did you mean '" + upper + "'?");
        }
        methods.push_back(std::move(upper));
    }
}

void store_max_body_size(Reader& reader, const Key& key, const Node& node, void* target) {
    auto& size = static_cast<Policy*>(target)->max_body_size;
    const auto word = node.is_scalar() ? parse_boolean(node.text) : std::nullopt;
    if (word == false) {
        size = UINT64_MAX;
    } else if (node.is_scalar() && node.text == "0") {
        reader.report.error(node.at, "'max_body_size' must be at least 1, not 0", "off = no limit");
    } else if (const auto value = reader.number(node, key)) {
        size = *value;
    }
}

void store_path(Reader& reader, const Key& key, const Node& node, void* target) {
    const auto text = reader.text(node, key.name);
    if (!text) return;
    auto& path = static_cast<Policy*>(target)->path;
    if (*text == "raw") {
        path = Policy::Path::raw;
    } else if (*text == "normalized") {
        path = Policy::Path::normalized;
    } else if (*text == "strict") {
        path = Policy::Path::strict;
    } else {
        reader.report.error(node.at, "'path' wants raw, normalized or strict, not '" + *text + "'",
                            did_you_mean(*text, split_words(key.words)));
    }
}

void store_access_log(Reader& reader, const Key&, const Node& node, void* target) {
    auto& log = static_cast<Policy*>(target)->access_log;
    const Node* path = node.find("path");
    const bool alone = path != nullptr && node.items.size() == 1 && path->is_scalar();
    const auto word = alone ? parse_boolean(path->text) : std::nullopt;
    if (word == true) {
        // `on` below an `off`: the log of the top level again.
        log = reader.snapshot.access_log != nullptr ? reader.snapshot.access_log
                                                    : read_access_log(reader, node, nullptr);
    } else if (word == false) {
        log = nullptr;
    } else {
        log = read_access_log(reader, node, log != nullptr ? log : reader.snapshot.access_log);
    }
}

constexpr Key kBufferKeys[] = {
    {.name = "request",
     .type = Type::size,
     .fallback = "128k",
     .doc = "How much of a request's body is held before the upstream is contacted; what is "
            "longer is streamed.",
     .range = {0, 1024 * kMega},
     .nginx = "client_body_buffer_size",
     .store = store<&Policy::buffer_request>},
    {.name = "response",
     .type = Type::size,
     .fallback = "256k",
     .doc = "How much of a response is taken off the upstream ahead of the client.",
     .range = {4096, 1024 * kMega},
     .nginx = "proxy_buffers proxy_busy_buffers_size",
     .store = store<&Policy::buffer_response>},
    {.name = "header",
     .type = Type::size,
     .fallback = "64k",
     .doc = "The largest head of a response; 502 above.",
     .range = {1024, 16 * kMega},
     .nginx = "proxy_buffer_size",
     .store = store<&Policy::buffer_header>},
};
constinit const Table kBuffersTable{.name = "buffers", .keys = kBufferKeys};

constexpr Key kRequestHeaderKeys[] = {
    {.name = "set",
     .type = Type::map,
     .doc = "Replaces the field; an empty value removes it.",
     .nginx = "proxy_set_header",
     .store = with_its_map},
    {.name = "add",
     .type = Type::map,
     .doc = "Adds a line beside those that are there.",
     .store = with_its_map},
    {.name = "remove",
     .type = Type::list,
     .doc = "Names of fields to take away.",
     .store = with_its_map},
};
constinit const Table kRequestHeadersTable{.name = "request_headers", .keys = kRequestHeaderKeys};

constexpr Key kResponseHeaderKeys[] = {
    {.name = "set",
     .type = Type::map,
     .doc = "Replaces the field; an empty value removes it.",
     .store = with_its_map},
    {.name = "add",
     .type = Type::map,
     .doc = "Adds a line beside those that are there.",
     .nginx = "add_header more_set_headers",
     .store = with_its_map},
    {.name = "remove",
     .type = Type::list,
     .doc = "Names of fields to take away.",
     .nginx = "proxy_hide_header more_clear_headers",
     .store = with_its_map},
};
constinit const Table kResponseHeadersTable{.name = "response_headers",
                                            .keys = kResponseHeaderKeys};

constexpr Key kKeys[] = {
    {.name = "methods",
     .type = Type::list,
     .doc = "Allowed methods; others get 405 with Allow.",
     .nginx = "limit_except",
     .store = store_methods},
    {.name = "request_headers",
     .type = Type::map,
     .doc = "Changes to the fields that go to the upstream; levels merge by field name.",
     .store = store_request_headers,
     .inner = &kRequestHeadersTable},
    {.name = "response_headers",
     .type = Type::map,
     .doc = "Changes to the fields of every answer; levels merge by field name.",
     .store = store_response_headers,
     .inner = &kResponseHeadersTable},
    {.name = "rewrite_location",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Location and Refresh that name the upstream itself, or a path before strip_prefix or "
            "replace_prefix, are turned into what the client can ask for.",
     .nginx = "proxy_redirect",
     .store = store<&Policy::rewrite_location>},
    {.name = "cookie_domain",
     .type = Type::names,
     .doc = "The Domain of the upstream's cookies: from this one to that one; off = without.",
     .nginx = "proxy_cookie_domain",
     .store = store_cookie_domain},
    {.name = "cookie_path",
     .type = Type::names,
     .doc = "The Path of the upstream's cookies: from below this one to below that one; off = "
            "without.",
     .nginx = "proxy_cookie_path",
     .store = store_cookie_path},
    {.name = "security_headers",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "X-Content-Type-Options nosniff and X-Frame-Options DENY (over TLS also HSTS), each "
            "only where the upstream sent none.",
     .store = store<&Policy::security_headers>},
    {.name = "timeouts",
     .type = Type::map,
     .doc = "Time limits towards the upstream.",
     .store = store_map<&Policy::timeouts>,
     .inner = &kTimeoutsTable},
    {.name = "max_body_size",
     .type = Type::size,
     .fallback = "off",
     .doc = "The largest body of a request; 413 above; off = no limit.",
     .range = {1, UINT64_MAX},
     .words = "off",
     .nginx = "client_max_body_size",
     .store = store_max_body_size},
    {.name = "request_buffering",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Read the body before the upstream is contacted, as far as buffers.request allows; off "
            "= streamed.",
     .nginx = "proxy_request_buffering",
     .store = store<&Policy::request_buffering>},
    {.name = "buffering",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Take the response off the upstream as far as buffers.response allows; off = passed "
            "as it comes.",
     .nginx = "proxy_buffering",
     .store = store<&Policy::buffering>},
    {.name = "buffers",
     .type = Type::map,
     .doc = "Sizes of the buffers of one exchange.",
     .store = store_group,
     .inner = &kBuffersTable},
    {.name = "websocket",
     .type = Type::boolean,
     .fallback = "on",
     .doc = "Pass Upgrade through; off refuses it.",
     .store = store<&Policy::websocket>},
    {.name = "path",
     .type = Type::word,
     .fallback = "raw",
     .doc = "What is forwarded: the client's spelling, what was matched, or 400 where the two "
            "could be read differently.",
     .words = "raw|normalized|strict",
     .store = store_path},
    {.name = "error_pages",
     .type = Type::files,
     .doc = "Status (`502`) or class (`5xx`): a file; read when the configuration is loaded.",
     .nginx = "error_page",
     .store = store_error_pages},
    {.name = "intercept_errors",
     .type = Type::boolean,
     .fallback = "off",
     .doc = "Use error_pages for the upstream's own errors too.",
     .nginx = "proxy_intercept_errors",
     .store = store<&Policy::intercept_errors>},
    {.name = "access_log",
     .type = Type::map,
     .doc = "off, on, a path, or the keys of log.access that differ here.",
     .nginx = "access_log",
     .store = store_access_log,
     .inner = &kAccessLogTable,
     .scalar = "path",
     .inherits = true},
    {.name = "root",
     .type = Type::path,
     .doc = "Serve files below this directory.",
     .nginx = "root alias"},
    {.name = "index", .type = Type::list, .doc = "Files that answer for a directory."},
    {.name = "try_files", .type = Type::list, .doc = "Paths below root, tried in turn."},
    {.name = "expires", .type = Type::duration, .doc = "Cache-Control of the files."},
    {.name = "cache",
     .type = Type::map,
     .doc = "Keep answers in a zone of `caches`; a scalar is the zone; off = no cache.",
     .nginx = "proxy_cache",
     .store = store_cache,
     .inner = &kCacheTable,
     .scalar = "zone",
     .inherits = true},
    {.name = "rate_limit",
     .type = Type::map,
     .doc = "Limit requests by a zone of `rate_limits`.",
     .nginx = "limit_req",
     .inert = "off|false"},
    {.name = "connection_limit",
     .type = Type::map,
     .doc = "Limit connections by a zone of `connection_limits`.",
     .nginx = "limit_conn",
     .inert = "off|false"},
    {.name = "access", .type = Type::map, .doc = "Allow and deny networks.", .nginx = "allow deny"},
    {.name = "basic_auth",
     .type = Type::map,
     .doc = "Ask for a user and a password.",
     .nginx = "auth_basic auth_basic_user_file",
     .inert = "off|false"},
    {.name = "auth_request",
     .type = Type::map,
     .doc = "Ask another upstream for permission.",
     .inert = "off|false"},
    {.name = "compress",
     .type = Type::list,
     .doc = "Compress answers.",
     .nginx = "gzip gzip_types gzip_min_length brotli",
     .inert = "off|false"},
    {.name = "maintenance",
     .type = Type::boolean,
     .doc = "Answer 503 with Retry-After.",
     .inert = "off|false"},
    {.name = "jwt",
     .type = Type::map,
     .doc = "Want a valid JSON Web Token.",
     .nginx = "auth_jwt",
     .inert = "off|false"},
    {.name = "mirror",
     .type = Type::map,
     .doc = "Send copies of requests to another upstream, whose answers are dropped; or off.",
     .nginx = "mirror",
     .store = store_mirror,
     .inner = &kMirrorTable,
     .scalar = "upstream"},
};

}  // namespace

constinit const Table kPolicyTable{.name = "a host, a location or 'defaults'", .keys = kKeys};

std::shared_ptr<const Policy> read_level(Reader& reader, const Node& node, const Table& table,
                                         const Where& where, void* target,
                                         const std::shared_ptr<const Policy>& outer) {
    bool adds = false;
    for (const Node& item : node.items) {
        adds = adds || (table.find(item.key) == nullptr && kPolicyTable.find(item.key) != nullptr);
    }
    if (!adds) {
        reader.read_map(node, table, where, target, nullptr);
        return outer;
    }
    auto policy = std::make_shared<Policy>(*outer);
    reader.read_map(node, table, where, target, policy.get());
    apply_security_headers(*policy);
    return policy;
}

}  // namespace proxyd::config
