#include "health_thread.hpp"

#include <pthread.h>

#include <thread>

#include "proxyd/async/loop.hpp"
#include "proxyd/upstream/health_checker.hpp"

namespace proxyd::server {

struct HealthThread::Running {
    Running() : checker(loop) {
        thread = std::thread([this] {
            ::pthread_setname_np(::pthread_self(), "health");
            loop.run();
        });
    }
    ~Running() {
        loop.post([this] { ending.spawn(end()); });
        thread.join();
    }

    Task<void> end() {
        co_await checker.finish();
        loop.stop();
    }

    async::Loop loop;
    upstream::HealthChecker checker;  ///< on its thread only
    async::TaskScope ending;
    std::thread thread;
};

HealthThread::HealthThread() = default;
HealthThread::~HealthThread() = default;

void HealthThread::watch(const proxy::Generation& generation) {
    std::vector<upstream::CheckedPeer> peers;
    for (const auto& [name, group] : generation.groups()) {
        upstream::append_checked_peers(*group, peers);
    }
    if (!running_ && peers.empty()) return;
    if (!running_) running_ = std::make_unique<Running>();
    running_->loop.post(
        [running = running_.get(), peers = std::move(peers)] { running->checker.watch(peers); });
}

void HealthThread::stop() {
    running_.reset();
}

}  // namespace proxyd::server
