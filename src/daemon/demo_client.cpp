#include "daemon/demo_client.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace proxyd::daemon {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

constexpr const char* kHost = "demo.example";

tcp::endpoint loopback(std::uint16_t port) {
    return {boost::asio::ip::address_v4::loopback(), port};
}

}  // namespace

DemoAnswer demo_get(std::uint16_t port, const std::string& target,
                    const std::map<std::string, std::string>& fields) {
    boost::asio::io_context io;
    tcp::socket socket(io);
    socket.connect(loopback(port));
    http::request<http::empty_body> request(http::verb::get, target, 11);
    request.set(http::field::host, kHost);
    request.set(http::field::connection, "close");
    for (const auto& [name, value] : fields) request.set(name, value);
    http::write(socket, request);
    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    http::read(socket, buffer, response);
    const auto location = response[http::field::location];
    const auto cache = response["X-Cache-Status"];
    return {static_cast<int>(response.result_int()), std::string(location), std::string(cache),
            response.body()};
}

std::string demo_websocket(std::uint16_t port, const std::string& message) {
    boost::asio::io_context io;
    beast::websocket::stream<tcp::socket> socket(io);
    socket.next_layer().connect(loopback(port));
    socket.handshake(kHost, "/");
    socket.write(boost::asio::buffer(message));
    beast::flat_buffer buffer;
    socket.read(buffer);
    socket.close(beast::websocket::close_code::normal);
    return beast::buffers_to_string(buffer.data());
}

}  // namespace proxyd::daemon
