#pragma once

#include <optional>

#include "cache_key.hpp"
#include "pass_pipe.hpp"
#include "proxyd/cache/storable.hpp"
#include "proxyd/cache/zone.hpp"

namespace proxyd::proxy {

/// What a fill is to do.
struct FillOrder {
    cache::FillPtr fill;
    cache::Entry stale;        ///< to be validated; none: fetch
    std::string_view primary;  ///< key text of the URL, its variants aside; copied
    http::CacheControl asked;  ///< by the client that began it
    PassPipePtr pipe;          ///< null: in the background, for nobody
};

/// The client of an exchange that fills the cache: its request is a copy, what the upstream answers
/// is judged and goes into a Fill, or through a pipe to the exchange that wanted it. One thread.
class FillStream final : public http::ServerStream, public http::BodySource {
  public:
    FillStream(const Exchange& origin, FillOrder order);
    ~FillStream() override;

    /// The exchange that this is the stream of.
    void set_exchange(Exchange& exchange) noexcept { exchange_ = &exchange; }
    [[nodiscard]] const cache::FillPtr& fill() const noexcept { return order_.fill; }
    /// How it failed; none: it did not.
    [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }
    [[nodiscard]] std::string_view request_id() const noexcept { return request_id_; }

    // http::ServerStream
    http::RequestHead& head() noexcept override { return head_; }
    const Error* refused() const noexcept override { return nullptr; }
    http::BodySource& body() noexcept override { return *this; }
    const http::StreamFacts& facts() const noexcept override { return facts_; }
    Task<Result<void>> send_informational(const http::ResponseHead& head) override;
    Task<Result<void>> send_head(const http::ResponseHead& head,
                                 http::SendOptions options) override;
    Task<Result<void>> send(std::string_view data, http::SendOptions options) override;
    void reset(const Error& why) noexcept override;
    Task<Result<std::unique_ptr<http::Tunnel>>> upgrade(const http::ResponseHead& head) override;
    void set_send_buffer(std::size_t) noexcept override {}
    void set_send_timeout(std::chrono::milliseconds) noexcept override {}
    void set_max_body(std::uint64_t) noexcept override {}
    void close_after() noexcept override {}
    void set_abort_listener(http::AbortListener*) noexcept override {}
    std::uint64_t bytes_received() const noexcept override { return 0; }
    std::uint64_t bytes_sent() const noexcept override { return taken_; }
    std::uint64_t body_bytes_sent() const noexcept override { return taken_; }

    // http::BodySource: the request has none
    Task<Result<http::BodyPart>> read(std::size_t max) override;
    bool ready() const noexcept override { return true; }
    void stop(http::StopReason) noexcept override {}

  private:
    enum class Mode : std::uint8_t {
        waiting,  ///< for the head
        shared,   ///< into the fill
        pass,     ///< to the exchange that began it
        ended,
    };
    [[nodiscard]] std::string_view keep(std::string_view text) { return arena_.copy(text); }
    void copy_request(const http::RequestHead& request);
    void ask_conditionally();
    void copy_facts(const http::StreamFacts& facts);

    [[nodiscard]] bool stale_is_better(int status) const;
    [[nodiscard]] cache::Answer answer_of(const http::ResponseHead& head) const;
    [[nodiscard]] cache::Storable judge(cache::Storable verdict, const http::ResponseHead& head);
    Result<void> revalidated(const http::ResponseHead& head);
    [[nodiscard]] boost::intrusive_ptr<cache::StoredHead> make_stored(
        const cache::Answer& answer, const cache::Validity& validity,
        const http::ResponseHead& head);
    void begin_disk_only(const cache::Answer& answer, const cache::Validity& validity,
                         const http::ResponseHead& head);
    Task<void> keep_on_disk(std::string_view data, bool end);
    /// False: no room.
    bool begin_shared(const cache::Answer& answer, const cache::Validity& validity,
                      const http::ResponseHead& head);
    void place(cache::StoredHead& head);
    Task<Result<void>> refuse(cache::Storable why, const http::ResponseHead& head,
                              http::SendOptions options);
    [[nodiscard]] bool append(std::string_view data);
    [[nodiscard]] bool next_chunk(std::size_t wanted);
    void overflow();
    [[nodiscard]] cache::HeadPtr final_head() const;
    void finish();
    void store(cache::Entry entry);
    Task<void> write_behind(bool end);
    Task<void> to_disk(cache::ChunkPtr chunk);
    Task<Result<void>> give(std::string_view data, http::SendOptions options);
    Result<void> failed(Error why);

    const CachePlan& plan_;
    cache::Zone& zone_;
    async::Loop& loop_;
    Exchange* exchange_ = nullptr;
    FillOrder order_;
    Arena arena_;
    http::RequestHead head_;
    http::StreamFacts facts_;
    http::TlsFacts tls_;
    http::ClientCertificateFacts client_;
    std::string_view request_id_;
    const cache::UnixMilliseconds asked_at_;
    Mode mode_ = Mode::waiting;
    std::optional<Error> failure_;
    cache::HeadPtr stored_;
    std::optional<std::uint64_t> size_;
    boost::intrusive_ptr<cache::Chunk> chunk_;
    std::vector<cache::ChunkPtr> behind_;  ///< full, and not yet given to the second tier
    std::unique_ptr<cache::StoreWriter> writer_;
    bool writing_ = false;  ///< send() waits for the writer, which stays until then
    std::uint64_t taken_ = 0;
};

}  // namespace proxyd::proxy
