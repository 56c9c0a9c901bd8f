#include "proxyd/net/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace proxyd::net {
namespace {

using State = ProxyParse::State;

constexpr std::string_view kV1 = "PROXY ";
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV2Start = 16;  ///< signature, command, family, length

ProxyParse bad(std::string_view problem) {
    ProxyParse result;
    result.state = State::bad;
    result.problem = problem;
    return result;
}

bool is_start_of(std::string_view bytes, std::string_view whole) {
    return whole.starts_with(bytes.substr(0, whole.size()));
}

// Version 1 -----------------------------------------------------------------------------------

std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return port;
}

std::optional<IpAddress> parse_address(std::string_view text, bool v6) {
    if ((text.find(':') != std::string_view::npos) != v6) return std::nullopt;
    return IpAddress::parse(text);
}

/// Takes the field up to the next blank off the front; the last one ends with the line.
std::string_view next_field(std::string_view& line) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view field = line.substr(0, blank);
    line.remove_prefix(std::min(blank + 1, line.size()));
    return field;
}

ProxyParse parse_line(std::string_view line) {
    ProxyParse result;
    result.state = State::complete;
    result.size = line.size() + 2;
    line.remove_prefix(kV1.size());
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return result;
    if (std::count(line.begin(), line.end(), ' ') != 4) return bad("not five words in the line");
    const std::string_view family = next_field(line);
    if (family != "TCP4" && family != "TCP6") return bad("unknown protocol in the line");
    const bool v6 = family == "TCP6";
    const auto source = parse_address(next_field(line), v6);
    const auto destination = parse_address(next_field(line), v6);
    const auto source_port = parse_port(next_field(line));
    const auto destination_port = parse_port(next_field(line));
    if (!source || !destination) return bad("an address of the line is not valid");
    if (!source_port || !destination_port) return bad("a port of the line is not valid");
    result.header = {false, *source, *destination, *source_port, *destination_port};
    return result;
}

ProxyParse parse_v1(std::string_view bytes) {
    const std::string_view window = bytes.substr(0, kProxyV1Bytes);
    const auto odd = std::find_if(window.begin(), window.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e;
    });
    if (odd == window.end()) {
        return bytes.size() < kProxyV1Bytes ? ProxyParse{} : bad("the line has no end");
    }
    const auto at = static_cast<std::size_t>(odd - window.begin());
    if (*odd != '\r') return bad("a byte that is no text in the line");
    if (at + 1 == window.size()) {
        return bytes.size() < kProxyV1Bytes ? ProxyParse{} : bad("the line has no end");
    }
    if (window[at + 1] != '\n') return bad("the line ends without a line feed");
    return parse_line(window.substr(0, at));
}

// Version 2 -----------------------------------------------------------------------------------

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

std::uint16_t word_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}

IpAddress address_at(std::string_view bytes, std::size_t at, bool v6) {
    std::array<std::uint8_t, 16> raw{};
    for (std::size_t i = 0; i < (v6 ? 16U : 4U); ++i) raw[i] = byte_at(bytes, at + i);
    if (v6) return IpAddress::v6(raw);
    return IpAddress::v4({raw[0], raw[1], raw[2], raw[3]});
}

ProxyHeader read_addresses(std::string_view bytes, bool v6) {
    const std::size_t width = v6 ? 16 : 4;
    ProxyHeader header;
    header.local = false;
    header.source = address_at(bytes, kV2Start, v6);
    header.destination = address_at(bytes, kV2Start + width, v6);
    header.source_port = word_at(bytes, kV2Start + 2 * width);
    header.destination_port = word_at(bytes, kV2Start + 2 * width + 2);
    return header;
}

/// Bytes that addresses of a family take; UINT16_MAX for one that is not known.
std::uint16_t address_bytes(std::uint8_t family) {
    constexpr std::array<std::uint16_t, 4> kSizes{0, 12, 36, 216};
    return family < kSizes.size() ? kSizes[family] : UINT16_MAX;
}

ProxyParse parse_v2(std::string_view bytes) {
    if (bytes.size() < kV2Start) return {};
    const std::uint8_t command = byte_at(bytes, 12);
    const auto family = static_cast<std::uint8_t>(byte_at(bytes, 13) >> 4U);
    const auto protocol = static_cast<std::uint8_t>(byte_at(bytes, 13) & 0x0fU);
    const std::uint16_t length = word_at(bytes, 14);
    if (command >> 4U != 2) return bad("not version 2");
    if ((command & 0x0fU) > 1) return bad("unknown command");
    const bool local = (command & 0x0fU) == 0;
    if (!local && (family > 3 || protocol > 2)) return bad("unknown address family");
    if (!local && family != 0 && protocol != 1) return bad("not the address of a stream");
    if (!local && length < address_bytes(family)) return bad("too short for its addresses");
    if (kV2Start + length > kProxyV2Bytes) return bad("longer than 4096 bytes");
    if (bytes.size() < kV2Start + length) return {};
    ProxyParse result;
    result.state = State::complete;
    result.size = kV2Start + length;
    if (!local && (family == 1 || family == 2)) result.header = read_addresses(bytes, family == 2);
    return result;
}

// Out -----------------------------------------------------------------------------------------

std::array<std::uint8_t, 16> as_v6(const IpAddress& address) {
    if (address.is_v6()) return address.bytes();
    std::array<std::uint8_t, 16> mapped{};
    mapped[10] = mapped[11] = 0xff;
    std::copy_n(address.bytes().begin(), 4, mapped.begin() + 12);
    return mapped;
}

bool needs_v6(const ProxyHeader& header) {
    return header.source.is_v6() || header.destination.is_v6();
}

std::string text_of(const IpAddress& address, bool v6) {
    return v6 && !address.is_v6() ? "::ffff:" + address.text() : address.text();
}

void append_word(std::string& out, std::uint16_t value) {
    out += static_cast<char>(value >> 8U);
    out += static_cast<char>(value & 0xffU);
}

void append_raw(std::string& out, const IpAddress& address, bool v6) {
    const auto raw = v6 ? as_v6(address) : address.bytes();
    out.append(reinterpret_cast<const char*>(raw.data()), v6 ? 16 : 4);
}

}  // namespace

ProxyParse parse_proxy_header(std::string_view bytes) {
    if (bytes.empty()) return {};
    if (is_start_of(bytes, kV1)) return bytes.size() < kV1.size() ? ProxyParse{} : parse_v1(bytes);
    if (is_start_of(bytes, kV2)) return bytes.size() < kV2.size() ? ProxyParse{} : parse_v2(bytes);
    return bad("the connection does not begin with a PROXY header");
}

void append_proxy_v1(std::string& out, const ProxyHeader& header) {
    out += kV1;
    if (header.local) {
        out += "UNKNOWN\r\n";
        return;
    }
    const bool v6 = needs_v6(header);
    out.append(v6 ? "TCP6 " : "TCP4 ").append(text_of(header.source, v6)).append(" ");
    out.append(text_of(header.destination, v6)).append(" ");
    out.append(std::to_string(header.source_port)).append(" ");
    out.append(std::to_string(header.destination_port)).append("\r\n");
}

void append_proxy_v2(std::string& out, const ProxyHeader& header) {
    out += kV2;
    out += header.local ? '\x20' : '\x21';
    const bool v6 = needs_v6(header);
    out += header.local ? '\0' : v6 ? '\x21' : '\x11';
    append_word(out, header.local ? 0 : address_bytes(v6 ? 2 : 1));
    if (header.local) return;
    append_raw(out, header.source, v6);
    append_raw(out, header.destination, v6);
    append_word(out, header.source_port);
    append_word(out, header.destination_port);
}

}  // namespace proxyd::net
