// A thousand random byte mutations of each request in a small corpus: no crash, no 5xx that the
// upstream did not cause, and nothing that the upstream reads differently.
#include "support/daemon.hpp"
#include "support/raw_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <thread>

namespace proxyd::test {
namespace {

constexpr int kMutations = 1000;
constexpr int kThreads = 24;

const std::string kCorpus[] = {
    "GET /a/b%20c?q=1&r=2 HTTP/1.1\r\nHost: app.test\r\nAccept: */*\r\n\r\n",
    "GET http://app.test/abs HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, X-A\r\n"
    "X-A: 1\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: app.test\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /c HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
    "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n",
    "PUT /e HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n",
    "GET /one HTTP/1.1\r\nHost: app.test\r\n\r\nHEAD /two HTTP/1.1\r\nHost: app.test\r\n\r\n"
    "OPTIONS * HTTP/1.1\r\nHost: app.test\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-For: 1.1.1.1\r\nVia: 1.0 a\r\n"
    "Cookie: a=b; c=d\r\nX_under: 1\r\nTE: trailers\r\nRange: bytes=0-1\r\n\r\n",
};

std::string mutate(std::string text, std::mt19937& random) {
    const std::string special("\r\n\0 :;,%/\\.#?\t\"0159aAfFxX-+\x7f\x80\xff", 31);
    const auto any = [&](std::size_t below) { return random() % below; };
    const auto byte = [&] {
        return any(2) == 0 ? special[any(special.size())] : static_cast<char>(any(256));
    };
    for (auto count = 1 + any(3); count > 0; --count) {
        const auto at = any(text.size());
        switch (any(5)) {
            case 0:
                text[at] = byte();
                break;
            case 1:
                text.insert(at, 1, byte());
                break;
            case 2:
                text.erase(at, 1 + any(3));
                break;
            case 3:
                text.insert(at, text.substr(at, 1 + any(12)));
                break;
            default:
                text[at] = static_cast<char>(text[at] ^ (1U << any(8)));
                break;
        }
        if (text.empty()) text = "x";
    }
    return text;
}

class Mutations {
  public:
    explicit Mutations(std::uint16_t port) : port_(port) {
        for (std::size_t entry = 0; entry < std::size(kCorpus); ++entry) {
            std::mt19937 random(static_cast<unsigned>(20'000 + entry));
            for (int count = 0; count < kMutations; ++count) {
                inputs_.push_back(mutate(kCorpus[entry], random));
            }
        }
    }

    void run() {
        std::vector<std::thread> threads;
        for (int number = 0; number < kThreads; ++number) {
            threads.emplace_back([this] {
                for (auto index = next_++; index < inputs_.size(); index = next_++) {
                    one(inputs_[index]);
                }
            });
        }
        for (auto& thread : threads) thread.join();
    }

    [[nodiscard]] const std::vector<std::string>& bad() const { return bad_; }
    [[nodiscard]] std::size_t answered() const { return answered_; }
    [[nodiscard]] std::size_t size() const { return inputs_.size(); }

  private:
    void one(const std::string& input) {
        try {
            RawClient client(port_);
            client.try_send(input);
            const auto response = client.read_response();
            answered_ += response.status != 0 ? 1 : 0;
            // 501 and 505 are what the grammar asks for: an unknown coding, another version.
            const bool allowed =
                response.status < 500 || response.status == 501 || response.status == 505;
            if (!allowed || response.end == MessageEnd::Timeout ||
                response.end == MessageEnd::BadHead || response.end == MessageEnd::BadChunk) {
                note(response.start_line + " (" + std::string(to_text(response.end)) + ") for " +
                     ::testing::PrintToString(input));
            }
        } catch (const std::exception& error) {
            note(error.what());
        }
    }

    void note(std::string text) {
        const std::lock_guard lock(mutex_);
        bad_.push_back(std::move(text));
    }

    std::uint16_t port_;
    std::vector<std::string> inputs_;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<std::size_t> answered_ = 0;
    std::mutex mutex_;
    std::vector<std::string> bad_;
};

class MutationTest : public ::testing::TestWithParam<const char*> {};

TEST_P(MutationTest, NoCrashAndNo5xxOfOurOwn) {
    FakeUpstream upstream;
    Daemon daemon(
        "client: { header_timeout: 100ms, body_timeout: 100ms, "
        "keepalive_timeout: 100ms }\n"
        "log: { access: { path: @TMP@/access.log, format: json } }\n"
        "hosts: { \"*\": { upstream: @UP1@, request_buffering: " +
            std::string(GetParam()) + " } }\n",
        ups(upstream));
    const auto pid = daemon.pid();
    Mutations mutations(daemon.http());
    mutations.run();
    for (const auto& text : mutations.bad()) ADD_FAILURE() << text;
    EXPECT_GT(mutations.answered(), mutations.size() / 2);
    EXPECT_EQ(upstream.garbage(), "");
    for (const auto& request : upstream.requests()) {
        EXPECT_EQ(request.headers.count("Host"), 1U) << request.raw_head;
        EXPECT_LE(
            request.headers.count("Content-Length") + request.headers.count("Transfer-Encoding"),
            1U)
            << request.raw_head;
        EXPECT_EQ(request.headers.value("X-Forwarded-For"), "127.0.0.1") << request.raw_head;
    }
    EXPECT_EQ(get_once(daemon.http(), "/").status, 200);
    EXPECT_EQ(daemon.pid(), pid);
    EXPECT_TRUE(daemon.running());
}

INSTANTIATE_TEST_SUITE_P(Buffered, MutationTest, ::testing::Values("on"));
INSTANTIATE_TEST_SUITE_P(Streamed, MutationTest, ::testing::Values("off"));

}  // namespace
}  // namespace proxyd::test
