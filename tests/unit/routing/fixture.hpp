#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxyd/config/model.hpp"
#include "proxyd/routing/table.hpp"

namespace proxyd::routing::testing {

/// "= /x", "^~ /x", "~ re", "~* re", "/x*", "/x": as the configuration spells them.
inline config::Matcher matcher(std::string_view source) {
    using Kind = config::Matcher::Kind;
    const std::pair<std::string_view, Kind> signs[] = {{"^~ ", Kind::final_prefix},
                                                       {"~* ", Kind::iregex},
                                                       {"~ ", Kind::regex},
                                                       {"= ", Kind::exact}};
    config::Matcher result{Kind::prefix, std::string(source), std::string(source)};
    for (const auto& [sign, kind] : signs) {
        if (!source.starts_with(sign)) continue;
        result.kind = kind;
        result.text = source.substr(sign.size());
        return result;
    }
    if (result.text.ends_with('*')) {
        result.kind = Kind::raw_prefix;
        result.text.pop_back();
    }
    return result;
}

inline config::Location location(std::string_view source) {
    config::Location result;
    result.matcher = matcher(source);
    result.policy = std::make_shared<config::Policy>();
    return result;
}

inline config::Host host(std::vector<std::string> names,
                         std::vector<config::Location> locations = {location("/")}) {
    config::Host result;
    result.name = names.front();
    result.names = std::move(names);
    result.locations = std::move(locations);
    return result;
}

inline std::shared_ptr<const Table> table(std::vector<config::Host> hosts) {
    auto snapshot = std::make_shared<config::Snapshot>();
    for (const char* name : {"http", "other"}) snapshot->listeners.emplace_back().name = name;
    snapshot->hosts = std::move(hosts);
    return Table::build(std::move(snapshot)).value();
}

struct FakeScope : vars::Scope {
    std::map<vars::Var, std::string> values;
    void append(vars::Var var, std::string_view, std::string& out) const override {
        const auto found = values.find(var);
        if (found != values.end()) out += found->second;
    }
};

inline http::RequestHead request(std::string_view target, std::string_view authority = "a") {
    http::RequestHead head;
    head.method_text = "GET";
    head.target = target;
    head.authority = authority;
    return head;
}

}  // namespace proxyd::routing::testing
