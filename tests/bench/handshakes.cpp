// The load of handshakes: some connections at a time, each of them a TLS handshake and a goodbye,
// over and over. One thread, one version of TLS, one cipher suite, one group: the same for every
// server.
//
//   bench_handshakes --port N [--milliseconds N] [--connections N] [--version 12|13|0] [--resume 1]
//
// A connection ends when the server has closed it, after an answer to our goodbye. With --resume a
// full handshake and a request come first, uncounted (a server may keep its tickets back until it
// has something to say); all connections take up that session. Version 0 is no TLS at all: what
// the connection costs without a handshake. It writes one line, as load.lua does.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::seconds(5);  // with one connection
constexpr auto kLookAround = std::chrono::milliseconds(200);
constexpr std::size_t kMostConnections = 1000;
constexpr std::size_t kMostBad = 1000;   // then it ends: the server is not there, or not well
constexpr std::uint32_t kSources = 200;  // source addresses, so that no port is waited for
constexpr const char* kName = "bench.example";

struct Options {
    int port = 0;
    std::size_t connections = 16;
    std::chrono::milliseconds time{1000};
    long version = 13;
    bool resume = false;
};

struct Counts {
    std::size_t connect = 0, handshake = 0, timeout = 0;
    std::size_t resumption = 0;  // resumed where it should not be, or the other way round

    [[nodiscard]] std::size_t all() const { return connect + handshake + timeout + resumption; }
};

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Session = std::unique_ptr<SSL_SESSION, FreeSession>;

constexpr std::string_view kRequest =
    "GET /b/1 HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n";

// One connection at a time.
struct Slot {
    int fd = -1;
    SSL* ssl = nullptr;  // none without TLS
    Clock::time_point begin;
    bool shaken = false;  // the handshake is done, the goodbye is said
};

int keep_session(SSL* ssl, SSL_SESSION* session) {
    static_cast<Session*>(SSL_get_app_data(ssl))->reset(session);
    return 1;
}

Context make_context(const Options& options) {
    Context made{SSL_CTX_new(TLS_client_method())};
    SSL_CTX* context = made.get();
    const int version = options.version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    const bool set =
        SSL_CTX_set_min_proto_version(context, version) == 1 &&
        SSL_CTX_set_max_proto_version(context, version) == 1 &&
        SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1 &&
        SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1 &&
        // P-256 is only there for the certificate: under TLS 1.2 the list covers that as well.
        SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1;
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    if (options.resume) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep_session);
    }
    return set ? std::move(made) : nullptr;
}

sockaddr_in loopback(std::uint32_t offset, int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + offset);
    address.sin_port = htons(static_cast<in_port_t>(port));
    return address;
}

class Load {
  public:
    Load(const Options& options, SSL_CTX* context)
        : options_(options), context_(context), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

    void run() {
        slots_.resize(options_.resume ? 1 : options_.connections);
        if (options_.resume && !first_session()) return;
        begin_ = Clock::now();
        end_ = begin_ + options_.time;
        for (Slot& slot : slots_) start(slot);
        turn_while_busy();
        seconds_ = std::chrono::duration<double>(Clock::now() - begin_).count();
    }

    void print() {
        std::sort(latencies_.begin(), latencies_.end());
        std::printf(
            "bench-result {\"requests\": %zu, \"seconds\": %.6f, \"bytes\": 0, \"p50_us\": %u, "
            "\"p99_us\": %u, \"bad\": {\"connect\": %zu, \"handshake\": %zu, \"timeout\": %zu, "
            "\"resumption\": %zu}}\n",
            latencies_.size(), seconds_, percentile(50), percentile(99), bad_.connect,
            bad_.handshake, bad_.timeout, bad_.resumption);
    }

  private:
    // That of a full handshake, for all connections.
    bool first_session() {
        fetching_ = true;
        end_ = Clock::now();  // only this one
        start(slots_.front());
        turn_while_busy();
        fetching_ = false;
        if (!session_) ++bad_.resumption;  // the server gives none away
        SSL_CTX_sess_set_new_cb(context_, nullptr);
        slots_.resize(options_.connections);
        return session_ != nullptr;
    }

    void turn_while_busy() {
        std::array<epoll_event, 256> events{};
        Clock::time_point looked = Clock::now();
        while (busy_ > 0) {
            const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
            for (int i = 0; i < count; ++i) {
                go_on(*static_cast<Slot*>(events[static_cast<std::size_t>(i)].data.ptr));
            }
            if (const auto now = Clock::now(); now - looked > kLookAround) {
                looked = now;
                give_up_old(now);
            }
        }
    }

    void give_up_old(Clock::time_point now) {
        for (Slot& slot : slots_) {
            if (slot.fd >= 0 && now - slot.begin > kPatience) fail(slot, bad_.timeout);
        }
    }

    void start(Slot& slot) {
        slot.begin = Clock::now();
        slot.shaken = false;
        slot.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (options_.version != 0) prepare_tls(slot);
        ++busy_;
        if (!connect(slot)) return fail(slot, bad_.connect);
        epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &slot}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, slot.fd, &event);
    }

    void prepare_tls(Slot& slot) {
        slot.ssl = SSL_new(context_);
        SSL_set_app_data(slot.ssl, &session_);
        SSL_set_fd(slot.ssl, slot.fd);
        SSL_set_connect_state(slot.ssl);
        SSL_set_tlsext_host_name(slot.ssl, kName);
        if (options_.resume && !fetching_) offer_session(slot.ssl);
    }

    // A copy: with TLS 1.3 OpenSSL takes up a session only once.
    void offer_session(SSL* ssl) {
        const Session copy{SSL_SESSION_dup(session_.get())};
        SSL_set_session(ssl, copy.get());
    }

    bool connect(const Slot& slot) {
        const int on = 1;
        setsockopt(slot.fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        const sockaddr_in source = loopback(next_source_++ % kSources, 0);
        const sockaddr_in target = loopback(0, options_.port);
        const auto* from = reinterpret_cast<const sockaddr*>(&source);
        const auto* to = reinterpret_cast<const sockaddr*>(&target);
        if (bind(slot.fd, from, sizeof source) < 0) return false;
        return ::connect(slot.fd, to, sizeof target) == 0 || errno == EINPROGRESS;
    }

    void go_on(Slot& slot) {
        if (slot.fd < 0) return;  // given up in this turn
        ERR_clear_error();
        if (!slot.shaken) slot.ssl != nullptr ? shake(slot) : part(slot);
        if (slot.fd >= 0 && slot.shaken) slot.ssl != nullptr ? take_leave(slot) : await_end(slot);
    }

    void part(Slot& slot) {
        slot.shaken = true;
        latencies_.push_back(microseconds(Clock::now() - slot.begin));
        shutdown(slot.fd, SHUT_WR);
    }

    void await_end(Slot& slot) {
        char ignored = 0;
        const ssize_t got = recv(slot.fd, &ignored, 1, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0) return fail(slot, bad_.connect);
        next(slot);
    }

    void shake(Slot& slot) {
        const int done = SSL_do_handshake(slot.ssl);
        if (done != 1) {
            const int why = SSL_get_error(slot.ssl, done);
            if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
            const bool refused = why == SSL_ERROR_SYSCALL && errno == ECONNREFUSED;
            return fail(slot, refused ? bad_.connect : bad_.handshake);
        }
        const bool resumed = SSL_session_reused(slot.ssl) == 1;
        if (resumed != (options_.resume && !fetching_)) return fail(slot, bad_.resumption);
        if (!resumed && SSL_get_negotiated_group(slot.ssl) != NID_X25519) {
            return fail(slot, bad_.handshake);  // a cheaper or dearer one than the others'
        }
        slot.shaken = true;
        if (!fetching_) latencies_.push_back(microseconds(Clock::now() - slot.begin));
        if (fetching_) {
            SSL_write(slot.ssl, kRequest.data(), static_cast<int>(kRequest.size()));
        } else {
            SSL_shutdown(slot.ssl);
            shutdown(slot.fd, SHUT_WR);
        }
    }

    // Until the end of what the server sends: its tickets may be on the way.
    void take_leave(Slot& slot) {
        std::array<char, 4096> ignored{};
        int got = 0;
        do {
            got = SSL_read(slot.ssl, ignored.data(), ignored.size());
        } while (got > 0);
        if (SSL_get_error(slot.ssl, got) == SSL_ERROR_WANT_READ) return;
        if (SSL_get_error(slot.ssl, got) == SSL_ERROR_ZERO_RETURN) {
            // Its goodbye; the end of the connection is still to come, for some with the next turn.
            char more = 0;
            if (recv(slot.fd, &more, 1, 0) < 0 && errno == EAGAIN) return;
        }
        if (fetching_) SSL_shutdown(slot.ssl);  // or its session would be thought a bad one
        next(slot);
    }

    void next(Slot& slot) {
        end_slot(slot);
        if (Clock::now() < end_) start(slot);
    }

    void fail(Slot& slot, std::size_t& count) {
        ++count;
        end_slot(slot);
        if (Clock::now() < end_ && bad_.all() < kMostBad) start(slot);
    }

    void end_slot(Slot& slot) {
        SSL_free(slot.ssl);
        slot.ssl = nullptr;
        close(slot.fd);
        slot.fd = -1;
        --busy_;
    }

    static unsigned microseconds(Clock::duration time) {
        return static_cast<unsigned>(
            std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    }

    [[nodiscard]] unsigned percentile(std::size_t percent) const {
        if (latencies_.empty()) return 0;
        return latencies_[std::min(latencies_.size() - 1, latencies_.size() * percent / 100)];
    }

    const Options& options_;
    SSL_CTX* context_;
    int epoll_;
    std::vector<Slot> slots_;
    std::size_t busy_ = 0;
    std::uint32_t next_source_ = 0;
    bool fetching_ = false;
    Session session_;
    Clock::time_point begin_, end_;
    double seconds_ = 0;
    std::vector<unsigned> latencies_;
    Counts bad_;
};

bool set_option(Options& options, std::string_view name, long value) {
    if (name == "--port" && value > 0 && value < 65536) {
        options.port = static_cast<int>(value);
    } else if (name == "--connections" && value > 0 && value <= long{kMostConnections}) {
        options.connections = static_cast<std::size_t>(value);
    } else if (name == "--milliseconds" && value > 0 && value <= 600000) {
        options.time = std::chrono::milliseconds(value);
    } else if (name == "--version" && (value == 12 || value == 13 || value == 0)) {
        options.version = value;
    } else if (name == "--resume") {
        options.resume = value != 0;
    } else {
        return false;
    }
    return true;
}

bool parse_options(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 >= argc) return false;
        const std::string_view text = argv[i + 1];
        long value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size()) return false;
        if (!set_option(options, argv[i], value)) return false;
    }
    return options.port != 0;
}

}  // namespace

int main(int argc, char** argv) {
    const pid_t parent = getppid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) return 1;  // it died before we asked to be told
    signal(SIGPIPE, SIG_IGN);
    Options options;
    if (!parse_options(argc, argv, options)) {
        std::fprintf(stderr,
                     "usage: bench_handshakes --port N [--milliseconds N] [--connections N] "
                     "[--version 12|13|0] [--resume 0|1]\n");
        return 2;
    }
    const Context context = make_context(options);
    if (!context) return 1;
    Load load(options, context.get());
    load.run();
    load.print();
    return 0;
}
