#include "proxyd/base/block.hpp"

#include <array>
#include <bit>
#include <new>
#include <vector>

namespace proxyd {
namespace {

constexpr unsigned kFirstClass = std::countr_zero(Block::kSmallest);
constexpr unsigned kClasses = std::countr_zero(Block::kLargest) - kFirstClass + 1;
/// Kept free per class and thread; what is above goes back to the heap.
constexpr std::size_t kKeptBytes = 4 * 1024 * 1024;

struct BlockPool {
    std::array<std::vector<char*>, kClasses> free;
    bool open = true;
    ~BlockPool() {
        open = false;
        for (auto& list : free) {
            for (char* data : list) ::operator delete(data);
            list.clear();
        }
    }
};
thread_local BlockPool pool;

constexpr unsigned class_of(std::size_t size) noexcept {
    return static_cast<unsigned>(std::countr_zero(size)) - kFirstClass;
}

}  // namespace

Block::Block(std::size_t bytes) {
    size_ = bytes <= kSmallest ? kSmallest : std::bit_ceil(bytes);
    if (size_ <= kLargest) {
        auto& list = pool.free[class_of(size_)];
        if (!list.empty()) {
            data_ = list.back();
            list.pop_back();
            return;
        }
    }
    data_ = static_cast<char*>(::operator new(size_));
}

Block& Block::operator=(Block&& other) noexcept {
    if (this != &other) {
        release();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

void Block::release() noexcept {
    if (data_ == nullptr) return;
#ifndef PROXYD_SANITIZED
    if (size_ <= kLargest && pool.open) {
        auto& list = pool.free[class_of(size_)];
        if (list.size() * size_ < kKeptBytes) {
            list.push_back(data_);
            data_ = nullptr;
            size_ = 0;
            return;
        }
    }
#endif
    ::operator delete(data_);
    data_ = nullptr;
    size_ = 0;
}

}  // namespace proxyd
