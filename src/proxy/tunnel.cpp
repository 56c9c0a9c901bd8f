#include "tunnel.hpp"

#include "proxyd/async/task_scope.hpp"

namespace proxyd::proxy {
namespace {

struct Pipes {
    Pipes(async::Loop& loop, http::Tunnel& client_end, http::Tunnel& upstream_end,
          std::chrono::milliseconds limit)
        : client(client_end),
          upstream(upstream_end),
          silent_for(limit),
          deadline(
              loop.wheel(),
              [](void* self) {
                  auto& pipes = *static_cast<Pipes*>(self);
                  pipes.directions.spawn(pipes.time_out());
              },
              this) {
        deadline.arm(silent_for);
    }

    /// Only inside a task of `directions`: waking the copies must not end the last one.
    void cut(const Error& why) {
        const bool ours = why.source == Source::internal;
        if (result.reason == Reason::none) result.reason = ours ? why.code : Reason::tunnel_closed;
        client.abort(why);
        upstream.abort(why);
    }

    Task<void> time_out() {
        cut(Error(Reason::timeout_upgraded));
        co_return;
    }

    Task<void> copy(http::Tunnel& from, http::Tunnel& to, std::uint64_t& bytes) {
        while (true) {
            auto data = co_await from.read();
            if (!data) co_return cut(data.error());
            if (data->empty()) break;
            deadline.arm(silent_for);
            bytes += data->size();
            if (auto sent = co_await to.write(*data); !sent) co_return cut(sent.error());
        }
        to.finish();
    }

    http::Tunnel& client;
    http::Tunnel& upstream;
    const std::chrono::milliseconds silent_for;
    TunnelResult result;
    async::Deadline deadline;
    async::TaskScope directions;
};

}  // namespace

Task<TunnelResult> run_tunnel(async::Loop& loop, http::Tunnel& client, http::Tunnel& upstream,
                              std::chrono::milliseconds silent_for) {
    Pipes pipes(loop, client, upstream, silent_for);
    pipes.directions.spawn(pipes.copy(client, upstream, pipes.result.from_client));
    pipes.directions.spawn(pipes.copy(upstream, client, pipes.result.to_client));
    co_await pipes.directions.join();
    co_return pipes.result;
}

}  // namespace proxyd::proxy
