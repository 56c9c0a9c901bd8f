#include "daemon/demo_upstream.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>
#include <sstream>

namespace proxyd::daemon {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using boost::asio::ip::tcp;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

tcp::endpoint loopback(std::uint16_t port) {
    return {boost::asio::ip::address_v4::loopback(), port};
}

/// The head as it arrived is the body of the answer.
Response answer_to(const Request& request) {
    std::ostringstream seen;
    seen << request.base();
    Response response(http::status::ok, 11);
    response.set(http::field::content_type, "text/plain");
    response.keep_alive(request.keep_alive());
    response.body() = seen.str();
    response.prepare_payload();
    return response;
}

/// Echoes messages until the client closes.
class EchoSession : public std::enable_shared_from_this<EchoSession> {
  public:
    explicit EchoSession(beast::tcp_stream stream) : socket_(std::move(stream)) {}

    void start(const Request& request) {
        socket_.async_accept(request, [self = shared_from_this()](const error_code& error) {
            if (!error) self->read();
        });
    }

  private:
    void read() {
        socket_.async_read(buffer_, [self = shared_from_this()](const error_code& error, size_t) {
            if (!error) self->write();
        });
    }
    void write() {
        socket_.text(socket_.got_text());
        socket_.async_write(buffer_.data(),
                            [self = shared_from_this()](const error_code& error, size_t size) {
                                self->buffer_.consume(size);
                                if (!error) self->read();
                            });
    }

    beast::websocket::stream<beast::tcp_stream> socket_;
    beast::flat_buffer buffer_;
};

/// One connection: requests in turn until it closes or becomes a WebSocket.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
  public:
    explicit HttpSession(tcp::socket socket) : stream_(std::move(socket)) {}

    void read() {
        request_ = {};
        http::async_read(stream_, buffer_, request_,
                         [self = shared_from_this()](const error_code& error, size_t) {
                             if (!error) self->answer();
                         });
    }

  private:
    void answer() {
        if (beast::websocket::is_upgrade(request_)) {
            return std::make_shared<EchoSession>(std::move(stream_))->start(request_);
        }
        response_ = answer_to(request_);
        http::async_write(stream_, response_,
                          [self = shared_from_this()](const error_code& error, size_t) {
                              if (!error && self->response_.keep_alive()) self->read();
                          });
    }

    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    Request request_;
    Response response_;
};

}  // namespace

DemoUpstream::DemoUpstream() : acceptor_(io_, loopback(0)) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
}

DemoUpstream::~DemoUpstream() {
    io_.stop();
    thread_.join();
}

void DemoUpstream::accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
        if (error) return;
        std::make_shared<HttpSession>(std::move(socket))->read();
        accept();
    });
}

std::uint16_t free_port(std::uint16_t preferred) {
    boost::asio::io_context io;
    tcp::acceptor probe(io, tcp::v4());
    probe.set_option(tcp::acceptor::reuse_address(true));
    error_code taken;
    probe.bind(loopback(preferred), taken);
    if (taken) probe.bind(loopback(0));
    return probe.local_endpoint().port();
}

}  // namespace proxyd::daemon
