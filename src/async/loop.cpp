#include "proxyd/async/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <cstdlib>
#include <exception>

#include "proxyd/base/log.hpp"

namespace proxyd::async {

Loop::Loop(const Clock& clock) : io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), wheel_(io_, clock) {}

void Loop::run() {
    const auto guard = boost::asio::make_work_guard(io_);
    try {
        io_.run();
    } catch (const std::exception& failure) {
        log::write(log::Level::critical, failure.what());
        std::abort();
    }
}

}  // namespace proxyd::async
