// Time that no integration test waits for: a client that says nothing while a stream is open.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "proxyd/async/task_scope.hpp"
#include "proxyd/codec/server_codec.hpp"
#include "proxyd/net/socket_transport.hpp"

namespace proxyd::codec {
namespace {

class HandClock final : public async::Clock {
  public:
    [[nodiscard]] async::Milliseconds now() const noexcept override { return now_; }
    void move(async::Milliseconds by) { now_ += by; }

  private:
    // Ahead of it the timer of the wheel sleeps; what is due is called by hand.
    async::Milliseconds now_ = async::coarse_clock().now();
};

std::string frame(char type, char flags, char stream, const std::string& payload) {
    return std::string{'\0', '\0', static_cast<char>(payload.size()), type, flags} +
           std::string(3, '\0') + stream + payload;
}

class Silence : public testing::Test {
  protected:
    Silence() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        client_ = ends[0];
        facts_.connected_at = clock_.now();
        auto transport = net::make_socket_transport(loop_, ends[1]);
        codec_ = make_h2_server(loop_, std::move(*transport), limits_, facts_);
        tasks_.spawn(accept_all());
        // GET http://a/ with a body that does not come: 0x83 is POST
        say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "") +
            frame(1, 4, 1, std::string("\x83\x84\x86\x41\x01") + "a"));
        EXPECT_EQ(streams_, 1);
        heard();
    }
    ~Silence() override {
        stream_.reset();
        ::close(client_);
        run();
        codec_->abort(Error());
        run();
    }

    Task<void> accept_all() {
        while (true) {
            auto stream = co_await codec_->accept();
            if (!stream) break;
            ++streams_;
            stream_ = std::move(stream);
        }
        ended_ = true;
    }

    void run() {
        for (int i = 0; i < 20; ++i) {
            loop_.io().restart();
            loop_.io().poll();
        }
    }
    void say(const std::string& bytes) {
        EXPECT_EQ(::write(client_, bytes.data(), bytes.size()), ssize_t(bytes.size()));
        run();
    }
    std::string heard() {
        run();
        char bytes[4096];
        const ssize_t size = ::read(client_, bytes, sizeof bytes);
        return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string();
    }
    void pass(async::Milliseconds time) {
        for (async::Milliseconds at = 0; at < time; at += 100) {
            clock_.move(100);
            loop_.wheel().advance();
        }
        run();
    }
    [[nodiscard]] bool pinged() { return heard().find(frame(6, 0, 0, std::string(8, '\0'))) == 0; }

    HandClock clock_;
    async::Loop loop_{clock_};
    ServerLimits limits_;
    http::StreamFacts facts_;
    int client_ = -1;
    std::unique_ptr<ServerCodec> codec_;
    std::unique_ptr<http::ServerStream> stream_;
    async::TaskScope tasks_;
    int streams_ = 0;
    bool ended_ = false;
};

TEST_F(Silence, IsAskedAboutAndEndsTheConnection) {
    pass(29'000);
    EXPECT_EQ(heard(), "");
    pass(2'000);
    EXPECT_TRUE(pinged());
    EXPECT_FALSE(ended_);
    pass(16'000);
    EXPECT_TRUE(ended_);
}

TEST_F(Silence, IsFineWhenTheClientAnswers) {
    for (int i = 0; i < 5; ++i) {
        pass(31'000);
        EXPECT_TRUE(pinged()) << i;
        say(frame(6, 1, 0, std::string(8, '\0')));
    }
    EXPECT_FALSE(ended_);
}

}  // namespace
}  // namespace proxyd::codec
