#include "request_body.hpp"

#include <algorithm>

namespace proxyd::proxy {
namespace {

constexpr std::size_t kPiece = 128 * 1024;

}  // namespace

Task<Result<void>> RequestBody::buffer(std::size_t limit, std::uint64_t announced) {
    while (!complete_ && text_.size() < limit) {
        auto part = co_await source_.read(limit - text_.size());
        if (!part) co_return std::move(part).error();
        complete_ = part->end;
        trailers_ = part->trailers;
        if (complete_ && text_.empty()) {
            view_ = part->data;  // nothing more will be read, so the view stays good
            co_return Result<void>{};
        }
        if (text_.empty()) {
            text_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(announced, limit)));
        }
        text_.append(part->data);
        view_ = text_;
    }
    co_return Result<void>{};
}

Task<Result<void>> RequestBody::send_to(http::ClientStream& upstream) {
    http::SendOptions options;
    options.end = complete_;
    options.flush = true;
    options.trailers = trailers_;
    if (!view_.empty() || complete_) {
        if (auto sent = co_await upstream.send(view_, options); !sent) co_return sent;
    }
    if (!complete_) streamed_ = true;
    while (!complete_) {
        if (!source_.ready()) {
            options.trailers = nullptr;
            if (auto sent = co_await upstream.send({}, options); !sent) co_return sent;
        }
        auto part = co_await source_.read(kPiece);
        if (!part) co_return std::move(part).error();
        complete_ = options.end = part->end;
        options.trailers = part->trailers;
        if (auto sent = co_await upstream.send(part->data, options); !sent) co_return sent;
    }
    co_return Result<void>{};
}

}  // namespace proxyd::proxy
