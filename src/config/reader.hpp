#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "config/key_table.hpp"
#include "config/report.hpp"
#include "config/service_user.hpp"
#include "config/yaml_tree.hpp"
#include "proxyd/config/model.hpp"
#include "proxyd/net/tls/certificate.hpp"

namespace proxyd::config {

/// What a map is, for messages: "host 'app.example.com'". Built on the stack, rendered only when
/// something is wrong.
struct Where {
    std::string_view kind;
    std::string_view name{};
    [[nodiscard]] std::string text() const;
};

/// Where requests go that name no action of their own: handed down from level to level.
struct Destination {
    std::string upstream;                       ///< "" = none
    std::shared_ptr<const TrafficSplit> split;  ///< instead of an upstream
    [[nodiscard]] bool empty() const noexcept { return upstream.empty() && split == nullptr; }
    void give_to(Action& action) const {
        action.upstream = upstream;
        action.split = split;
    }
};

/// Reads trees into the model by the key tables; lives for one load, one thread. Everything it
/// finds wrong goes to the report; the value then keeps its default.
class Reader {
  public:
    Reader(Report& to, Snapshot& into) : report(to), snapshot(into) {}

    Report& report;
    Snapshot& snapshot;
    ClientLimits client;                            ///< `client`: what a listener starts from
    Destination destination;                        ///< `defaults`: what a host starts from
    std::optional<Action> answer;                   ///< `defaults`: for hosts that name no action
    bool broken_action = false;                     ///< `defaults` has one that was reported
    std::vector<std::string> listen;                ///< `defaults`: what a host starts from
    std::map<std::string, Position> tls_listeners;  ///< of `listeners`: where they say so
    bool listeners_given = false;                   ///< then there is no default one
    std::set<std::string> listener_names;           ///< of `listeners`, the broken ones too
    std::unordered_set<std::string> map_names;      ///< known before any template is read
    std::set<std::string> upstream_names;           ///< of `upstreams`, before any of them is read
    std::map<std::string, vars::Template> formats;
    std::map<std::string, std::shared_ptr<const std::string>> pages;  ///< error pages by path
    std::map<std::string, std::shared_ptr<const net::tls::ClientPolicy>> tls_policies;  ///< by id
    std::unordered_map<std::string, std::shared_ptr<const net::tls::Certificate>>
        certificates;  ///< by id; those that are served now too
    std::unordered_map<std::string, std::shared_ptr<const net::tls::Certificate>>
        pairs;  ///< by the names of the files
    net::tls::Issuers issuers;
    std::map<std::string, std::shared_ptr<const net::tls::ServerPolicy>>
        server_policies;                                                       ///< by id
    std::unordered_map<std::string, std::shared_ptr<const HostTls>> host_tls;  ///< by identity
    std::shared_ptr<const HostTls> default_tls;            ///< `defaults`: what a host starts from
    std::optional<bool> redirect_http;                     ///< `defaults`
    std::unordered_map<std::string, Position> host_names;  ///< every name of every host
    std::map<AskedName, std::vector<Position>> looked_up;  ///< names of servers

    /// Behind the keys `user` and `group`.
    [[nodiscard]] const ServiceUser& service_user();

    /// Each entry of the map goes to its row's store: rows of `table` with `target`, rows of
    /// `table.more` with `more`.
    void read_map(const Node& node, const Table& table, const Where& where, void* target,
                  void* more = nullptr);
    /// One entry: unknown and unbuilt keys are reported here.
    void read_entry(const Node& node, const Table& table, const Where& where, void* target,
                    void* more);
    /// The rows' defaults, so that they stand in one place.
    void apply_defaults(const Table& table, void* target);

    // Scalars. nullopt after a report.
    [[nodiscard]] std::optional<bool> boolean(const Node& node, std::string_view name);
    [[nodiscard]] std::optional<std::uint64_t> number(const Node& node, const Key& key);
    [[nodiscard]] std::optional<std::string> text(const Node& node, std::string_view name);
    [[nodiscard]] std::optional<vars::Template> variables(const Node& node, std::string_view name,
                                                          bool captures = false);
    /// A scalar, or a list of scalars, as nodes.
    [[nodiscard]] std::vector<const Node*> scalars(const Node& node, std::string_view name);
    /// "'NAME' wants WANTED, not GIVEN"
    void wrong(const Node& node, std::string_view name, std::string_view wanted,
               std::string hint = {});
    void not_built(const Node& node, std::string_view name);

  private:
    std::optional<ServiceUser> service_user_;
};

/// "on" and "true", "off" and "false", in any case; nullopt for every other word.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text) noexcept;
/// A path as seen from the directory of the file that names it; `stderr`, `stdout`,
/// `syslog`, `on` and `off` stay.
[[nodiscard]] std::string resolve_path(const Node& node);
/// The scalar or list that stands for a map, as that map: { scalar_key: node }.
[[nodiscard]] Node expand_shorthand(const Node& node, std::string_view scalar_key);
/// Whether `node` stands for the map of `key`: a scalar, a list, or the operator's own names where
/// `Key::scalar` is a map of names and is not there itself.
[[nodiscard]] bool is_shorthand(const Key& key, const Node& node) noexcept;

}  // namespace proxyd::config
