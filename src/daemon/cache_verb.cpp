#include "daemon/cache_verb.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "daemon/cache_text.hpp"
#include "daemon/control_words.hpp"
#include "daemon/exit_code.hpp"
#include "daemon/suggest.hpp"
#include "proxyd/cache/key.hpp"

namespace proxyd::daemon {
namespace {

using cache::Selector;
using server::ControlReply;
using Respond = server::ControlServer::Respond;

constexpr std::string_view kPrefix = "cache\t";
/// A line of the control socket is not longer than this.
constexpr std::size_t kMostText = 3'500;
/// Longer lists help nobody; the answer is one text.
constexpr std::size_t kMostListed = 1'000;

const std::vector<std::string> kOrders{"purge", "list", "stats"};

/// As keys are made: the host in lower case, without the usual port, and at least a path of "/".
/// A prefix that ends within the host stays open there.
std::string normal_url(std::string_view url, bool prefix) {
    const std::size_t colon = url.find("://");
    const std::string_view scheme = url.substr(0, colon);
    const std::string_view rest = url.substr(colon + 3);
    const std::size_t slash = rest.find_first_of("/?");
    if (slash == std::string_view::npos && prefix) return std::string(url);
    const std::string_view authority = rest.substr(0, slash);
    std::string target(slash == std::string_view::npos ? "/" : rest.substr(slash));
    if (target.front() != '/') target.insert(0, 1, '/');
    std::string normal;
    cache::append_url(normal, scheme, authority, target);
    return normal;
}

bool is_url(std::string_view text) {
    return text.starts_with("http://") || text.starts_with("https://");
}

Selector selector_of(const Options& options) {
    Selector which;
    which.soft = options.soft;
    if (!options.tag.empty()) {
        which.kind = Selector::Kind::tag;
        which.text = options.tag;
    } else if (!options.prefix.empty()) {
        which.kind = Selector::Kind::prefix;
        which.text = normal_url(options.prefix, true);
    } else {
        which.kind = Selector::Kind::url;
        which.text = normal_url(options.url, false);
    }
    return which;
}

std::string wrong_purge_words(const Options& options) {
    if (options.zone.empty()) return "'cache purge' wants the name of a cache";
    const int given = (options.url.empty() ? 0 : 1) + (options.prefix.empty() ? 0 : 1) +
                      (options.tag.empty() ? 0 : 1);
    if (given != 1) return "'cache purge' wants one of a URL, --prefix URL and --tag TAG";
    const std::string& url = options.prefix.empty() ? options.url : options.prefix;
    if (options.tag.empty() && !is_url(url)) {
        return "'" + url + "' is no URL: it begins with http:// or https://";
    }
    if (options.tag.find(' ') != std::string::npos) return "a tag holds no blank";
    return "";
}

/// The words of a line, as many as there may be.
struct Request {
    std::string what, zone, kind, text;
    bool soft = false, json = false;
};

Request parse(std::string_view line) {
    ControlWords words(line.substr(kPrefix.size()));
    Request request;
    request.what = words.next();
    request.zone = words.next();
    request.kind = words.next();
    request.text = words.next();
    request.soft = words.next() == "soft";
    request.json = words.next() == "json";
    return request;
}

constexpr std::array<std::pair<std::string_view, Selector::Kind>, 3> kKinds{
    {{"url", Selector::Kind::url},
     {"prefix", Selector::Kind::prefix},
     {"tag", Selector::Kind::tag}}};

ControlReply unknown_zone(const std::vector<server::CacheStatus>& known, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& each : known) names.push_back(each.name);
    return unknown_name("unknown cache", name, names);
}

void purge(server::Server& server, const Request& request, const Respond& respond) {
    const auto kind =
        std::ranges::find(kKinds, request.kind, [](const auto& each) { return each.first; });
    if (kind == kKinds.end()) return respond({kUsage, "proxyd: unknown control verb\n"});
    const Selector which{kind->second, request.text, request.soft};
    server.purge_cache(request.zone, which, [request, respond](const server::CachePurged& purged) {
        respond({kSuccess, request.json ? purged_json(request.zone, request.soft, purged)
                                        : purged_text(request.zone, request.soft, purged)});
    });
}

}  // namespace

std::string wrong_cache_words(const Options& options) {
    if (options.order.empty()) return "'cache' wants purge, list or stats";
    if (std::ranges::find(kOrders, options.order) == kOrders.end()) {
        std::string message = "unknown order '" + options.order + "' for cache";
        const std::string word = nearest(options.order, kOrders);
        return word.empty() ? message : message + ": did you mean '" + word + "'?";
    }
    const std::string all = options.zone + options.url + options.prefix + options.tag;
    if (all.find_first_of("\t\n") != std::string::npos) {
        return "a word with a tab or a line feed cannot be given";
    }
    if (all.size() > kMostText) return "this is too long";
    if (options.order == "purge") return wrong_purge_words(options);
    if (!options.url.empty() || !options.prefix.empty() || !options.tag.empty() || options.soft) {
        return "'cache " + options.order + "' takes no more than the name of a cache";
    }
    return "";
}

std::string cache_line(const Options& options) {
    const std::string_view form = options.json ? "json" : "text";
    if (options.order != "purge") {
        return fmt::format("{}{}\t{}\t\t\t\t{}", kPrefix, options.order, options.zone, form);
    }
    const Selector which = selector_of(options);
    const auto kind =
        std::ranges::find(kKinds, which.kind, [](const auto& each) { return each.second; });
    return fmt::format("{}purge\t{}\t{}\t{}\t{}\t{}", kPrefix, options.zone, kind->first,
                       which.text, which.soft ? "soft" : "hard", form);
}

bool is_cache_line(std::string_view line) noexcept {
    return line.starts_with(kPrefix);
}

void answer_cache(server::Server& server, std::string_view line, const Respond& respond) {
    const Request request = parse(line);
    std::vector<server::CacheStatus> caches = server.caches();
    const bool known =
        std::ranges::any_of(caches, [&](const auto& each) { return each.name == request.zone; });
    if (!known && (!request.zone.empty() || request.what == "purge")) {
        return respond(unknown_zone(caches, request.zone));
    }
    if (request.what == "purge") return purge(server, request, respond);
    if (!request.zone.empty()) {
        std::erase_if(caches, [&](const auto& each) { return each.name != request.zone; });
    }
    if (request.what == "stats") {
        return respond({kSuccess, request.json ? caches_json(caches) : caches_text(caches)});
    }
    server.list_caches(
        request.zone, kMostListed, [respond, json = request.json](const server::CacheList& list) {
            respond({kSuccess, json ? cache_list_json(list) : cache_list_text(list)});
        });
}

}  // namespace proxyd::daemon
