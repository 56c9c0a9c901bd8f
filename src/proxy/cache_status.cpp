#include "cache_status.hpp"

#include <charconv>

namespace proxyd::proxy {
namespace {

/// Appends to a buffer that is large enough for every combination.
class Writer {
  public:
    explicit Writer(char* place) : begin_(place), at_(place) {}
    Writer& text(std::string_view text) {
        at_ = std::copy(text.begin(), text.end(), at_);
        return *this;
    }
    Writer& number(std::int64_t value) {
        at_ = std::to_chars(at_, at_ + 24, value).ptr;
        return *this;
    }
    [[nodiscard]] std::string_view done() const {
        return {begin_, static_cast<std::size_t>(at_ - begin_)};
    }

  private:
    char* begin_;
    char* at_;
};

}  // namespace

void set_cache_status(Exchange& exchange, CacheWord word, const CacheStatus& status) {
    exchange.cache.word = word;
    const std::size_t room = 128 + status.fwd.size() + status.detail.size();
    Writer writer(exchange.arena.allocate(room));
    writer.text("proxyd");
    if (status.hit) writer.text("; hit");
    if (!status.fwd.empty()) writer.text("; fwd=").text(status.fwd);
    if (status.fwd_status != 0) writer.text("; fwd-status=").number(status.fwd_status);
    if (status.ttl) writer.text("; ttl=").number(*status.ttl);
    if (status.stored) writer.text("; stored");
    if (status.collapsed) writer.text("; collapsed");
    if (!status.detail.empty()) writer.text("; detail=").text(status.detail);
    exchange.cache.status = writer.done();
}

}  // namespace proxyd::proxy
