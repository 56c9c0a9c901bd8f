#pragma once

#include <utility>

namespace proxyd {

/// A member of an object whose functions call out to those who may destroy it. A Watch on the
/// stack then tells whether that happened. Watches nest; one thread.
class Lifetime {
  public:
    class Watch {
      public:
        explicit Watch(Lifetime& object) noexcept
            : object_(&object), outer_(std::exchange(object.watch_, this)) {}
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        ~Watch() {
            if (object_ != nullptr) object_->watch_ = outer_;
        }
        [[nodiscard]] bool ended() const noexcept { return object_ == nullptr; }

      private:
        friend class Lifetime;
        Lifetime* object_;
        Watch* outer_;
    };

    Lifetime() = default;
    Lifetime(const Lifetime&) = delete;
    Lifetime& operator=(const Lifetime&) = delete;
    ~Lifetime() {
        for (Watch* watch = watch_; watch != nullptr; watch = watch->outer_) {
            watch->object_ = nullptr;
        }
    }

  private:
    Watch* watch_ = nullptr;
};

}  // namespace proxyd
