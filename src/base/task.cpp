#include "proxyd/base/task.hpp"

#include <cstdio>
#include <cstdlib>

#include "proxyd/base/pool.hpp"

namespace proxyd::detail {
namespace {

thread_local void* newest_frame = nullptr;

}  // namespace

void* allocate_frame(std::size_t bytes) { return newest_frame = pool_allocate(bytes); }

void free_frame(void* frame, std::size_t bytes) noexcept { pool_free(frame, bytes); }

void check_frame(void* handle) noexcept {
    if (handle == newest_frame) return;
    std::fputs("a coroutine frame is laid out wrong (compiler defect)\n", stderr);
    std::abort();
}

}  // namespace proxyd::detail
