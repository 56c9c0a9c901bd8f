#include "proxyd/proxy/worker_context.hpp"

#include <time.h>

#include "plans.hpp"
#include "proxyd/http/fields/date.hpp"
#include "proxyd/proxy/generation.hpp"

namespace proxyd::proxy {

LogBuffer::LogBuffer(async::Loop& loop, std::shared_ptr<LogFile> file)
    : file_(std::move(file)),
      deadline_(
          loop.wheel(), [](void* self) { static_cast<LogBuffer*>(self)->flush(); }, this) {}

void LogBuffer::commit(std::size_t buffer_bytes, std::chrono::milliseconds flush_after) {
    if (text_.size() >= buffer_bytes || flush_after.count() <= 0) return flush();
    if (!deadline_.armed()) deadline_.arm(flush_after);
}

void LogBuffer::flush() noexcept {
    deadline_.disarm();
    file_->write(text_);
    text_.clear();
}

LogBuffer& WorkerContext::log_buffer(const std::shared_ptr<LogFile>& file) {
    const std::size_t id = file->id();
    if (id >= logs_.size()) logs_.resize(id + 1);
    if (!logs_[id]) logs_[id] = std::make_unique<LogBuffer>(loop_, file);
    return *logs_[id];
}

void WorkerContext::flush_logs() noexcept {
    for (auto& buffer : logs_) {
        if (buffer) buffer->flush();
    }
}

void WorkerContext::keep_only(const Generation& current) {
    std::vector<bool> logs(logs_.size());
    for (const auto& plan : current.plans().logs) {
        if (plan->file->id() < logs.size()) logs[plan->file->id()] = true;
    }
    for (std::size_t id = 0; id < logs.size(); ++id) {
        if (!logs[id]) logs_[id].reset();
    }
    std::vector<bool> peers;
    for (const auto& [name, group] : current.groups()) {
        for (const upstream::Peer& peer : group->peers()) {
            if (peer.state->id() >= peers.size()) peers.resize(peer.state->id() + 1);
            peers[peer.state->id()] = true;
        }
    }
    pools_.keep_only(peers);
}

std::string_view WorkerContext::date() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != date_second_) {
        date_second_ = now.tv_sec;
        date_ = http::view(http::format_date(now.tv_sec));
    }
    return date_;
}

}  // namespace proxyd::proxy
