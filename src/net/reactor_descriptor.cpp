#include "net/reactor_descriptor.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace proxyd::net {

namespace asio = boost::asio;

ReactorDescriptor::ReactorDescriptor(asio::io_context& io)
    : reactor_(asio::use_service<Reactor>(io)) {
    reactor_.init_task();
}

boost::system::error_code ReactorDescriptor::assign(int descriptor) {
    descriptor_ = descriptor;
    const int code = reactor_.register_descriptor(descriptor, state_);
    return {code, boost::system::system_category()};
}

void ReactorDescriptor::start_read(Operation& operation, bool at_once) {
    reactor_.start_op(Reactor::read_op, descriptor_, state_, &operation, false, at_once);
}

void ReactorDescriptor::start_write(Operation& operation) {
    reactor_.start_op(Reactor::write_op, descriptor_, state_, &operation, false, false);
}

void ReactorDescriptor::close() noexcept {
    if (descriptor_ < 0) return;
    reactor_.deregister_descriptor(descriptor_, state_, true);
    ::close(descriptor_);
    descriptor_ = -1;
    reactor_.cleanup_descriptor_data(state_);
}

int ReactorDescriptor::release() noexcept {
    if (descriptor_ < 0) return -1;
    reactor_.deregister_descriptor(descriptor_, state_, false);
    reactor_.cleanup_descriptor_data(state_);
    return std::exchange(descriptor_, -1);
}

}  // namespace proxyd::net
