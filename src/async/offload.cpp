#include "proxyd/async/offload.hpp"

#include <pthread.h>

namespace proxyd::async {

Offload::Offload(unsigned threads, std::size_t most_waiting, std::string name)
    : most_threads_(threads), most_waiting_(most_waiting), name_(std::move(name)) {}

Offload::~Offload() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_all();
    }
    for (std::thread& each : threads_) each.join();
}

bool Offload::submit(Work work) {
    std::unique_lock lock(mutex_);
    if (waiting_.size() >= most_waiting_) return false;
    enqueue(std::move(work), lock);
    return true;
}

void Offload::submit_always(Work work) {
    std::unique_lock lock(mutex_);
    enqueue(std::move(work), lock);
}

std::size_t Offload::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

void Offload::enqueue(Work work, std::unique_lock<std::mutex>& lock) {
    waiting_.push_back(std::move(work));
    if (waiting_.size() > idle_ && threads_.size() < most_threads_) {
        threads_.emplace_back([this] { serve(); });
    }
    lock.unlock();
    changed_.notify_one();
}

void Offload::serve() {
    ::pthread_setname_np(::pthread_self(), name_.c_str());
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        --idle_;
        if (waiting_.empty()) return;
        Work work = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        work();
        work = nullptr;  // what it owned goes without the lock
        lock.lock();
    }
}

}  // namespace proxyd::async
