#include <algorithm>

#include "proxyd/cache/storable.hpp"
#include "proxyd/http/fields/conditional.hpp"
#include "proxyd/http/fields/date.hpp"
#include "proxyd/http/hop_by_hop.hpp"

namespace proxyd::cache {
namespace {

using http::FieldId;

constexpr std::size_t kLongestTags = 8 * 1024;
constexpr std::string_view kSurrogateKey = "Surrogate-Key", kCacheTag = "Cache-Tag";

/// Never stored: of one connection, of one client, computed anew, or said to us.
constexpr http::FieldSet kNotStored =
    http::kHopByHop |
    http::FieldSet{FieldId::age,     FieldId::content_length,  FieldId::set_cookie,
                   FieldId::trailer, FieldId::x_accel_expires, FieldId::x_accel_buffering};

bool is_stored(const http::Field& field) noexcept {
    return !kNotStored.contains(field.id) &&
           !(field.id == FieldId::other && text::iequals(field.name, kSurrogateKey));
}

/// What a 304 says of the body is about a body that was not sent (RFC 9111 3.2).
bool is_updated(const http::Field& field) noexcept {
    constexpr http::FieldSet kOfTheBody{FieldId::content_encoding, FieldId::content_type,
                                        FieldId::content_range};
    return is_stored(field) && !kOfTheBody.contains(field.id);
}

void add_tags(std::string& tags, std::string_view list) {
    std::size_t from = 0;
    while (from < list.size()) {
        const std::size_t end = std::min(list.find_first_of(" ,\t", from), list.size());
        const std::string_view tag = list.substr(from, end - from);
        if (!tag.empty() && tags.size() + tag.size() < kLongestTags) {
            if (!tags.empty()) tags += ' ';
            tags += tag;
        }
        from = end + 1;
    }
}

void collect_tags(const http::HeaderMap& fields, std::string& tags) {
    for (const http::Field& field : fields) {
        if (field.id != FieldId::other) continue;
        if (text::iequals(field.name, kSurrogateKey) || text::iequals(field.name, kCacheTag)) {
            add_tags(tags, field.value);
        }
    }
}

}  // namespace

boost::intrusive_ptr<StoredHead> make_head(const Answer& answer, const Validity& validity) {
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->status = answer.status;
    head->validity = validity;
    for (const http::Field& field : *answer.fields) {
        if (is_stored(field)) head->add_field(field.name, field.value);
    }
    if (!answer.fields->get(FieldId::date)) {  // RFC 9110 6.6.1
        head->add_field(http::name_of(FieldId::date),
                        http::view(http::format_date(answer.received_at / 1000)));
    }
    collect_tags(*answer.fields, head->tags);
    head->seal();
    return head;
}

http::HeaderMap fields_of(const StoredHead& head) {
    http::HeaderMap fields;
    for (const http::Field& field : head.fields()) fields.add(field.id, field.name, field.value);
    return fields;
}

boost::intrusive_ptr<StoredHead> freshen(const StoredHead& stored, const Answer& answer) {
    const auto etag = answer.fields->get(FieldId::etag);
    if (etag && http::is_strong_etag(*etag) && stored.field(FieldId::etag) != *etag) {
        return nullptr;
    }
    boost::intrusive_ptr<StoredHead> head(new StoredHead);
    head->key = stored.key;
    head->key_text = stored.key_text;
    head->url = stored.url;
    head->status = stored.status;
    head->vary = stored.vary;
    head->tags = stored.tags;
    head->body_size = stored.body_size;
    const auto replaced = [&](const http::Field& old) {
        return std::ranges::any_of(*answer.fields, [&](const http::Field& field) {
            return is_updated(field) && field.is(old.id, old.name);
        });
    };
    for (const http::Field& field : stored.fields()) {
        if (!replaced(field)) head->add_field(field.name, field.value);
    }
    for (const http::Field& field : *answer.fields) {
        if (is_updated(field)) head->add_field(field.name, field.value);
    }
    head->seal();
    return head;
}

}  // namespace proxyd::cache
