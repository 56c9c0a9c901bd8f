#include "proxyd/net/listen_events.hpp"

#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "net/reactor_descriptor.hpp"

namespace proxyd::net {

struct ListenEvents::State
    : boost::intrusive_ref_counter<State, boost::thread_unsafe_counter>,
      ReactorDescriptor::Operation {
    using Error = boost::system::error_code;
    using Self = boost::intrusive_ptr<State>;

    State(async::Loop& loop, std::function<void()> when_ready)
        : ReactorDescriptor::Operation(Error(), &State::perform, &State::complete),
          socket(loop.io()),
          ready(std::move(when_ready)) {}

    /// Nothing is accepted here. "Exhausted": the acceptor empties the queue, and what comes later
    /// raises an event of its own (edge-triggered), so the registration need not be renewed.
    static status perform(ReactorDescriptor::Operation*) { return done_and_exhausted; }

    /// `context` is null when the loop goes down: then nothing is reported.
    static void complete(void* context, boost::asio::detail::operation* base, const Error&,
                         std::size_t) {
        const Self self = std::move(static_cast<State*>(base)->pending);
        if (context != nullptr && self->ready && !self->ec_) self->ready();
    }

    ReactorDescriptor socket;
    std::function<void()> ready;  ///< empty when the owner is gone
    Self pending;
};

ListenEvents::ListenEvents(async::Loop& loop, Descriptor socket, std::function<void()> ready)
    : state_(new State(loop, std::move(ready))) {
    intrusive_ptr_add_ref(state_);
    (void)state_->socket.assign(socket.release());
}

ListenEvents::~ListenEvents() {
    state_->ready = nullptr;
    state_->socket.close();
    intrusive_ptr_release(state_);
}

int ListenEvents::descriptor() const noexcept { return state_->socket.get(); }

void ListenEvents::wait(bool emptied) {
    state_->ec_ = {};
    state_->pending = State::Self(state_);
    state_->socket.start_read(*state_, emptied);
}

}  // namespace proxyd::net
