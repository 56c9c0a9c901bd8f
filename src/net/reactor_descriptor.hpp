#pragma once

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>

namespace proxyd::net {

/// A descriptor registered with Asio's epoll reactor, driven by operations that live inside their
/// owner. Asio's own socket operations receive a second time after every read, which the reactor
/// allows to be left out (docs/decisions/0002-reactor-operations.md); nothing is allocated either.
/// One thread.
class ReactorDescriptor {
  public:
    using Reactor = boost::asio::detail::reactor;
    using Operation = boost::asio::detail::reactor_op;

    explicit ReactorDescriptor(boost::asio::io_context& io);
    ReactorDescriptor(const ReactorDescriptor&) = delete;
    ReactorDescriptor& operator=(const ReactorDescriptor&) = delete;
    ~ReactorDescriptor() { close(); }

    /// Takes the descriptor over.
    boost::system::error_code assign(int descriptor);
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    /// `at_once`: performed now when the descriptor may be ready; otherwise the epoll registration
    /// is renewed, so that a state that is already there is reported too (one system call).
    void start_read(Operation& operation, bool at_once);
    /// Not performed before the next event.
    void start_write(Operation& operation);
    /// Pending operations end with operation_aborted.
    void close() noexcept;
    /// The caller's again, open. Nothing may be pending.
    [[nodiscard]] int release() noexcept;

  private:
    Reactor& reactor_;
    Reactor::per_descriptor_data state_{};
    int descriptor_ = -1;
};

}  // namespace proxyd::net
