#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace proxyd::test {

// A parsed JSON text, as strict as RFC 8259 (no raw control characters, valid UTF-8).
class Json {
  public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json>;

    Json() = default;
    template <typename Value>
    explicit Json(Value value) : value_(std::move(value)) {}

    static std::optional<Json> parse(std::string_view text);

    [[nodiscard]] bool is_object() const { return std::holds_alternative<Object>(value_); }
    [[nodiscard]] bool is_array() const { return std::holds_alternative<Array>(value_); }
    [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(value_); }
    [[nodiscard]] bool is_number() const { return std::holds_alternative<double>(value_); }
    [[nodiscard]] bool has(const std::string& key) const;
    // A member, or null when there is none.
    [[nodiscard]] const Json& operator[](const std::string& key) const;
    [[nodiscard]] const Array& array() const;
    [[nodiscard]] const Object& object() const;
    // A string as it is, a number or literal as text.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] double number() const;
    // True when `needle` is a string value somewhere below.
    [[nodiscard]] bool mentions(std::string_view needle) const;

  private:
    std::variant<std::nullptr_t, bool, double, std::string, Array, Object> value_;
};

}  // namespace proxyd::test
