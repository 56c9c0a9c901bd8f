#include "proxyd/cache/chunk.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace proxyd::cache {

boost::intrusive_ptr<Chunk> Chunk::make(BudgetPtr budget, std::size_t capacity) {
    const std::size_t bytes = sizeof(Chunk) + capacity;
    if (budget && !budget->take(bytes)) return nullptr;
    void* memory = ::operator new(bytes, std::nothrow);
    if (memory == nullptr) {
        if (budget) budget->give_back(bytes);
        throw std::bad_alloc();
    }
    return new (memory) Chunk(std::move(budget), capacity);
}

std::size_t Chunk::append(std::string_view bytes) noexcept {
    const std::size_t taken = std::min(bytes.size(), capacity_ - size_);
    if (taken != 0) std::memcpy(data() + size_, bytes.data(), taken);
    size_ += taken;
    return taken;
}

void Chunk::destroy(const Chunk* chunk) noexcept {
    const std::size_t bytes = sizeof(Chunk) + chunk->capacity_;
    const BudgetPtr budget = chunk->budget_;
    chunk->~Chunk();
    ::operator delete(const_cast<Chunk*>(chunk));
    if (budget) budget->give_back(bytes);
}

}  // namespace proxyd::cache
