#pragma once

#include <optional>

#include "cache_serve.hpp"
#include "exchange.hpp"
#include "pass_pipe.hpp"
#include "proxyd/base/lifetime.hpp"
#include "proxyd/cache/reuse.hpp"

namespace proxyd::proxy {

/// The cache's part of an exchange: looks up, serves, joins the fill that runs or begins one. Lives
/// inside the exchange; cancel() ends it from outside.
class CacheFlow final : public Cancelable {
  public:
    explicit CacheFlow(Exchange& exchange);
    ~CacheFlow();
    CacheFlow(const CacheFlow&) = delete;
    CacheFlow& operator=(const CacheFlow&) = delete;

    /// True: the request goes to the upstream, past the cache.
    Task<bool> run();
    // Cancelable
    void cancel(const Error& why) override;

  private:
    enum class Next : std::uint8_t { done, upstream, look_again };

    [[nodiscard]] bool concerns_us();
    [[nodiscard]] bool must_not_be_asked();
    void choose_key(std::string_view text);
    void look_up();
    void choose_variant(const cache::StoredHead& marker);
    Task<void> look_up_store();
    Task<void> promote();

    Task<Next> step();
    Task<Next> serve(CacheWord word, std::string_view detail);
    Task<Next> fetch();
    [[nodiscard]] cache::Zone::Ask ask() const;
    Task<Next> serve_updating();
    void begin_fill(const cache::FillPtr& fill, bool background);
    Task<Next> follow(cache::FillPtr fill, bool leads);
    Task<Next> serve_fill(cache::FillPtr fill, cache::Fill::View view, bool leads);
    Task<Next> after_failure(const cache::Fill::View& view, bool leads);
    Task<Next> pass_on(cache::Storable why);
    Task<void> pass_body();
    [[nodiscard]] bool stale_helps(const Error& why) const;
    [[nodiscard]] bool same_variant(const cache::StoredHead& head);
    [[nodiscard]] std::string_view miss_word() const noexcept;
    [[nodiscard]] CacheWord fetched_word() const noexcept;
    void note_miss(std::string_view fwd, std::string_view detail);
    void adopt_upstream_facts();

    Exchange& exchange_;
    const CachePlan& plan_;
    cache::Zone& zone_;
    http::CacheControl asked_;
    std::string_view primary_, text_;  ///< the URL's key, and the variant's where there is one
    cache::Key key_;
    bool varied_ = false;
    cache::UnixMilliseconds now_ = 0;
    cache::Entry entry_;
    std::unique_ptr<cache::StoreReader> reader_;
    cache::FillWaiter waiter_;
    PassPipePtr pipe_;
    cache::FillPtr own_fill_;
    std::optional<Error> canceled_;
    unsigned failures_ = 0;
    Lifetime lifetime_;
};

}  // namespace proxyd::proxy
