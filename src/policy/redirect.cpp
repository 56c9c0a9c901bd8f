#include "proxyd/policy/redirect.hpp"

#include <algorithm>
#include <string>

#include "proxyd/http/fields/host.hpp"
#include "proxyd/http/uri.hpp"

namespace proxyd::policy {
namespace {

using Part = vars::Template::Part;

bool is_path(vars::Var var) noexcept {
    using vars::Var;
    return var == Var::uri || var == Var::document_uri || var == Var::request_uri;
}

/// "https://host" and "https://$host" end inside the authority: what follows must begin a path.
bool ends_in_authority(std::string_view target) noexcept {
    const std::size_t start = target.find("//");
    return start != target.npos && target.find_first_of("/?#", start + 2) == target.npos &&
           (start == 0 || target[start - 1] == ':');
}

void append_variable(const Part& part, const vars::Scope& scope, std::string& out) {
    std::string value;
    scope.append(part.var, part.text, value);
    // "*" (OPTIONS) is no path; without the slash it would prolong the host.
    if (is_path(part.var) && ends_in_authority(out) && !value.starts_with('/')) out += '/';
    if (part.var == vars::Var::uri || part.var == vars::Var::document_uri) {
        out += http::encode_path(value);
    } else {
        http::append_escaped(value, out);
    }
}

/// Whether the operator wrote the "//host" that the target begins with.
bool names_a_host(const vars::Template& to) noexcept {
    const Part& first = to.parts().front();
    return first.literal && first.text.size() > 2 && first.text.starts_with("//") &&
           first.text[2] != '/' && first.text[2] != '\\';
}

/// One slash in front instead of several; backslashes were escaped before.
void keep_on_this_host(std::string& target) {
    const std::size_t slashes = std::min(target.find_first_not_of('/'), target.size());
    if (slashes > 1) target.erase(0, slashes - 1);
}

}  // namespace

int redirect_status(const config::Action& action, http::Method method) noexcept {
    return action.status_by_method ? permanent_redirect_status(method) : action.status;
}

std::string_view redirect_target(const vars::Template& to, const vars::Scope& scope, Arena& arena) {
    if (to.empty()) return {};
    std::string target;
    for (const Part& part : to.parts()) {
        part.literal ? http::append_escaped(part.text, target)
                     : append_variable(part, scope, target);
    }
    if (!names_a_host(to)) keep_on_this_host(target);
    return arena.copy(target);
}

std::string_view https_target(std::string_view authority, std::uint16_t port,
                              std::string_view target, Arena& arena) {
    std::string to = "https://";
    to += http::host_of(authority);
    if (port != 443) to.append(":").append(std::to_string(port));
    if (target == "*") target = "/";  // OPTIONS
    http::append_escaped(target, to);
    return arena.copy(to);
}

}  // namespace proxyd::policy
