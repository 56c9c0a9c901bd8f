#include "support/json.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sstream>

namespace proxyd::test {
namespace {

void append_utf8(std::string& out, unsigned code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6U));
        out += static_cast<char>(0x80 | (code & 0x3FU));
    } else {
        out += static_cast<char>(0xE0 | (code >> 12U));
        out += static_cast<char>(0x80 | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80 | (code & 0x3FU));
    }
}

bool valid_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t size = lead < 0x80                     ? 1
                                 : (lead >= 0xC2 && lead < 0xE0) ? 2
                                 : (lead >= 0xE0 && lead < 0xF0) ? 3
                                 : (lead >= 0xF0 && lead < 0xF5) ? 4
                                                                 : 0;
        if (size == 0 || at + size > text.size()) {
            return false;
        }
        for (std::size_t next = 1; next < size; ++next) {
            if ((static_cast<unsigned char>(text[at + next]) & 0xC0U) != 0x80U) {
                return false;
            }
        }
        at += size;
    }
    return true;
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::optional<Json> document() {
        auto value = parse_value(0);
        skip_space();
        return value && text_.empty() ? value : std::nullopt;
    }

  private:
    void skip_space() {
        text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
    }

    bool take(std::string_view token) {
        if (!text_.starts_with(token)) {
            return false;
        }
        text_.remove_prefix(token.size());
        return true;
    }

    std::optional<Json> parse_value(int depth) {
        skip_space();
        if (depth > 64 || text_.empty()) {
            return std::nullopt;
        }
        switch (text_.front()) {
            case '{':
                return parse_object(depth);
            case '[':
                return parse_array(depth);
            case '"':
                return parse_string_value();
            case 't':
                return take("true") ? std::optional(Json(true)) : std::nullopt;
            case 'f':
                return take("false") ? std::optional(Json(false)) : std::nullopt;
            case 'n':
                return take("null") ? std::optional(Json()) : std::nullopt;
            default:
                return parse_number();
        }
    }

    std::optional<Json> parse_object(int depth) {
        Json::Object object;
        take("{");
        skip_space();
        if (take("}")) {
            return Json(std::move(object));
        }
        do {
            skip_space();
            const auto key = parse_string();
            skip_space();
            if (!key || !take(":")) {
                return std::nullopt;
            }
            auto value = parse_value(depth + 1);
            if (!value || !object.emplace(*key, std::move(*value)).second) {
                return std::nullopt;
            }
            skip_space();
        } while (take(","));
        return take("}") ? std::optional(Json(std::move(object))) : std::nullopt;
    }

    std::optional<Json> parse_array(int depth) {
        Json::Array array;
        take("[");
        skip_space();
        if (take("]")) {
            return Json(std::move(array));
        }
        do {
            auto value = parse_value(depth + 1);
            if (!value) {
                return std::nullopt;
            }
            array.push_back(std::move(*value));
            skip_space();
        } while (take(","));
        return take("]") ? std::optional(Json(std::move(array))) : std::nullopt;
    }

    std::optional<Json> parse_string_value() {
        auto text = parse_string();
        return text ? std::optional(Json(std::move(*text))) : std::nullopt;
    }

    std::optional<Json> parse_number() {
        const auto size = std::min(text_.find_first_not_of("+-0123456789.eE"), text_.size());
        const std::string number(text_.substr(0, size));
        char* end = nullptr;
        const double value = std::strtod(number.c_str(), &end);
        if (number.empty() || *end != '\0') {
            return std::nullopt;
        }
        text_.remove_prefix(size);
        return Json(value);
    }

    std::optional<std::string> parse_string() {
        std::string out;
        if (!take("\"")) {
            return std::nullopt;
        }
        while (!text_.empty()) {
            const char c = text_.front();
            text_.remove_prefix(1);
            if (c == '"') {
                return valid_utf8(out) ? std::optional(out) : std::nullopt;
            }
            if (static_cast<unsigned char>(c) < 0x20) {
                return std::nullopt;
            }
            if (c != '\\') {
                out += c;
            } else if (!parse_escape(out)) {
                return std::nullopt;
            }
        }
        return std::nullopt;
    }

    bool parse_escape(std::string& out) {
        if (text_.empty()) {
            return false;
        }
        const char c = text_.front();
        text_.remove_prefix(1);
        constexpr std::string_view kNames = "\"\\/bfnrt";
        constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
        const auto at = kNames.find(c);
        if (at != std::string_view::npos) {
            out += kValues[at];
            return true;
        }
        const std::string digits(text_.substr(0, 4));
        char* end = nullptr;
        const auto code = std::strtoul(digits.c_str(), &end, 16);
        if (c != 'u' || digits.size() != 4 || *end != '\0') {
            return false;
        }
        text_.remove_prefix(4);
        append_utf8(out, static_cast<unsigned>(code));
        return true;
    }

    std::string_view text_;
};

}  // namespace

std::optional<Json> Json::parse(std::string_view text) {
    return Parser(text).document();
}

bool Json::has(const std::string& key) const {
    return is_object() && object().contains(key);
}

const Json& Json::operator[](const std::string& key) const {
    static const Json null;
    return has(key) ? object().at(key) : null;
}

const Json::Array& Json::array() const {
    static const Array none;
    return is_array() ? std::get<Array>(value_) : none;
}

const Json::Object& Json::object() const {
    static const Object none;
    return is_object() ? std::get<Object>(value_) : none;
}

std::string Json::text() const {
    if (is_string()) {
        return std::get<std::string>(value_);
    }
    if (is_number()) {
        std::ostringstream out;
        out.precision(15);
        out << std::get<double>(value_);
        return out.str();
    }
    if (const auto* flag = std::get_if<bool>(&value_)) {
        return *flag ? "true" : "false";
    }
    return "";
}

double Json::number() const {
    return is_number() ? std::get<double>(value_) : std::strtod(text().c_str(), nullptr);
}

bool Json::mentions(std::string_view needle) const {
    if (is_string()) {
        return std::get<std::string>(value_).find(needle) != std::string::npos;
    }
    return std::ranges::any_of(array(), [&](const auto& each) { return each.mentions(needle); }) ||
           std::ranges::any_of(object(),
                               [&](const auto& each) { return each.second.mentions(needle); });
}

}  // namespace proxyd::test
