#include "proxyd/routing/table.hpp"

#include <algorithm>

#include "proxyd/http/fields/host.hpp"
#include "routing/location_tree.hpp"
#include "routing/rewrite_path.hpp"
#include "routing/virtual_hosts.hpp"

namespace proxyd::routing {

struct Table::Impl {
    struct ListenerHosts {
        std::string_view listener;
        VirtualHosts hosts;
    };

    std::shared_ptr<const config::Snapshot> snapshot;
    std::vector<RoutedHost> hosts;
    std::vector<LocationTree> trees;  ///< by RoutedHost::index
    std::vector<RoutedLocation> locations;
    std::vector<std::unique_ptr<const PathEdit>> edits;
    std::vector<ListenerHosts> listeners;
    VirtualHosts unbound;  ///< hosts without `listen`, for listeners of other names

    Result<void> add_host(const config::Host& host);
    Result<void> add_names();
    [[nodiscard]] const VirtualHosts& hosts_of(std::string_view listener) const noexcept;
};

namespace {

void add_all(VirtualHosts& to, const config::Host& host, std::size_t index) {
    for (const std::string& name : host.names) to.add(name, static_cast<std::uint32_t>(index));
}

Error downstream(Reason reason, const char* detail = "") {
    return Error(reason, Source::downstream, Retry::no, detail);
}

/// Fills the path part of a match.
Result<void> read_path(const http::RequestHead& head, Scratch& scratch, RouteMatch& match) {
    if (head.target == "*") {  // RFC 9112 3.2.4
        if (head.method != http::Method::options) {
            return downstream(Reason::bad_path, "'*' is a target of OPTIONS only");
        }
        match.asterisk = true;
        match.path = match.encoded = "/";
        return {};
    }
    const http::Target target = http::split_target(head.target);
    match.query = target.query;
    match.has_query = target.has_query;
    if (http::is_plain_path(target.path)) {
        match.path = match.encoded = target.path;
        return {};
    }
    auto path = http::normalise_path(target.path);
    if (!path) return std::move(path).error();
    scratch.path = std::move(path).value();
    match.path = scratch.path.decoded;
    match.encoded = scratch.path.encoded;
    return {};
}

bool ambiguous(const RouteMatch& match, const Scratch& scratch) {
    if (match.path.data() == scratch.path.decoded.data()) return scratch.path.ambiguous;
    // A plain path may still hold "/..;/".
    if (match.path.find("/.") == match.path.npos) return false;
    const auto path = http::normalise_path(match.path);
    return !path || path->ambiguous;
}

}  // namespace

Table::Table(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Table::~Table() = default;

Result<void> Table::Impl::add_host(const config::Host& host) {
    RoutedHost& routed = hosts.emplace_back();  // never reallocates: reserved
    routed.config = &host;
    routed.index = hosts.size() - 1;
    routed.first_location = locations.size();
    for (const config::Location& location : host.locations) {
        auto edit = PathEdit::compile(location);
        if (!edit) return std::move(edit).error();
        const auto path = location.policy ? location.policy->path : config::Policy::Path::raw;
        const auto index = static_cast<std::uint32_t>(locations.size());
        locations.push_back({&location, &routed, edit->get(), index, path});
        if (*edit) edits.push_back(std::move(edit).value());
    }
    return trees.emplace_back().build(host.locations,
                                      static_cast<std::uint32_t>(routed.first_location));
}

Result<void> Table::Impl::add_names() {
    for (const config::Listener& listener : snapshot->listeners) {
        listeners.push_back({listener.name, {}});
    }
    for (const RoutedHost& host : hosts) {
        for (ListenerHosts& listener : listeners) {
            if (host.config->listens_on(listener.listener)) {
                add_all(listener.hosts, *host.config, host.index);
            }
        }
        if (host.config->listen.empty()) add_all(unbound, *host.config, host.index);
    }
    for (ListenerHosts& listener : listeners) {
        if (auto built = listener.hosts.build(); !built) return std::move(built).error();
    }
    return unbound.build();
}

const VirtualHosts& Table::Impl::hosts_of(std::string_view listener) const noexcept {
    for (const ListenerHosts& candidate : listeners) {
        if (candidate.listener == listener) return candidate.hosts;
    }
    return unbound;
}

Result<std::shared_ptr<const Table>> Table::build(
    std::shared_ptr<const config::Snapshot> snapshot) {
    auto impl = std::make_unique<Impl>();
    impl->snapshot = std::move(snapshot);
    const auto& hosts = impl->snapshot->hosts;
    impl->hosts.reserve(hosts.size());
    impl->trees.reserve(hosts.size());
    for (const config::Host& host : hosts) {
        if (auto added = impl->add_host(host); !added) return std::move(added).error();
    }
    if (auto named = impl->add_names(); !named) return std::move(named).error();
    return std::shared_ptr<const Table>(new Table(std::move(impl)));
}

const RoutedHost* Table::find_host(std::string_view authority, std::string_view listener) const {
    const auto index = impl_->hosts_of(listener).find(http::host_of(authority));
    return index ? &impl_->hosts[*index] : nullptr;
}

Result<RouteMatch> Table::route(const http::RequestHead& head, std::string_view listener,
                                Scratch& scratch) const {
    scratch.host = nullptr;
    if (http::host_of(head.authority).size() > VirtualHosts::kMaxName) {
        return downstream(Reason::bad_host, "the name is too long");
    }
    scratch.host = find_host(head.authority, listener);
    if (scratch.host == nullptr) {
        // RFC 9113 9.1.2: the client may try another connection.
        const bool http2 = head.version == http::Version::http2;
        return downstream(http2 ? Reason::misdirected : Reason::no_host);
    }
    RouteMatch match;
    match.host = scratch.host;
    if (auto read = read_path(head, scratch, match); !read) return std::move(read).error();

    const auto index = static_cast<std::size_t>(match.host - impl_->hosts.data());
    const auto found = impl_->trees[index].find(match.path);
    if (!found) return downstream(Reason::no_location);
    match.location = &impl_->locations[found->location];
    match.location_index = found->location;
    match.slash_redirect = found->slash_redirect;
    match.plain = found->plain;
    if (!match.plain && match.location->path == config::Policy::Path::strict &&
        ambiguous(match, scratch)) {
        return downstream(Reason::bad_path, "path: strict refuses this spelling");
    }
    return match;
}

const std::vector<RoutedHost>& Table::hosts() const noexcept {
    return impl_->hosts;
}
const std::vector<RoutedLocation>& Table::locations() const noexcept {
    return impl_->locations;
}

Result<std::string_view> forward_target(const RouteMatch& match, const http::RequestHead& head,
                                        const vars::Scope& scope, Arena& arena) {
    if (match.asterisk || match.plain) return head.target;
    if (const PathEdit* edit = match.location->edit) {
        auto edited = edit->apply(match, scope, arena);
        if (!edited || !edited->empty()) return edited;
    }
    const bool plain = match.encoded.data() == head.target.data();
    const bool raw = match.location->path != config::Policy::Path::normalized;
    if (plain || raw) return head.target;
    return join_query(match.encoded, match, arena);
}

std::string_view client_path(const RoutedLocation& location, std::string_view path, Arena& arena) {
    return location.edit == nullptr ? path : location.edit->reverse(path, arena);
}

std::string_view slash_redirect_target(const RouteMatch& match, Arena& arena) {
    std::string path(match.encoded);
    path += '/';
    return join_query(arena.copy(path), match, arena);
}

}  // namespace proxyd::routing
