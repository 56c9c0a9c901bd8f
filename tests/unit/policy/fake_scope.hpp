#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxyd/http/header_map.hpp"
#include "proxyd/vars/scope.hpp"
#include "proxyd/vars/template.hpp"

namespace proxyd::policy::testing {

struct FakeScope : vars::Scope {
    std::map<std::pair<vars::Var, std::string>, std::string> values;
    void set(vars::Var var, std::string value) { values[{var, ""}] = std::move(value); }
    void append(vars::Var var, std::string_view name, std::string& out) const override {
        const auto found = values.find({var, std::string(name)});
        if (found != values.end()) out += found->second;
    }
};

inline vars::Template parse(std::string_view text) {
    return vars::Template::parse(text, {"tier", "loop"}).value();
}

/// "Name: value" lines in order.
inline std::vector<std::string> lines(const http::HeaderMap& fields) {
    std::vector<std::string> out;
    for (const http::Field& field : fields) {
        out.push_back(std::string(field.name) + ": " + std::string(field.value));
    }
    return out;
}

}  // namespace proxyd::policy::testing
