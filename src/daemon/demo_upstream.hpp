#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <thread>

namespace proxyd::daemon {

/// The upstream of `proxyd demo`: an HTTP/1.1 server on a free loopback port that answers every
/// request with what it saw of it, and echoes WebSocket messages. Runs on a thread of its own from
/// construction to destruction.
class DemoUpstream {
  public:
    DemoUpstream();
    ~DemoUpstream();
    DemoUpstream(const DemoUpstream&) = delete;
    DemoUpstream& operator=(const DemoUpstream&) = delete;

    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  private:
    void accept();

    boost::asio::io_context io_{1};
    boost::asio::ip::tcp::acceptor acceptor_;
    std::thread thread_;
};

/// A loopback port on which nothing listens: `preferred` when that is free, else any.
[[nodiscard]] std::uint16_t free_port(std::uint16_t preferred = 0);

}  // namespace proxyd::daemon
