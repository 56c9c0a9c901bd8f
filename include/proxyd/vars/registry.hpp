#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "proxyd/http/header_map.hpp"
#include "proxyd/vars/scope.hpp"

namespace proxyd::vars {

/// What a name after '$' stands for.
struct Reference {
    Var var{};
    std::string name;  ///< family part, as Scope::append takes it
};

/// A built-in name, a member of a family, or a name of `maps:`; nullopt when nobody knows it.
[[nodiscard]] std::optional<Reference> find_variable(std::string_view name,
                                                     const std::unordered_set<std::string>& maps);
/// Whether a map may not be called so: built-in, or inside a family.
[[nodiscard]] bool is_reserved(std::string_view name);
/// The known name that looks most like `name`, without '$'; empty when none is near.
[[nodiscard]] std::string suggest_variable(std::string_view name,
                                           const std::unordered_set<std::string>& maps);
/// "remote_addr"; empty for families.
[[nodiscard]] std::string_view name_of(Var var) noexcept;

/// Calls `each(value)` for every field whose name is `family_part` in lower case with '_' for '-'.
template <class Each>
void for_each_field(const http::HeaderMap& fields, std::string_view family_part, Each&& each);
[[nodiscard]] bool field_has_name(std::string_view field, std::string_view family_part) noexcept;

template <class Each>
void for_each_field(const http::HeaderMap& fields, std::string_view family_part, Each&& each) {
    for (const http::Field& field : fields) {
        if (field_has_name(field.name, family_part)) each(field.value);
    }
}

/// $http_NAME and its kind: all fields of that name, joined with ", " ("; " for Cookie).
void append_field(const http::HeaderMap& fields, std::string_view family_part, std::string& out);
/// $cookie_NAME: the first cookie of exactly that name (RFC 6265 4.2.1).
void append_cookie(const http::HeaderMap& fields, std::string_view name, std::string& out);
/// $arg_NAME: the first argument of that name, compared without case, not decoded.
void append_argument(std::string_view query, std::string_view name, std::string& out);

}  // namespace proxyd::vars
