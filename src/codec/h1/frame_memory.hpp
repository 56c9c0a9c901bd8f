#pragma once

#include "proxyd/base/task.hpp"

namespace proxyd::codec::h1 {

/// Objects that live as long as one exchange come from the free list of coroutine frames.
struct FrameMemory {
    static void* operator new(std::size_t bytes) { return detail::allocate_frame(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        detail::free_frame(memory, bytes);
    }
};

}  // namespace proxyd::codec::h1
