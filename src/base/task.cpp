#include "proxyd/base/task.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace proxyd::detail {
namespace {

constexpr std::size_t kClassBytes = 16;
constexpr std::size_t kClasses = 128;
constexpr std::size_t kKeptPerClass = 4096;

struct FreeFrame {
    FreeFrame* next;
};

struct FramePool {
    std::array<FreeFrame*, kClasses> heads{};
    std::array<std::size_t, kClasses> counts{};

    ~FramePool() {
        for (FreeFrame* head : heads) {
            while (head != nullptr) ::operator delete(std::exchange(head, head->next));
        }
        heads = {};
        counts.fill(kKeptPerClass);  // frames freed after this thread's pool is gone
    }
};

thread_local FramePool pool;
thread_local void* newest_frame = nullptr;

constexpr std::size_t class_of(std::size_t bytes) noexcept { return (bytes - 1) / kClassBytes; }

}  // namespace

void* allocate_frame(std::size_t bytes) {
    const std::size_t index = class_of(bytes);
    FramePool& frames = pool;
    if (index >= kClasses) return newest_frame = ::operator new(bytes);
    if (FreeFrame* head = frames.heads[index]) {
        frames.heads[index] = head->next;
        --frames.counts[index];
        return newest_frame = head;
    }
    return newest_frame = ::operator new((index + 1) * kClassBytes);
}

void check_frame(void* handle) noexcept {
    if (handle == newest_frame) return;
    std::fputs("a coroutine frame is laid out wrong (compiler defect)\n", stderr);
    std::abort();
}

void free_frame(void* frame, std::size_t bytes) noexcept {
    const std::size_t index = class_of(bytes);
    FramePool& frames = pool;
#ifdef PROXYD_SANITIZED
    constexpr bool kReuse = false;  // a freed frame must look freed
#else
    constexpr bool kReuse = true;
#endif
    if (!kReuse || index >= kClasses || frames.counts[index] >= kKeptPerClass) {
        ::operator delete(frame);
        return;
    }
    frames.heads[index] = new (frame) FreeFrame{frames.heads[index]};
    ++frames.counts[index];
}

}  // namespace proxyd::detail
