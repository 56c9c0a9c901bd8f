#include <boost/asio/error.hpp>

#include "codec/h1/server_connection.hpp"
#include "codec/h2/server_connection.hpp"
#include "codec/header_time.hpp"
#include "proxyd/codec/server_codec.hpp"

namespace proxyd::codec {
namespace {

/// RFC 9113 3.4.
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Reads until the first bytes have said which protocol it is; then it is that protocol's codec
/// with nothing lost.
class DetectingServer final : public ServerCodec, private net::TransportObserver {
  public:
    DetectingServer(async::Loop& loop, net::TransportPtr transport, const ServerLimits& limits,
                    http::StreamFacts& facts)
        : loop_(loop),
          transport_(std::move(transport)),
          limits_(limits),
          facts_(facts),
          late_(
              loop.wheel(), [](void* self) { static_cast<DetectingServer*>(self)->give_up(); },
              this) {
        transport_->observe(this);
        late_.arm(header_time_left(loop, limits, facts));
        transport_->start_read();
    }
    ~DetectingServer() override {
        if (!transport_) return;
        transport_->observe(nullptr);
        transport_->close();
    }

    Task<std::unique_ptr<http::ServerStream>> accept() override {
        if (codec_) return codec_->accept();
        return accept_first();
    }
    /// A connection that has said nothing is idle.
    void drain() override {
        if (codec_) return codec_->drain();
        give_up();
    }
    void abort(Error why) override {
        if (codec_) return codec_->abort(std::move(why));
        give_up();
    }

  private:
    Task<std::unique_ptr<http::ServerStream>> accept_first() {
        if (!codec_ && !given_up_) co_await decided_.wait();
        if (given_up_) co_return nullptr;
        co_return co_await codec_->accept();
    }

    std::span<char> read_room() override {
        if (!block_) block_ = Block(kBlock);
        return {block_.data() + size_, block_.size() - size_};
    }
    void read_landed(std::size_t bytes) override {
        size_ += bytes;
        if (size_ == 0) block_.release();
    }
    void on_writable(const net::ErrorCode&) override {}

    void on_read(const net::ErrorCode& error) override {
        async::Batch& batch = loop_.batch();
        if (error) {
            give_up();
        } else {
            look();
        }
        batch.event_done();
    }

    void look() {
        const std::string_view seen(block_.data(), size_);
        const bool preface = seen.substr(0, kPreface.size()) == kPreface.substr(0, seen.size());
        if (preface && seen.size() < kPreface.size()) return transport_->start_read();
        late_.disarm();
        transport_->observe(nullptr);
        if (preface) {
            codec_ = std::make_unique<h2::ServerConnection>(loop_, std::move(transport_), limits_,
                                                            facts_, seen);
        } else {
            codec_ = std::make_unique<h1::ServerConnection>(loop_, std::move(transport_), limits_,
                                                            facts_, seen);
        }
        transport_ = nullptr;
        block_.release();
        decided_.set();
    }

    /// May destroy the codec.
    void give_up() {
        if (codec_ || std::exchange(given_up_, true)) return;
        late_.disarm();
        transport_->observe(nullptr);
        transport_->close();
        decided_.set();
    }

    static constexpr std::size_t kBlock = 8 * 1024;

    async::Loop& loop_;
    net::TransportPtr transport_;
    const ServerLimits& limits_;
    http::StreamFacts& facts_;
    Block block_;
    std::size_t size_ = 0;
    Event decided_;
    async::Deadline late_;
    bool given_up_ = false;
    std::unique_ptr<ServerCodec> codec_;
};

}  // namespace

std::unique_ptr<ServerCodec> make_detecting_server(async::Loop& loop, net::TransportPtr transport,
                                                   const ServerLimits& limits,
                                                   http::StreamFacts& facts) {
    return std::make_unique<DetectingServer>(loop, std::move(transport), limits, facts);
}

}  // namespace proxyd::codec
