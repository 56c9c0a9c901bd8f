#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "arrival.hpp"
#include "connection.hpp"
#include "host_directory.hpp"
#include "proxyd/async/loop.hpp"
#include "proxyd/async/task_scope.hpp"
#include "proxyd/proxy/generation.hpp"
#include "proxyd/proxy/worker_context.hpp"

namespace proxyd::server {

/// One thread with one loop, its connections and its reference to the current generation. The
/// server creates it, posts to it and joins it; everything else happens on its own thread.
class Worker {
  public:
    Worker(async::Loop& control, std::shared_ptr<net::tls::TicketKeys> tickets);
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();

    void start(std::shared_ptr<const proxy::Generation> generation, unsigned number);
    /// Ends the loop and the thread; connections are cut.
    void stop();

    // From any thread --------------------------------------------------------------------------
    void adopt(Accepted accepted);
    void set_generation(std::shared_ptr<const proxy::Generation> generation);
    /// No new exchange; `done` is called on the control loop when the last connection is gone.
    void drain(std::function<void()> done);
    void flush_logs();
    [[nodiscard]] std::uint64_t connections() const noexcept {
        return connections_.load(std::memory_order_relaxed);
    }

    // On the worker's thread -------------------------------------------------------------------
    /// For an acceptor that lives on this loop.
    void accept_here(Accepted accepted);
    /// The connection of an arrival. `secured` without a transport: it is plain.
    void take(Accepted accepted, net::tls::SecuredTransport secured);
    void log_refusal(const Accepted& accepted, const Error& why);
    /// What an arrival does last. `taken`: its connection is here.
    void remove(Arrival& arrival, bool taken);
    /// What a connection does last.
    void remove(Connection& connection);
    [[nodiscard]] net::tls::ServerContext& tls() noexcept { return tls_; }
    [[nodiscard]] async::Loop& loop() noexcept { return loop_; }
    [[nodiscard]] proxy::WorkerContext& context() noexcept { return *context_; }
    [[nodiscard]] const proxy::GenerationRef& generation() const noexcept { return generation_; }

  private:
    void take_handed_over();
    void arrive(Accepted accepted);
    void cut_all();
    void install(std::shared_ptr<const proxy::Generation> generation);
    void connection_gone();
    void check_ended();
    void check_drained();
    void check_stopped();

    async::Loop& control_;
    async::Loop loop_;
    std::unique_ptr<proxy::WorkerContext> context_;
    proxy::GenerationRef generation_;
    HostDirectory hosts_{generation_};
    net::tls::ServerContext tls_;
    SecureFactsTable secure_facts_;
    boost::intrusive::list<Connection> list_;
    boost::intrusive::list<Arrival> arrivals_;
    async::TaskScope scope_;
    std::atomic<std::uint64_t> connections_{0};  ///< handed over and not yet gone
    std::mutex handing_over_;
    std::vector<Accepted> handed_over_;  ///< not taken yet; a post is on its way when not empty
    std::uint64_t next_id_ = 1;
    bool stopping_ = false;
    std::function<void()> drained_;
    async::Deadline trim_;  ///< gives unused buffers back, every kTrimEvery
    std::thread thread_;
};

}  // namespace proxyd::server
