#pragma once

#include "support/protocol/message.hpp"

#include "support/gate.hpp"
#include "support/tls_front.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace proxyd::test::protocol {

// What a handler answers.
struct Give {
    int status = 200;
    Headers fields;
    std::string body;
    bool sized = true;  // declare the length of the body
    Headers trailers;   // only where the length is not declared
};

Give give(std::string body, int status = 200);

// One request in the hands of a script, whatever the version. Ends when the script returns.
class Served {
  public:
    virtual ~Served() = default;
    Served() = default;
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;

    [[nodiscard]] virtual const Incoming& head() const = 0;
    virtual std::string read(Duration limit = kLimit, std::size_t most = 65'536) = 0;
    [[nodiscard]] virtual End end() const = 0;
    [[nodiscard]] virtual Headers trailers() const = 0;

    virtual void interim(int status, const Headers& fields) = 0;
    // `length`: declared. `last`: no body follows, and none is declared.
    virtual void answer_head(int status, const Headers& fields,
                             std::optional<std::size_t> length = {}, bool last = false) = 0;
    virtual IoStatus send(std::string_view bytes, Duration limit = kLimit) = 0;
    virtual void finish(const Headers& trailers = {}) = 0;
    // Breaks off: everything sent so far is delivered, then the connection is closed.
    virtual void cut() = 0;
    // RST_STREAM, with HTTP/1.1 a reset of the connection.
    virtual void reset() = 0;
    // Until the peer gave the request up.
    [[nodiscard]] virtual bool wait_for_leave(Duration limit = kLimit) = 0;

    // The whole request; the backend takes note of it, or of its break.
    Incoming receive(Duration limit = kLimit, std::size_t keep = 16U << 20U);
    void reply(const Give& answer);

  protected:
    // What the backend is told.
    virtual void note(const Incoming& request) = 0;
};

// A fake upstream of one version, with TLS when it has a certificate.
class Backend {
  public:
    using Script = std::function<void(Served&)>;
    using Handler = std::function<Give(const Incoming&)>;
    struct Options {
        Pair certificate;  // empty = plain
        std::uint32_t window = 1U << 20U;
    };

    virtual ~Backend() = default;
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;

    // Where clients connect to.
    [[nodiscard]] virtual std::uint16_t port() const = 0;
    // Closes every connection; the listener stays.
    virtual void drop_connections() = 0;

    // Whole requests in the order of their ends.
    [[nodiscard]] std::vector<Incoming> requests() const { return seen_.get().whole; }
    [[nodiscard]] Incoming last_request() const;
    [[nodiscard]] int heads() const { return seen_.get().heads; }
    [[nodiscard]] int left() const { return seen_.get().left; }
    [[nodiscard]] int connections() const { return seen_.get().connections; }
    // Requests that are in a script's hands.
    [[nodiscard]] int running() const { return seen_.get().running; }
    [[nodiscard]] int most_running() const { return seen_.get().most; }
    [[nodiscard]] bool wait_for_heads(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_requests(std::size_t count, Duration limit = kLimit);
    // Requests that broke off or were given up.
    [[nodiscard]] bool wait_for_left(int count, Duration limit = kLimit);
    [[nodiscard]] bool wait_for_running(int most, Duration limit = kLimit);

  protected:
    struct Seen {
        std::vector<Incoming> whole;
        int heads = 0;
        int left = 0;
        int connections = 0;
        int running = 0;
        int most = 0;
    };
    void run(const Script& script, Served& served);
    void note(const Incoming& request);
    void note_left();
    Watched<Seen> seen_;
};

std::unique_ptr<Backend> make_backend(Version version, Backend::Script script,
                                      Backend::Options options = {});
std::unique_ptr<Backend> make_h1_backend(Backend::Script script, Backend::Options options);
std::unique_ptr<Backend> make_h2_backend(Backend::Script script, Backend::Options options);
// Reads the whole request, then answers.
Backend::Script handled(Backend::Handler handler);

}  // namespace proxyd::test::protocol
