#include "connection_error.hpp"

#include <boost/asio/error.hpp>

namespace proxyd::codec {

Error connection_error(const net::ErrorCode& error, Source side) {
    const bool eof = error == boost::asio::error::eof;
    if (side == Source::downstream) {
        return Error(Reason::client_closed, side, Retry::no,
                     eof ? "the client closed the connection" : error.message());
    }
    return Error(eof ? Reason::upstream_closed : Reason::upstream_reset, side,
                 Retry::only_if_reused, eof ? std::string{} : error.message());
}

}  // namespace proxyd::codec
