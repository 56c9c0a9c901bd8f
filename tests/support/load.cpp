#include "support/load.hpp"

#include "support/gate.hpp"

#include <sstream>
#include <stdexcept>

namespace proxyd::test {

Load::Load(std::uint16_t port, Options options) : port_(port), options_(std::move(options)) {
    for (int number = 0; number < options_.threads; ++number) {
        threads_.emplace_back([this, number] { run(number); });
    }
}

Load::~Load() {
    stop();
}

bool Load::wait_for_answers(int count, Duration limit) const {
    return eventually([&] { return answered_ >= count; }, limit);
}

void Load::stop() {
    stopping_ = true;
    for (auto& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

std::vector<std::string> Load::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

void Load::run(int number) {
    int count = 0;
    while (!stopping_) {
        try {
            if (!one_connection(number, count)) {
                return;
            }
        } catch (const std::exception& error) {
            if (!shutdown_expected_) {
                fail(error.what());
            }
            return;
        }
    }
}

// Uses one connection as long as it lives; false when the thread is to end.
bool Load::one_connection(int number, int& count) {
    RawClient client(port_);
    int on_this = 0;
    while (!stopping_) {
        const auto path = options_.path +
                          (options_.path.find('?') == std::string::npos ? "?" : "&") +
                          "t=" + std::to_string(number) + "." + std::to_string(++count);
        const auto fields = options_.keepalive ? "" : "Connection: close\r\n";
        const auto sent = client.try_send(get_request(path, fields, options_.host));
        const auto response = sent == IoStatus::Ok ? client.read_response() : Response{};
        if (response.end == MessageEnd::NoHead && (on_this > 0 || shutdown_expected_)) {
            return !shutdown_expected_;
        }
        if (response.status != 200 || !response.complete() ||
            (!options_.expected_body.empty() && response.body != options_.expected_body)) {
            std::ostringstream text;
            text << path << ": " << response.start_line << " " << response.end << " "
                 << to_text(response.io) << " after " << on_this << " answers: " << response.body;
            fail(text.str());
            return false;
        }
        ++answered_;
        ++on_this;
        if (!options_.keepalive ||
            equal_ignoring_case(response.headers.value("Connection"), "close")) {
            return true;
        }
    }
    return true;
}

void Load::fail(std::string text) {
    const std::lock_guard lock(mutex_);
    failures_.push_back(std::move(text));
}

}  // namespace proxyd::test
