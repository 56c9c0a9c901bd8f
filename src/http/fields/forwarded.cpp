#include "proxyd/http/fields/forwarded.hpp"

#include <charconv>

namespace proxyd::http {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view digits) noexcept {
    std::uint16_t port = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, port);
    if (digits.empty() || error != std::errc{} || stop != end) return std::nullopt;
    return port;
}

std::optional<ForwardedNode> make_node(std::string_view address, std::string_view port) noexcept {
    const auto parsed = IpAddress::parse(address);
    if (!parsed) return std::nullopt;
    ForwardedNode node{*parsed, address, 0};
    if (port.empty()) return node;
    const auto number = parse_port(port);
    if (!number) return std::nullopt;
    node.port = *number;
    return node;
}

/// Position behind the quoted string that begins at `at`; npos when it does not end.
std::size_t skip_quoted(std::string_view text, std::size_t at) noexcept {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            return at + 1;
        }
    }
    return std::string_view::npos;
}

/// The last comma outside quotes; npos when there is none. A quote that does not end counts as
/// a plain character.
std::size_t last_separator(std::string_view line) noexcept {
    const bool quotes = line.find('"') != std::string_view::npos;
    if (!quotes) return line.rfind(',');
    std::size_t comma = std::string_view::npos;
    for (std::size_t at = 0; at < line.size();) {
        if (line[at] == '"') {
            const std::size_t behind = skip_quoted(line, at);
            if (behind == std::string_view::npos) return line.rfind(',');
            at = behind;
            continue;
        }
        if (line[at] == ',') comma = at;
        ++at;
    }
    return comma;
}

void assign(ForwardedElement& element, std::string_view name, std::string_view value) noexcept {
    if (value.find('\\') != std::string_view::npos) value = {};
    if (text::iequals(name, "for")) element.for_ = value;
    if (text::iequals(name, "by")) element.by = value;
    if (text::iequals(name, "host")) element.host = value;
    if (text::iequals(name, "proto")) element.proto = value;
}

}  // namespace

std::optional<ForwardedNode> parse_forwarded_node(std::string_view text) noexcept {
    text = text::trim(text);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
    }
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        const std::string_view rest = text.substr(close + 1);
        if (!rest.empty() && (rest.front() != ':' || rest.size() == 1)) return std::nullopt;
        return make_node(text.substr(1, close - 1), rest.empty() ? rest : rest.substr(1));
    }
    const std::size_t colon = text.find(':');
    const bool one_colon = colon != text.npos && text.find(':', colon + 1) == text.npos;
    if (!one_colon) return make_node(text, {});
    if (colon + 1 == text.size()) return std::nullopt;
    return make_node(text.substr(0, colon), text.substr(colon + 1));
}

std::optional<ForwardedElement> parse_forwarded_element(std::string_view text) noexcept {
    ForwardedElement element;
    while (!text.empty()) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string_view name = text::trim(text.substr(0, equals));
        text.remove_prefix(equals + 1);
        std::string_view value;
        if (text.starts_with('"')) {
            const std::size_t behind = skip_quoted(text, 0);
            if (behind == std::string_view::npos) return std::nullopt;
            value = text.substr(1, behind - 2);
            text = text::trim(text.substr(behind));
            if (!text.empty() && text.front() != ';') return std::nullopt;
        } else {
            const std::size_t end = std::min(text.find(';'), text.size());
            value = text::trim(text.substr(0, end));
            text.remove_prefix(end);
        }
        assign(element, name, value);
        if (!text.empty()) text.remove_prefix(1);
        text = text::trim(text);
    }
    return element;
}

ReverseElements::ReverseElements(const HeaderMap& fields, std::string_view name) noexcept
    : fields_(fields), name_(name), id_(classify(name)), line_(fields.size()) {}

bool ReverseElements::previous_line() noexcept {
    while (line_ > 0) {
        const Field& field = *(fields_.begin() + static_cast<std::ptrdiff_t>(--line_));
        if (!field.is(id_, name_)) continue;
        rest_ = field.value;
        return true;
    }
    return false;
}

std::optional<std::string_view> ReverseElements::next() noexcept {
    while (true) {
        while (rest_.empty()) {
            if (!previous_line()) return std::nullopt;
        }
        const std::size_t comma = last_separator(rest_);
        const std::size_t start = comma == std::string_view::npos ? 0 : comma + 1;
        const std::string_view element = text::trim(rest_.substr(start));
        rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(0, comma);
        if (!element.empty()) return element;
    }
}

}  // namespace proxyd::http
