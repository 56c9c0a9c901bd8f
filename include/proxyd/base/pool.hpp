#pragma once

#include <cstddef>
#include <new>

namespace proxyd {

/// Memory of what lives as long as one exchange: free lists of the thread, in classes of 16 bytes
/// up to 2 KiB, so that a request allocates nothing in the steady state and gets what is still in
/// the processor's cache. Larger pieces come from the heap. Given back on the thread that took it.
[[nodiscard]] void* pool_allocate(std::size_t bytes);
void pool_free(void* memory, std::size_t bytes) noexcept;

/// A class whose objects lie in the pool.
struct Pooled {
    static void* operator new(std::size_t bytes) { return pool_allocate(bytes); }
    static void operator delete(void* memory, std::size_t bytes) noexcept {
        pool_free(memory, bytes);
    }
};

/// For containers.
template <class T>
struct PoolAllocator {
    using value_type = T;

    PoolAllocator() = default;
    template <class U>
    // NOLINTNEXTLINE(google-explicit-constructor): what the standard asks of an allocator
    PoolAllocator(const PoolAllocator<U>&) noexcept {}

    T* allocate(std::size_t count) { return static_cast<T*>(pool_allocate(count * sizeof(T))); }
    void deallocate(T* memory, std::size_t count) noexcept { pool_free(memory, count * sizeof(T)); }
    friend bool operator==(const PoolAllocator&, const PoolAllocator&) noexcept { return true; }
};

}  // namespace proxyd
