#include "proxyd/policy/methods.hpp"

#include <algorithm>

namespace proxyd::policy {
namespace {

constexpr std::uint32_t bit(http::Method method) noexcept {
    return std::uint32_t{1} << static_cast<unsigned>(method);
}

}  // namespace

AllowedMethods::AllowedMethods(const std::vector<std::string>& methods) {
    if (methods.empty()) return;
    known_ = 0;
    for (const std::string& name : methods) {
        const http::Method method = http::parse_method(name);
        if (method == http::Method::other) {
            others_.push_back(name);
        } else {
            known_ |= bit(method);
        }
        if (!allow_value_.empty()) allow_value_ += ", ";
        allow_value_ += name;
    }
}

bool AllowedMethods::allows(const http::RequestHead& head) const noexcept {
    if ((known_ & bit(head.method)) != 0) return true;
    return head.method == http::Method::other &&
           std::ranges::find(others_, head.method_text) != others_.end();
}

}  // namespace proxyd::policy
