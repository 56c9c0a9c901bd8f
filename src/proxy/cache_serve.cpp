#include "cache_serve.hpp"

#include <charconv>

#include "answer_fields.hpp"
#include "cache_key.hpp"
#include "error_log.hpp"
#include "error_pages.hpp"
#include "local_response.hpp"
#include "proxyd/base/random.hpp"
#include "proxyd/http/fields/conditional.hpp"
#include "response_head.hpp"
#include "upstream_request.hpp"

namespace proxyd::proxy {
namespace {

using http::FieldId;

http::Validators validators(const cache::StoredHead& head) {
    return {head.field(FieldId::etag), head.field(FieldId::last_modified),
            head.field(FieldId::date)};
}

/// What a 304 says again (RFC 9110 15.4.5).
bool belongs_to_304(const http::Field& field) {
    constexpr http::FieldSet kOfTheBody{FieldId::content_encoding, FieldId::content_type,
                                        FieldId::content_range};
    return !kOfTheBody.contains(field.id);
}

std::string_view number_text(std::uint64_t value, Arena& arena) {
    char digits[24];
    const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return arena.copy({digits, static_cast<std::size_t>(end - digits)});
}

std::string content_range(const http::ByteRange& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
           std::to_string(size);
}

/// Answers from the cache say how old they are; the ones just fetched only what they were told.
bool says_age(const Exchange& exchange, const cache::Validity& validity) {
    switch (exchange.cache.word) {
        case CacheWord::hit:
        case CacheWord::stale:
        case CacheWord::updating:
            return true;
        default:
            return validity.initial_age >= 1000;
    }
}

}  // namespace

CacheServe::CacheServe(Exchange& exchange, CachedAnswer answer, cache::FillWaiter& waiter,
                       const std::optional<Error>& canceled)
    : exchange_(exchange), answer_(std::move(answer)), waiter_(waiter), canceled_(canceled) {}

void CacheServe::choose_shape() {
    const http::RequestHead& request = exchange_.request();
    const bool conditional = request.fields.maybe(FieldId::if_none_match) ||
                             request.fields.maybe(FieldId::if_modified_since);
    const cache::UnixMilliseconds now = unix_now();
    if (conditional && answer_.head->status == 200 &&
        http::is_not_modified(request.fields, validators(*answer_.head), now / 1000)) {
        shape_ = Shape::not_modified;
    } else if (request.method == http::Method::head) {
        shape_ = Shape::head;
    } else if (request.fields.maybe(FieldId::range) && answer_.head->status == 200 &&
               answer_.size &&
               http::range_applies(request.fields, validators(*answer_.head), now / 1000)) {
        choose_ranges();
    }
}

void CacheServe::choose_ranges() {
    const auto value = exchange_.request().fields.get(FieldId::range);
    if (!value || exchange_.request().fields.count(FieldId::range) != 1) return;
    http::Ranges ranges = http::parse_range(*value, *answer_.size);
    if (ranges.kind == http::Ranges::Kind::unsatisfiable) shape_ = Shape::unsatisfiable;
    if (ranges.kind != http::Ranges::Kind::partial) return;
    // What comes in order from a disk or a fill is not read twice.
    if (ranges.list.size() > 1 && !answer_.body) return;
    shape_ = Shape::ranges;
    ranges_ = std::move(ranges.list);
    if (ranges_.size() > 1) boundary_ = view(random_id());
}

void CacheServe::age_field() {
    const cache::Validity& validity = answer_.head->validity;
    if (!says_age(exchange_, validity)) return;
    const auto age = static_cast<std::uint64_t>(validity.age_at(unix_now()) / 1000);
    exchange_.response.fields.add(FieldId::age, number_text(age, exchange_.arena));
}

void CacheServe::fill_head() {
    http::ResponseHead& response = exchange_.response;
    const cache::StoredHead& stored = *answer_.head;
    response.fields.clear();
    response.status = stored.status;
    for (const http::Field& field : stored.fields()) {
        if (shape_ == Shape::not_modified && !belongs_to_304(field)) continue;
        if (shape_ == Shape::unsatisfiable && field.id != FieldId::date) continue;
        response.fields.add(field.id, field.name, field.value);
    }
    age_field();
    if (shape_ == Shape::not_modified) response.status = 304;
    response.framing = answer_.size ? http::Framing::length : http::Framing::chunked;
    response.content_length = answer_.size.value_or(0);
    if (!http::status_has_body(response.status)) response.framing = http::Framing::none;
    if (shape_ == Shape::ranges || shape_ == Shape::unsatisfiable) {
        set_range_fields();
    } else if (stored.status == 200 && answer_.size && !stored.has(FieldId::content_range) &&
               shape_ != Shape::not_modified && !response.fields.get("Accept-Ranges")) {
        response.fields.add("Accept-Ranges", "bytes");
    }
    response.reason_phrase = http::reason_phrase(response.status);
    const bool refers = stored.has(FieldId::location) || stored.has(FieldId::refresh);
    if (refers) build_upstream_request(exchange_);  // who the upstream was asked as
    rewrite_answer_fields(exchange_);
    finish_response_head(exchange_, false);
}

void CacheServe::set_range_fields() {
    http::ResponseHead& response = exchange_.response;
    Arena& arena = exchange_.arena;
    if (shape_ == Shape::unsatisfiable) {
        response.status = 416;
        response.content_length = 0;
        response.fields.add(FieldId::content_range,
                            arena.copy("bytes */" + std::to_string(*answer_.size)));
        return;
    }
    response.status = 206;
    if (ranges_.size() == 1) {
        response.content_length = ranges_.front().size();
        response.fields.set(FieldId::content_range, http::name_of(FieldId::content_range),
                            arena.copy(content_range(ranges_.front(), *answer_.size)));
        return;
    }
    response.content_length = boundary_.size() + 8;  // "\r\n--" and "--\r\n"
    for (const http::ByteRange& range : ranges_) {
        response.content_length += part_head(range).size() + range.size();
    }
    response.fields.set(FieldId::content_type, http::name_of(FieldId::content_type),
                        arena.copy("multipart/byteranges; boundary=" + boundary_));
}

std::string_view CacheServe::part_head(const http::ByteRange& range) {
    std::string text = "\r\n--" + boundary_ + "\r\n";
    const std::string_view type = answer_.head->field(FieldId::content_type);
    if (!type.empty()) text.append("Content-Type: ").append(type).append("\r\n");
    text.append("Content-Range: ").append(content_range(range, *answer_.size));
    text.append("\r\n\r\n");
    return exchange_.arena.copy(text);
}

Task<void> CacheServe::run() {
    const config::Policy& policy = exchange_.policy();
    if (policy.intercept_errors && answer_.head->status >= 400 &&
        find_error_page(policy, answer_.head->status) != nullptr) {
        co_await respond_intercepted(exchange_, answer_.head->status);
        co_return;
    }
    choose_shape();
    fill_head();
    exchange_.stream->set_send_buffer(0);
    const bool empty = exchange_.response.framing == http::Framing::none ||
                       (exchange_.response.framing == http::Framing::length &&
                        exchange_.response.content_length == 0);
    http::SendOptions options;
    options.end = empty || shape_ == Shape::head;
    // A fill may take its time; what is there already goes out with the head.
    options.flush = answer_.fill && !answer_.fill->read(0).chunk;
    exchange_.head_sent = true;
    auto sent = co_await exchange_.stream->send_head(exchange_.response, options);
    if (!sent) {
        exchange_.reason = sent.error().code;
        co_return;
    }
    if (!options.end) co_await send_body();
}

Task<void> CacheServe::send_body() {
    if (shape_ == Shape::whole) {
        co_await send_range(0, answer_.size.value_or(UINT64_MAX), true);
        co_return;
    }
    const bool several = ranges_.size() > 1;
    for (const http::ByteRange& range : ranges_) {
        if (several) {
            const bool head_sent = co_await send_text(part_head(range), false);
            if (!head_sent) co_return;
        }
        const bool sent = co_await send_range(range.first, range.last + 1, !several);
        if (!sent) co_return;
    }
    if (several) {
        boundary_.insert(0, "\r\n--").append("--\r\n");
        co_await send_text(boundary_, true);
    }
}

Task<bool> CacheServe::send_text(std::string_view text, bool last) {
    http::SendOptions options;
    options.end = last;
    auto sent = co_await exchange_.stream->send(text, options);
    if (!sent) exchange_.reason = sent.error().code;
    co_return sent.ok();
}

/// Up to `behind`; UINT64_MAX: to the end of the fill.
Task<bool> CacheServe::send_range(std::uint64_t first, std::uint64_t behind, bool last) {
    if (answer_.reader && first != 0) answer_.reader->seek(first);
    position_ = first;
    chunk_ = 0;
    chunk_start_ = 0;
    while (position_ < behind) {
        Result<Piece> piece = Piece();
        if (answer_.body) {
            piece = read_memory();
        } else {
            piece = co_await read();
        }
        if (overflowed_) co_return false;
        if (!piece) {
            cut(piece.error());
            co_return false;
        }
        const bool at_end = piece->bytes.empty();
        if (at_end && behind != UINT64_MAX) {
            cut(Error(Reason::internal_error, Source::internal, Retry::no,
                      "a stored body is short"));
            co_return false;
        }
        const std::string_view bytes = piece->bytes.substr(0, behind - position_);
        position_ += bytes.size();
        http::SendOptions options;
        options.end = last && (at_end || position_ == behind);
        options.flush = !piece->more;
        auto sent = co_await exchange_.stream->send(bytes, options);
        if (!sent) {
            exchange_.reason = sent.error().code;
            co_return false;
        }
        if (at_end) break;
    }
    co_return true;
}

Task<Result<CacheServe::Piece>> CacheServe::read() {
    return answer_.fill ? read_fill() : read_store();
}

CacheServe::Piece CacheServe::read_memory() {
    const auto& chunks = answer_.body->chunks();
    while (chunk_ < chunks.size() && position_ >= chunk_start_ + chunks[chunk_]->size()) {
        chunk_start_ += chunks[chunk_++]->size();
    }
    Piece piece;
    if (chunk_ == chunks.size()) return piece;
    piece.bytes = chunks[chunk_]->bytes().substr(position_ - chunk_start_);
    piece.more = chunk_ + 1 < chunks.size();
    return piece;
}

Task<Result<CacheServe::Piece>> CacheServe::read_fill() {
    using State = cache::Fill::State;
    while (true) {
        cache::Fill::Piece piece = answer_.fill->read(position_);
        if (piece.chunk) {
            held_ = std::move(piece.chunk);
            Piece result;
            result.bytes = piece.bytes;
            co_return result;
        }
        if (piece.state == State::complete) co_return Piece();
        if (piece.state == State::failed) co_return answer_.fill->view().error;
        if (piece.state == State::overflowed) {
            overflowed_ = true;
            co_return Piece();
        }
        if (answer_.fill->wait_for(position_, exchange_.worker.loop(), waiter_)) {
            co_await waiter_.event.wait();
        }
        if (canceled_) co_return *canceled_;
    }
}

Task<Result<CacheServe::Piece>> CacheServe::read_store() {
    auto chunk = co_await answer_.reader->read();
    if (canceled_) co_return *canceled_;
    if (!chunk) co_return std::move(chunk).error();
    held_ = std::move(*chunk);
    Piece piece;
    if (held_) piece.bytes = held_->bytes();
    co_return piece;
}

AnswerRest CacheServe::rest() const {
    AnswerRest rest;
    rest.skip = position_;
    rest.status = answer_.head->status;
    rest.etag = answer_.head->field(FieldId::etag);
    rest.last_modified = answer_.head->field(FieldId::last_modified);
    return rest;
}

void CacheServe::cut(const Error& why) {
    exchange_.reason = why.code;
    exchange_.detail = why.detail;
    if (!canceled_ && !answer_.fill) log_error(exchange_, why);  // a fill says it once for all
    exchange_.stream->reset(why);
}

}  // namespace proxyd::proxy
