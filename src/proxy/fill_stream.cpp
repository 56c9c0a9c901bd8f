#include "fill_stream.hpp"

#include <algorithm>

#include "proxyd/cache/reuse.hpp"
#include "proxyd/cache/vary.hpp"
#include "response_head.hpp"
#include "retry_rule.hpp"

namespace proxyd::proxy {
namespace {

using cache::Storable;
using http::FieldId;

/// How long requests are not held back after an answer that is nobody else's.
constexpr cache::UnixMilliseconds kPassFor = 5'000;
/// The same after an error: the next one may go better.
constexpr cache::UnixMilliseconds kPassAfterError = 1'000;
constexpr std::size_t kFirstChunk = 16 * 1024, kLargestChunk = 1 << 20, kDiskChunk = 256 * 1024;

std::optional<std::int64_t> valid_for(const config::Cache& settings, int status) {
    for (const config::Cache::Valid& each : settings.valid) {
        if (each.status == status || each.status == 0) return each.time.count();
    }
    return std::nullopt;
}

std::optional<std::uint64_t> size_of(const http::ResponseHead& head) {
    if (head.framing == http::Framing::none) return 0;
    if (head.framing != http::Framing::length) return std::nullopt;
    return head.content_length;
}

}  // namespace

Task<Result<void>> FillStream::send_informational(const http::ResponseHead&) {
    return Task<Result<void>>(Result<void>{});
}

Task<Result<std::unique_ptr<http::Tunnel>>> FillStream::upgrade(const http::ResponseHead&) {
    using Answer = Result<std::unique_ptr<http::Tunnel>>;
    return Task<Answer>(Answer(Error(Reason::upgrade_refused)));
}

// The verdict -------------------------------------------------------------------------------

cache::Answer FillStream::answer_of(const http::ResponseHead& head) const {
    cache::Answer answer;
    answer.status = head.status;
    answer.fields = &head.fields;
    answer.authorized = head_.fields.maybe(FieldId::authorization);
    answer.valid = valid_for(*plan_.settings, head.status);
    answer.asked_at = asked_at_;
    answer.received_at = unix_now();
    return answer;
}

/// An error of the upstream while there is something that may be served instead.
bool FillStream::stale_is_better(int status) const {
    if (!order_.stale || status < 400) return false;
    const auto word = retry_word(status);
    const bool ordered = word && plan_.settings->has(*word);
    const bool error = status >= 500;
    return (ordered || error) &&
           cache::stale_if_error(order_.stale.head->validity, ordered, order_.asked, unix_now());
}

/// What this request and this place say beside the answer itself.
Storable FillStream::judge(Storable verdict, const http::ResponseHead& head) {
    if (plan_.settings->honour_client && order_.asked.no_store) return Storable::request_no_store;
    if (any_set(plan_.settings->no_store, *exchange_)) return Storable::ordered;
    if (verdict != Storable::yes) return verdict;
    if (wants_streaming(head)) return Storable::ordered;
    if (!cache::vary_names(head.fields)) return Storable::vary;
    const auto size = size_of(head);
    if (size && *size > zone_.settings().max_object_size) return Storable::too_large;
    return Storable::yes;
}

Task<Result<void>> FillStream::send_head(const http::ResponseHead& head,
                                         http::SendOptions options) {
    if (order_.pipe) order_.pipe->facts = exchange_->upstream;
    if (exchange_->upstream.fields == nullptr) {  // not of an upstream
        co_return failed(Error(Reason::internal_error));
    }
    if (order_.stale && head.status == 304) co_return revalidated(head);
    if (stale_is_better(head.status)) {
        co_return failed(Error(Reason::upstream_status, Source::upstream, Retry::no,
                               "status " + std::to_string(head.status)));
    }
    const cache::Answer answer = answer_of(head);
    const cache::Judgement judgement = cache::judge(answer);
    Storable verdict = judge(judgement.storable, head);
    if (verdict == Storable::yes && !begin_shared(answer, judgement.validity, head)) {
        verdict = Storable::no_room;
    }
    if (verdict != Storable::yes) {
        auto refused = co_await refuse(verdict, head, options);
        // Behind what refuse() removes: this is what takes its place.
        if (verdict == Storable::no_room && refused.ok()) {
            begin_disk_only(answer, judgement.validity, head);
        }
        co_return refused;
    }
    if (options.end) finish();
    co_return Result<void>{};
}

Result<void> FillStream::failed(Error why) {
    reset(why);
    return why;
}

/// The stored answer goes on, with what the 304 says of it (RFC 9111 4.3.4).
Result<void> FillStream::revalidated(const http::ResponseHead& head) {
    cache::Answer answer = answer_of(head);
    const cache::StoredHead& old = *order_.stale.head;
    auto fresh = cache::freshen(old, answer);
    if (!fresh) {  // validates something else: gone, and the next one asks without a condition
        zone_.remove(old.key);
        return failed(Error(Reason::upstream_bad_response, Source::upstream, Retry::no,
                            "304 with another ETag than the one that was asked for"));
    }
    const http::HeaderMap fields = cache::fields_of(*fresh);
    answer.fields = &fields;
    answer.status = old.status;
    answer.valid = valid_for(*plan_.settings, old.status);
    const cache::Judgement judgement = cache::judge(answer);
    fresh->validity = judgement.validity;
    cache::Entry entry;
    entry.head = fresh;
    entry.body = order_.stale.body;
    stored_ = entry.head;
    if (judgement.storable != Storable::yes) {
        zone_.remove(old.key);
        order_.fill->doom();
    } else if (!order_.fill->doomed() && zone_.store() != nullptr) {
        zone_.store()->update(entry.head);
    }
    store(std::move(entry));
    return {};
}

/// Into memory, then to whoever waits: he finds it fresh.
void FillStream::store(cache::Entry entry) {
    mode_ = Mode::ended;
    const bool whole = entry.body || entry.head->body_size == 0;
    if (!order_.fill->doomed() && whole) zone_.put(entry, unix_now());
    zone_.end(*order_.fill);
    order_.fill->complete(std::move(entry));
}

Task<Result<void>> FillStream::refuse(Storable why, const http::ResponseHead& head,
                                      http::SendOptions options) {
    const bool error = head.status >= 500;
    // What is stored was replaced by something that is not to be stored.
    if (order_.stale && !error) zone_.remove(order_.stale.head->key);
    zone_.end(*order_.fill, unix_now() + (error ? kPassAfterError : kPassFor));
    order_.fill->refuse(why);
    mode_ = Mode::pass;
    if (!order_.pipe) {
        mode_ = Mode::ended;
        co_return Error(Reason::none, Source::downstream);
    }
    order_.pipe->head = &head;
    order_.pipe->options = options;
    order_.pipe->given.set();
    while (order_.pipe->head != nullptr && !order_.pipe->reader_gone) {
        co_await order_.pipe->taken.wait();
    }
    if (order_.pipe->reader_gone) co_return Error(Reason::client_closed, Source::downstream);
    co_return Result<void>{};
}

// The body ------------------------------------------------------------------------------------

/// The key of the head: the URL's, or that of the variant which this request chose.
void FillStream::place(cache::StoredHead& head) {
    const cache::UnixMilliseconds now = unix_now();
    const std::string url = plan_.url_key ? std::string() : order_.fill->url();
    const cache::Key primary = cache::key_of(order_.primary);
    const cache::Entry known = zone_.find(primary, order_.primary, now);
    head.key_text = order_.primary;
    head.url = url;
    if (!head.vary.empty() || (known && known.head->is_marker())) {
        const cache::HeadPtr marker = zone_.mark_vary(primary, order_.primary, url, head.vary, now);
        if (!marker) {
            order_.fill->doom();  // too many names: served, not kept
        } else {
            head.key_text.clear();
            cache::append_variant(head.key_text, order_.primary, marker->vary, marker->salt,
                                  exchange_->outgoing.fields);
            if (url.empty()) head.url = order_.primary;
        }
    }
    head.key = cache::key_of(head.key_text);
}

boost::intrusive_ptr<cache::StoredHead> FillStream::make_stored(const cache::Answer& answer,
                                                                const cache::Validity& validity,
                                                                const http::ResponseHead& head) {
    auto stored = cache::make_head(answer, validity);
    stored->vary = *cache::vary_names(head.fields);
    stored->body_size = size_.value_or(0);
    place(*stored);
    return stored;
}

/// Larger than what memory holds: the client gets it as it comes, and so does the second tier.
void FillStream::begin_disk_only(const cache::Answer& answer, const cache::Validity& validity,
                                 const http::ResponseHead& head) {
    if (zone_.store() == nullptr || order_.fill->doomed()) return;
    stored_ = make_stored(answer, validity, head);
    if (order_.fill->doomed()) return;  // too many variants
    writer_ = zone_.store()->write(loop_, stored_, size_.value_or(UINT64_MAX));
}

bool FillStream::begin_shared(const cache::Answer& answer, const cache::Validity& validity,
                              const http::ResponseHead& head) {
    size_ = size_of(head);
    const std::uint64_t limit = zone_.memory_object_limit();
    if (size_ && *size_ > limit) return false;
    const bool body = !size_ || *size_ > 0;
    if (body && !next_chunk(size_ ? static_cast<std::size_t>(*size_) : kFirstChunk)) return false;
    stored_ = make_stored(answer, validity, head);
    if (zone_.store() != nullptr && !order_.fill->doomed()) {
        writer_ = zone_.store()->write(loop_, stored_, size_.value_or(UINT64_MAX));
    }
    mode_ = Mode::shared;
    order_.fill->begin(stored_, size_);
    return true;
}

bool FillStream::next_chunk(std::size_t wanted) {
    chunk_ = zone_.chunk(std::min(wanted, kLargestChunk));
    return chunk_ != nullptr;
}

/// False: more than is kept in memory.
bool FillStream::append(std::string_view data) {
    while (!data.empty()) {
        if (!chunk_ || chunk_->size() == chunk_->capacity()) {
            const std::uint64_t left = size_ ? *size_ - taken_ : kLargestChunk;
            const std::uint64_t grown = chunk_ ? 2 * chunk_->capacity() : kFirstChunk;
            const std::uint64_t wanted = size_ ? left : std::min<std::uint64_t>(grown, kDiskChunk);
            if (chunk_ && writer_) behind_.push_back(std::move(chunk_));
            chunk_ = nullptr;
            if (taken_ + data.size() > zone_.memory_object_limit()) return false;
            if (!next_chunk(static_cast<std::size_t>(wanted))) return false;
        }
        const std::size_t fitted = chunk_->append(data);
        taken_ += fitted;
        data.remove_prefix(fitted);
        order_.fill->publish(chunk_, fitted);
    }
    return true;
}

Task<Result<void>> FillStream::send(std::string_view data, http::SendOptions options) {
    if (mode_ == Mode::shared) {
        const std::uint64_t before = taken_;
        const bool kept = append(data);
        if (writer_) co_await write_behind(kept && options.end);
        if (mode_ != Mode::shared) co_return Error(Reason::client_closed, Source::downstream);
        if (kept) {
            if (options.end) finish();
            co_return Result<void>{};
        }
        data.remove_prefix(taken_ - before);
        if (writer_) co_await write_behind(true);
        if (mode_ != Mode::shared) co_return Error(Reason::client_closed, Source::downstream);
        overflow();
    }
    if (mode_ != Mode::pass || !order_.pipe) {
        mode_ = Mode::ended;
        co_return Error(Reason::none, Source::downstream);
    }
    taken_ += data.size();
    if (writer_) co_await keep_on_disk(data, options.end);
    if (mode_ != Mode::pass) co_return Error(Reason::client_closed, Source::downstream);
    auto given = co_await give(data, options);
    co_return given;
}

/// Full chunks go to the second tier as they come, the last one as it is.
Task<void> FillStream::write_behind(bool end) {
    std::vector<cache::ChunkPtr> behind = std::move(behind_);
    behind_.clear();
    for (cache::ChunkPtr& each : behind) co_await to_disk(std::move(each));
    const bool full = chunk_ && chunk_->size() == chunk_->capacity();
    if (!chunk_ || chunk_->size() == 0 || !(end || full)) co_return;
    cache::ChunkPtr last = std::move(chunk_);
    chunk_ = nullptr;
    co_await to_disk(std::move(last));
}

Task<void> FillStream::to_disk(cache::ChunkPtr chunk) {
    if (!writer_) co_return;
    writing_ = true;
    co_await writer_->append(std::move(chunk));
    writing_ = false;
    if (mode_ == Mode::ended) writer_.reset();
}

/// Copied: the client's connection reads the piece meanwhile, and the upstream's writes the next.
Task<void> FillStream::keep_on_disk(std::string_view data, bool end) {
    if (taken_ > zone_.settings().max_object_size) writer_.reset();
    if (writer_ && !data.empty()) {
        auto chunk = cache::Chunk::make(nullptr, data.size());
        chunk->append(data);
        cache::ChunkPtr copy = std::move(chunk);
        co_await to_disk(std::move(copy));
    }
    if (!writer_ || !end) co_return;
    if (!order_.fill->doomed()) writer_->commit(final_head());
    writer_.reset();
}

void FillStream::overflow() {
    mode_ = Mode::pass;
    zone_.end(*order_.fill, unix_now() + kPassFor);
    order_.fill->overflow();
}

Task<Result<void>> FillStream::give(std::string_view data, http::SendOptions options) {
    PassPipe& pipe = *order_.pipe;
    if (!pipe.reader_gone) {
        pipe.data = data;
        pipe.options = options;
        pipe.piece = true;
        pipe.given.set();
    }
    while (pipe.piece && !pipe.reader_gone) co_await pipe.taken.wait();
    if (pipe.reader_gone) co_return Error(Reason::client_closed, Source::downstream);
    if (options.end) mode_ = Mode::ended;
    co_return Result<void>{};
}

cache::HeadPtr FillStream::final_head() const {
    if (size_) return stored_;
    auto head = stored_->copy();
    head->body_size = taken_;
    head->seal();
    return head;
}

void FillStream::finish() {
    cache::Entry entry;
    entry.head = final_head();
    std::vector<cache::ChunkPtr> chunks = order_.fill->chunks();
    if (!chunks.empty()) {
        cache::ChunkPtr& last = chunks.back();
        if (last->capacity() - last->size() > 1024) {  // its unused end counts too
            auto exact = zone_.chunk(last->size());
            if (exact) {
                exact->append(last->bytes());
                last = exact;
            }
        }
        entry.body = new cache::StoredBody(std::move(chunks));
    }
    if (writer_ && !order_.fill->doomed()) writer_->commit(entry.head);
    writer_.reset();
    store(std::move(entry));
}

void FillStream::reset(const Error& why) noexcept {
    if (mode_ == Mode::ended) return;
    const bool pass = mode_ == Mode::pass;
    mode_ = Mode::ended;
    failure_ = why;
    if (!writing_) writer_.reset();
    if (order_.pipe && exchange_ != nullptr) order_.pipe->facts = exchange_->upstream;
    if (!pass) {
        zone_.end(*order_.fill);
        order_.fill->fail(why);
    }
    if (order_.pipe) order_.pipe->fail(why);
}

}  // namespace proxyd::proxy
