#include "proxyd/server/control.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "proxyd/base/log.hpp"

namespace proxyd::server {
namespace {

using Protocol = boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t kMaxSessions = 64;
constexpr std::size_t kMaxLine = 4096;
constexpr std::chrono::seconds kCallerTime{5};
constexpr std::chrono::milliseconds kAcceptPause{100};

Error failure(std::string text) {
    return Error(Reason::internal_error, Source::internal, Retry::no, std::move(text));
}

Error system_failure(const std::string& path, const char* step) {
    return failure("control socket " + path + ": " + step + ": " + std::strerror(errno));
}

/// What stands at `path` is a socket that nobody serves any more: it goes away. A live one, or
/// anything that is not a socket, is an error.
Result<void> make_room(async::Loop& loop, const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};
    if (!S_ISSOCK(found.st_mode)) return failure("control socket " + path + ": it is not a socket");
    Protocol::socket probe(loop.io());
    error_code error;
    probe.connect(Protocol::endpoint(path), error);
    if (!error) return failure("control socket " + path + ": another process listens on it");
    if (error != boost::asio::error::connection_refused) {
        return failure("control socket " + path + ": " + error.message());
    }
    if (::unlink(path.c_str()) != 0) return system_failure(path, "unlink");
    return {};
}

/// Bound with 0660 from the first moment. The umask belongs to the process: open() comes before
/// the workers start.
Result<void> listen_on(Protocol::acceptor& acceptor, const std::string& path) {
    error_code error;
    acceptor.open(Protocol(), error);
    const mode_t before = ::umask(0117);
    if (!error) acceptor.bind(Protocol::endpoint(path), error);
    ::umask(before);
    if (!error) acceptor.listen(static_cast<int>(kMaxSessions), error);
    if (error) return failure("control socket " + path + ": " + error.message());
    return {};
}

}  // namespace

/// Owner of the listening socket; kept alive by its pending operations, told to end by close().
struct ControlServer::Impl : std::enable_shared_from_this<Impl> {
    class Session;

    Impl(async::Loop& loop, Handler handle)
        : loop_(loop),
          handler_(std::move(handle)),
          acceptor_(loop.io()),
          pause_(
              loop.wheel(), [](void* self) { static_cast<Impl*>(self)->accept(); }, this) {}

    void accept();
    void close();

    async::Loop& loop_;
    Handler handler_;
    Protocol::acceptor acceptor_;
    async::Deadline pause_;  ///< between tries when descriptors run out
    std::string path_;
    std::set<Session*> sessions_;
};

/// One caller: reads its line, waits for the answer, writes it, closes. Kept alive by its pending
/// operation and by the Respond it handed out; a caller that dawdles is cut by the deadline.
class ControlServer::Impl::Session : public std::enable_shared_from_this<Session> {
  public:
    Session(std::shared_ptr<Impl> owner, Protocol::socket socket)
        : owner_(std::move(owner)),
          socket_(std::move(socket)),
          limit_(
              owner_->loop_.wheel(), [](void* self) { static_cast<Session*>(self)->cut(); }, this) {
        owner_->sessions_.insert(this);
    }
    ~Session() { owner_->sessions_.erase(this); }

    void read_line() {
        limit_.arm(kCallerTime);
        boost::asio::async_read_until(
            socket_, boost::asio::dynamic_buffer(text_, kMaxLine), '\n',
            [self = shared_from_this()](const error_code& error, std::size_t size) {
                self->limit_.disarm();
                if (!error && self->owner_->handler_) self->hand_over(size);
            });
    }

    void cut() {
        error_code ignored;
        socket_.close(ignored);
    }

  private:
    void hand_over(std::size_t size) {
        const std::string line = text_.substr(0, size - 1);
        owner_->handler_(
            line, [self = shared_from_this()](const ControlReply& reply) { self->answer(reply); });
    }

    /// The exit code in a line of its own, then the text, then the end of the stream. A small
    /// answer is in the kernel's hands when this returns.
    void answer(const ControlReply& reply) {
        text_ = std::to_string(reply.exit_code) + "\n" + reply.text;
        limit_.arm(kCallerTime);
        boost::asio::async_write(
            socket_, boost::asio::buffer(text_),
            [self = shared_from_this()](const error_code&, std::size_t) { self->cut(); });
    }

    std::shared_ptr<Impl> owner_;
    Protocol::socket socket_;
    async::Deadline limit_;
    std::string text_;
};

void ControlServer::Impl::accept() {
    acceptor_.async_accept(
        [self = shared_from_this()](const error_code& error, Protocol::socket socket) {
            if (!self->acceptor_.is_open()) return;
            if (error) return self->pause_.arm(kAcceptPause);
            if (self->sessions_.size() < kMaxSessions) {
                std::make_shared<Session>(self, std::move(socket))->read_line();
            }
            self->accept();
        });
}

void ControlServer::Impl::close() {
    handler_ = nullptr;
    pause_.disarm();
    error_code ignored;
    acceptor_.close(ignored);
    for (Session* session : sessions_) session->cut();
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
}

ControlServer::ControlServer(async::Loop& loop, Handler handler)
    : impl_(std::make_shared<Impl>(loop, std::move(handler))) {}

ControlServer::~ControlServer() {
    impl_->close();
}

Result<void> ControlServer::open(const std::string& path) {
    if (path.size() > 107) return failure("control socket " + path + ": the path is too long");
    if (auto room = make_room(impl_->loop_, path); !room) return room;
    if (auto listening = listen_on(impl_->acceptor_, path); !listening) {
        error_code ignored;
        impl_->acceptor_.close(ignored);
        return listening;
    }
    impl_->path_ = path;
    impl_->accept();
    return {};
}

}  // namespace proxyd::server
