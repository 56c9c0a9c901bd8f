// The request of a fill: a copy of the one that began it, which may end before.
#include "fill_stream.hpp"

namespace proxyd::proxy {
namespace {

using http::FieldId;

/// What would make the upstream answer for one client only, or not at all.
constexpr http::FieldSet kNotAsked{FieldId::range, FieldId::if_range, FieldId::if_none_match,
                                   FieldId::if_modified_since, FieldId::expect};

}  // namespace

FillStream::FillStream(const Exchange& origin, FillOrder order)
    : plan_(origin.plan->policy->cache),
      zone_(*plan_.zone),
      loop_(origin.worker.loop()),
      order_(std::move(order)),
      asked_at_(unix_now()) {
    order_.primary = keep(order_.primary);
    request_id_ = keep(origin.request_id());
    copy_request(origin.request());
    copy_facts(origin.stream->facts());
    if (order_.stale) ask_conditionally();
}

FillStream::~FillStream() = default;

void FillStream::copy_request(const http::RequestHead& request) {
    head_.method = http::Method::get;
    head_.method_text = "GET";
    head_.target = keep(request.target);
    head_.authority = keep(request.authority);
    head_.scheme = request.scheme;
    head_.version = request.version;
    for (const http::Field& field : request.fields) {
        if (kNotAsked.contains(field.id)) continue;
        head_.fields.add(field.id, keep(field.name), keep(field.value));
    }
}

/// RFC 9111 4.3.1.
void FillStream::ask_conditionally() {
    const cache::StoredHead& stored = *order_.stale.head;
    if (const auto etag = stored.field(FieldId::etag); !etag.empty()) {
        head_.fields.add(FieldId::if_none_match, etag);
    }
    if (const auto date = stored.field(FieldId::last_modified); !date.empty()) {
        head_.fields.add(FieldId::if_modified_since, date);
    }
}

void FillStream::copy_facts(const http::StreamFacts& facts) {
    facts_ = facts;
    for (std::string_view* text :
         {&facts_.remote_address, &facts_.socket_address, &facts_.proxy_protocol_address,
          &facts_.local_address, &facts_.listener}) {
        *text = keep(*text);
    }
    if (facts.tls == nullptr) return;
    tls_ = *facts.tls;
    for (std::string_view* text : {&tls_.protocol, &tls_.cipher, &tls_.curve, &tls_.alpn,
                                   &tls_.server_name, &tls_.identity, &tls_.client_verify}) {
        *text = keep(*text);
    }
    facts_.tls = &tls_;
    if (tls_.client == nullptr) return;
    client_ = *tls_.client;
    for (std::string_view* text :
         {&client_.subject, &client_.issuer, &client_.serial, &client_.fingerprint,
          &client_.not_before, &client_.not_after, &client_.pem}) {
        *text = keep(*text);
    }
    tls_.client = &client_;
}

Task<Result<http::BodyPart>> FillStream::read(std::size_t) {
    http::BodyPart part;
    part.end = true;
    return Task<Result<http::BodyPart>>(Result<http::BodyPart>(part));
}

}  // namespace proxyd::proxy
