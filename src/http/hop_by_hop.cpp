#include "proxyd/http/hop_by_hop.hpp"

#include <algorithm>

namespace proxyd::http {
namespace {

/// Naming one of these in Connection does not remove it: whoever relies on it behind us would be
/// cheated. Fields outside the table are fair game.
constexpr FieldSet kProtected{FieldId::authorization,
                              FieldId::cache_control,
                              FieldId::content_encoding,
                              FieldId::content_length,
                              FieldId::content_type,
                              FieldId::cookie,
                              FieldId::date,
                              FieldId::etag,
                              FieldId::expires,
                              FieldId::forwarded,
                              FieldId::host,
                              FieldId::if_match,
                              FieldId::if_none_match,
                              FieldId::if_range,
                              FieldId::if_unmodified_since,
                              FieldId::last_modified,
                              FieldId::location,
                              FieldId::range,
                              FieldId::set_cookie,
                              FieldId::vary,
                              FieldId::via,
                              FieldId::www_authenticate,
                              FieldId::x_forwarded_for,
                              FieldId::x_forwarded_host,
                              FieldId::x_forwarded_port,
                              FieldId::x_forwarded_proto,
                              FieldId::x_real_ip,
                              FieldId::x_request_id,
                              FieldId::strict_transport_security,
                              FieldId::x_content_type_options,
                              FieldId::x_frame_options};

/// More options than any honest message has; bounds the work below.
constexpr std::size_t kMaxOptions = 128;

bool starts_with_ignoring_case(std::string_view name, std::string_view prefix) noexcept {
    return text::iequals(name.substr(0, prefix.size()), prefix);
}

void remove_named(HeaderMap& fields, std::string_view option) {
    if (text::iequals(option, "close") || text::iequals(option, "keep-alive")) return;
    const FieldId id = classify(option);
    if (kProtected.contains(id) || kHopByHop.contains(id)) return;
    if (id == FieldId::other && starts_with_ignoring_case(option, "x-forwarded-")) return;
    fields.remove(option);
}

void remove_unknown(HeaderMap& fields) {
    std::erase_if(fields.raw(), [](const Field& field) { return field.id == FieldId::other; });
}

/// Takes the first Connection line out, so that the vector may change below the walk.
std::string_view take_connection(HeaderMap& fields, FieldList::iterator line) {
    const std::string_view options = line->value;
    fields.raw().erase(line);
    return options;
}

void remove_connection_options(HeaderMap& fields) {
    std::size_t seen = 0;
    while (true) {
        const auto line = std::ranges::find(fields.raw(), FieldId::connection, &Field::id);
        if (line == fields.raw().end()) break;
        text::for_each_element(take_connection(fields, line), [&](std::string_view option) {
            if (++seen <= kMaxOptions) remove_named(fields, option);
            return seen <= kMaxOptions;
        });
    }
    if (seen > kMaxOptions) remove_unknown(fields);
}

}  // namespace

void remove_hop_by_hop(HeaderMap& fields) {
    if (fields.maybe(FieldId::connection)) remove_connection_options(fields);
    fields.remove_all(kHopByHop);
}

bool may_be_trailer(std::string_view name) noexcept {
    if (name.find('_') != std::string_view::npos) return false;
    constexpr FieldSet kWelcome{FieldId::etag, FieldId::server};
    const FieldId id = classify(name);
    if (id == FieldId::other) return !starts_with_ignoring_case(name, "x-forwarded-");
    return kWelcome.contains(id);
}

void remove_underscore_names(HeaderMap& fields) {
    std::erase_if(fields.raw(), [](const Field& field) {
        return field.id == FieldId::other && field.name.find('_') != std::string_view::npos;
    });
}

}  // namespace proxyd::http
