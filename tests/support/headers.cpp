#include "support/headers.hpp"

#include <algorithm>

namespace proxyd::test {
namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, {}, lower, lower);
}

std::string to_lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), lower);
    return result;
}

void Headers::add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
}

std::size_t Headers::count(std::string_view name) const {
    return all(name).size();
}

std::string Headers::value(std::string_view name) const {
    return find(name).value_or("");
}

std::optional<std::string> Headers::find(std::string_view name) const {
    for (const auto& [field, value] : fields_) {
        if (equal_ignoring_case(field, name)) {
            return value;
        }
    }
    return std::nullopt;
}

std::vector<std::string> Headers::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [field, value] : fields_) {
        if (equal_ignoring_case(field, name)) {
            values.push_back(value);
        }
    }
    return values;
}

std::string Headers::to_wire() const {
    std::string text;
    for (const auto& [name, value] : fields_) {
        text += name + ": " + value + "\r\n";
    }
    return text;
}

}  // namespace proxyd::test
