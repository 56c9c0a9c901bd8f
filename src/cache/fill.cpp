#include "proxyd/cache/fill.hpp"

#include <algorithm>

namespace proxyd::cache {

/// Posts happen outside the lock: the loops they go to may be waiting for it.
template <class Change>
void Fill::change(Change&& apply) {
    std::vector<Group*> groups;
    {
        const std::lock_guard lock(mutex_);
        apply();
        for (const auto& group : groups_) {
            if (!group->wanted || group->posted) continue;
            group->posted = true;
            groups.push_back(group.get());
        }
    }
    for (Group* group : groups) {
        group->loop->post([fill = FillPtr(this), group] { fill->wake(*group); });
    }
}

void Fill::wake(Group& group) {
    {
        const std::lock_guard lock(mutex_);
        group.wanted = group.posted = false;
    }
    // Who is woken may end others that wait here (streams of one connection) or wait again.
    Waiters woken;
    woken.splice(woken.end(), group.waiters);
    while (!woken.empty()) {
        FillWaiter& waiter = woken.front();
        woken.pop_front();
        waiter.event.set();
    }
}

void Fill::begin(HeadPtr head, std::optional<std::uint64_t> size) {
    change([&] {
        state_ = State::streaming;
        head_ = std::move(head);
        size_ = size;
    });
}

void Fill::publish(const ChunkPtr& chunk, std::size_t bytes) {
    change([&] {
        if (parts_.empty() || parts_.back().chunk != chunk) {
            parts_.push_back({chunk, published_, 0});
        }
        parts_.back().size += bytes;
        published_ += bytes;
    });
}

void Fill::complete(Entry entry) {
    change([&] {
        state_ = State::complete;
        size_ = entry.body ? entry.body->size() : entry.head->body_size;
        head_ = entry.head;
        entry_ = std::move(entry);
    });
}

void Fill::refuse(Storable why) {
    change([&] {
        state_ = State::refused;
        refused_ = why;
    });
}

void Fill::fail(Error why) {
    change([&] {
        state_ = State::failed;
        error_ = std::move(why);
    });
}

void Fill::overflow() {
    change([&] { state_ = State::overflowed; });
}

std::vector<ChunkPtr> Fill::chunks() const {
    const std::lock_guard lock(mutex_);
    std::vector<ChunkPtr> chunks;
    chunks.reserve(parts_.size());
    for (const Part& part : parts_) chunks.push_back(part.chunk);
    return chunks;
}

Fill::View Fill::view() const {
    const std::lock_guard lock(mutex_);
    View view;
    view.state = state_;
    view.head = head_;
    view.size = size_;
    view.entry = entry_;
    view.refused = refused_;
    view.error = error_;
    return view;
}

Fill::State Fill::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

Fill::Piece Fill::read(std::uint64_t position) const {
    const std::lock_guard lock(mutex_);
    Piece piece;
    piece.state = state_;
    if (position >= published_) return piece;
    const auto behind = std::ranges::upper_bound(parts_, position, {}, &Part::start);
    const Part& part = *(behind - 1);
    piece.chunk = part.chunk;
    const std::size_t from = position - part.start;
    piece.bytes = {part.chunk->begin() + from, part.size - from};
    return piece;
}

bool Fill::wait_for_head(async::Loop& loop, FillWaiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (state_ != State::waiting) return false;
    enlist(loop, waiter);
    return true;
}

bool Fill::wait_for(std::uint64_t position, async::Loop& loop, FillWaiter& waiter) {
    const std::lock_guard lock(mutex_);
    if (position < published_ || state_ != State::streaming) return false;
    enlist(loop, waiter);
    return true;
}

void Fill::enlist(async::Loop& loop, FillWaiter& waiter) {
    const auto known =
        std::ranges::find_if(groups_, [&](const auto& group) { return group->loop == &loop; });
    Group* group = known != groups_.end() ? known->get() : nullptr;
    if (group == nullptr) {
        group = groups_.emplace_back(std::make_unique<Group>()).get();
        group->loop = &loop;
    }
    group->wanted = true;
    waiter.event.clear();
    if (!waiter.is_linked()) group->waiters.push_back(waiter);
}

}  // namespace proxyd::cache
