#include "cache/disk/writer.hpp"

#include "cache/disk/fill.hpp"

namespace proxyd::cache::disk {

Writer::Writer(std::shared_ptr<DiskZone> zone, async::Loop& loop, HeadPtr head)
    : fill_(std::make_shared<Fill>(std::move(zone), loop, std::move(head))),
      patience_(
          loop.wheel(),
          [](void* self) {
              auto& writer = *static_cast<Writer*>(self);
              writer.impatient_ = true;
              writer.room_.set();
          },
          this) {
    fill_->waiter = &room_;
}

Writer::~Writer() {
    fill_->waiter = nullptr;
    if (!committed_) fill_->abandon();
}

Task<void> Writer::append(ChunkPtr chunk) {
    if (!fill_->add(std::move(chunk))) return Task<void>();
    return wait_for_room();
}

Task<void> Writer::wait_for_room() {
    patience_.arm(kPatience);
    while (fill_->must_wait()) {
        co_await room_.wait();
        if (impatient_) fill_->give_up_slow();
    }
    patience_.disarm();
    room_.clear();
}

void Writer::commit(HeadPtr head) {
    committed_ = true;
    fill_->commit(std::move(head));
}

}  // namespace proxyd::cache::disk
