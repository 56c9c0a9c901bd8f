#pragma once

#include <memory>
#include <string>

#include "config/reader.hpp"

/// What the sections' readers offer each other.
namespace proxyd::config {

/// Which of several keys that exclude each other came first. Not a pointer: a shorthand's node
/// lives only while it is read.
struct Claim {
    std::string key;
    Position at;
    [[nodiscard]] bool taken() const noexcept { return !key.empty(); }
    void take(const Node& node) {
        key = node.key;
        at = node.key_at;
    }
};

/// `listen`: names of listeners.
[[nodiscard]] std::vector<std::string> read_listen(Reader& reader, const Node& node,
                                                   std::string_view name);
/// The listener of a configuration that names none: http on ":80".
void ensure_listeners(Reader& reader);

/// The name in Snapshot::upstreams for `upstream: VALUE`; an address makes its implicit group.
/// "" after a report.
[[nodiscard]] std::string use_upstream(Reader& reader, const Node& node);

/// `split: MAP`; null after a report.
[[nodiscard]] std::shared_ptr<const TrafficSplit> read_split(Reader& reader, const Node& node);

/// The access log that `node` makes of `outer`; null = off.
[[nodiscard]] std::shared_ptr<const AccessLog> read_access_log(
    Reader& reader, const Node& node, const std::shared_ptr<const AccessLog>& outer);

/// The level below `outer`: `outer` itself when the map has no policy key.
[[nodiscard]] std::shared_ptr<const Policy> read_level(Reader& reader, const Node& node,
                                                       const Table& table, const Where& where,
                                                       void* target,
                                                       const std::shared_ptr<const Policy>& outer);
/// Puts the fields of `security_headers` in front of the response rules, or takes them away.
void apply_security_headers(Policy& policy);

/// The rows that read request_headers and response_headers.
void store_request_headers(Reader& reader, const Key& key, const Node& node, void* policy);
void store_response_headers(Reader& reader, const Key& key, const Node& node, void* policy);
void store_error_pages(Reader& reader, const Key& key, const Node& node, void* policy);

void store_cookie_domain(Reader& reader, const Key& key, const Node& node, void* policy);
void store_cookie_path(Reader& reader, const Key& key, const Node& node, void* policy);
extern const Table kCacheTable;
void store_cache(Reader& reader, const Key& key, const Node& node, void* policy);
extern const Table kMirrorTable;
void store_mirror(Reader& reader, const Key& key, const Node& node, void* policy);

/// A field name or a method (RFC 9110 5.6.2).
[[nodiscard]] bool is_token(std::string_view text);
/// Whether a text may go into a field as it is (RFC 9110 5.5); reports it when not.
[[nodiscard]] bool is_field_value(Reader& reader, const Node& node, std::string_view name);

/// Compiles the expression; the number of its groups, or nullopt after a report.
std::optional<int> check_regex(Reader& reader, const Position& at, std::string_view expression,
                               bool case_sensitive);

/// "= /x", "~ re", ... nullopt after a report.
[[nodiscard]] std::optional<Matcher> parse_matcher(Reader& reader, std::string_view text,
                                                   const Position& at);

/// Reads one name of a host into `names`: lower case, ".x" as "x" and "*.x", checked, and refused
/// when another host has it.
void read_host_name(Reader& reader, std::string_view text, const Position& at,
                    std::vector<std::string>& names);

/// `return` and `redirect`; nullopt after a report.
[[nodiscard]] std::optional<Action> read_return(Reader& reader, const Node& node);
[[nodiscard]] std::optional<Action> read_redirect(Reader& reader, const Node& node);

/// The locations of a host, into host.locations.
void read_locations(Reader& reader, const Node& node, Host& host, const Destination& outer,
                    const std::shared_ptr<const Policy>& policy);

}  // namespace proxyd::config
