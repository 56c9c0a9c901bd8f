#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proxyd::test {

bool equal_ignoring_case(std::string_view left, std::string_view right);
std::string to_lower(std::string_view text);

// The fields of a message in the order in which they came; names are compared without case.
class Headers {
  public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields) : fields_(fields) {}

    void add(std::string name, std::string value);
    [[nodiscard]] bool has(std::string_view name) const { return count(name) > 0; }
    [[nodiscard]] std::size_t count(std::string_view name) const;
    // The value of the first field of that name, or an empty text.
    [[nodiscard]] std::string value(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
    [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
    [[nodiscard]] bool empty() const { return fields_.empty(); }
    // "Name: value\r\n" for each field.
    [[nodiscard]] std::string to_wire() const;

  private:
    std::vector<Field> fields_;
};

}  // namespace proxyd::test
