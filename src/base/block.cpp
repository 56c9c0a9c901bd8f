#include "proxyd/base/block.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <new>
#include <vector>

namespace proxyd {
namespace {

constexpr unsigned kFirstClass = std::countr_zero(Block::kSmallest);
constexpr unsigned kClasses = std::countr_zero(Block::kLargest) - kFirstClass + 1;
/// Blocks are cut from pieces of this size, so that they never share a page with the heap.
constexpr std::size_t kSlabBytes = 1024 * 1024;
/// Free blocks that keep their pages until they were not needed for a while, per class and thread;
/// the pages of more than that go back at once.
constexpr std::size_t kWarmBytes = 64 * 1024 * 1024;

/// The free blocks of one size. The address space stays with the thread, the memory does not.
class BlockList {
  public:
    char* take(std::size_t size) {
        if (warm_.empty() && cold_.empty()) grow(size);
        auto& from = warm_.empty() ? cold_ : warm_;
        char* const data = from.back();
        from.pop_back();
        spare_ = std::min(spare_, warm_.size());
        return data;
    }

    void give_back(char* data, std::size_t size) {
        if (warm_.size() * size < kWarmBytes) return warm_.push_back(data);
        give_up(data, size);
    }

    /// Those that nobody took since the last call lie at the bottom.
    void trim(std::size_t size) {
        for (std::size_t i = 0; i < spare_; ++i) give_up(warm_[i], size);
        warm_.erase(warm_.begin(), warm_.begin() + static_cast<std::ptrdiff_t>(spare_));
        spare_ = warm_.size();
    }

  private:
    void give_up(char* data, std::size_t size) {
        ::madvise(data, size, MADV_DONTNEED);
        cold_.push_back(data);
    }

    void grow(std::size_t size) {
        void* const slab = ::mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (slab == MAP_FAILED) throw std::bad_alloc();
        for (std::size_t at = kSlabBytes; at != 0; at -= size) {
            cold_.push_back(static_cast<char*>(slab) + at - size);
        }
    }

    std::vector<char*> warm_, cold_;
    std::size_t spare_ = 0;  ///< the fewest that were warm since the last trim
};

thread_local std::array<BlockList, kClasses> lists;

#ifdef PROXYD_SANITIZED
constexpr bool kPooled = false;  // a released block must look released
#else
constexpr bool kPooled = true;
#endif

BlockList& list_of(std::size_t size) noexcept {
    return lists[static_cast<unsigned>(std::countr_zero(size)) - kFirstClass];
}

bool pooled(std::size_t size) noexcept { return kPooled && size <= Block::kLargest; }

}  // namespace

Block::Block(std::size_t bytes) : size_(bytes <= kSmallest ? kSmallest : std::bit_ceil(bytes)) {
    data_ = pooled(size_) ? list_of(size_).take(size_)
                          : static_cast<char*>(::operator new(size_));
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
    if (pooled(size_)) {
        list_of(size_).give_back(data_, size_);
    } else {
        ::operator delete(data_);
    }
    data_ = nullptr;
    size_ = 0;
}

void Block::trim() noexcept {
    for (std::size_t i = 0; i < lists.size(); ++i) lists[i].trim(kSmallest << i);
}

}  // namespace proxyd
