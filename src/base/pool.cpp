#include "proxyd/base/pool.hpp"

#include <array>
#include <utility>

namespace proxyd {
namespace {

constexpr std::size_t kClassBytes = 16;
constexpr std::size_t kClasses = 128;
constexpr std::size_t kKeptPerClass = 4096;

#ifdef PROXYD_SANITIZED
constexpr bool kReuse = false;  // what was freed must look freed
#else
constexpr bool kReuse = true;
#endif

struct FreePiece {
    FreePiece* next;
};

struct Pool {
    std::array<FreePiece*, kClasses> heads{};
    std::array<std::size_t, kClasses> counts{};

    ~Pool() {
        for (FreePiece* head : heads) {
            while (head != nullptr) ::operator delete(std::exchange(head, head->next));
        }
        heads = {};
        counts.fill(kKeptPerClass);  // what is freed after this thread's pool is gone
    }
};

thread_local Pool pool;

constexpr std::size_t class_of(std::size_t bytes) noexcept {
    return (bytes - 1) / kClassBytes;
}

}  // namespace

void* pool_allocate(std::size_t bytes) {
    const std::size_t index = class_of(bytes);
    if (index >= kClasses) return ::operator new(bytes);
    Pool& mine = pool;
    if (FreePiece* head = mine.heads[index]) {
        mine.heads[index] = head->next;
        --mine.counts[index];
        return head;
    }
    return ::operator new((index + 1) * kClassBytes);
}

void pool_free(void* memory, std::size_t bytes) noexcept {
    const std::size_t index = class_of(bytes);
    Pool& mine = pool;
    if (!kReuse || index >= kClasses || mine.counts[index] >= kKeptPerClass) {
        ::operator delete(memory);
        return;
    }
    mine.heads[index] = new (memory) FreePiece{mine.heads[index]};
    ++mine.counts[index];
}

}  // namespace proxyd
