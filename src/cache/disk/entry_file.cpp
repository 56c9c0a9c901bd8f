#include "cache/disk/entry_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace proxyd::cache::disk {
namespace {

/// Takes most heads and small bodies in one go.
constexpr std::size_t kFirstRead = std::size_t{16} * 1024;
/// A head that is written anew while we read it looks broken.
constexpr int kTries = 4;

ReadOutcome outcome_of(int& error) {
    error = errno;
    if (error == 0) return ReadOutcome::broken;
    return error == ENOENT ? ReadOutcome::absent : ReadOutcome::failed;
}

}  // namespace

bool read_at(int descriptor, char* to, std::size_t bytes, std::uint64_t offset) {
    while (bytes != 0) {
        const ssize_t got = ::pread(descriptor, to, bytes, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            if (got == 0) errno = 0;
            return false;
        }
        to += got;
        bytes -= static_cast<std::size_t>(got);
        offset += static_cast<std::uint64_t>(got);
    }
    return true;
}

ReadOutcome EntryFile::open(const std::string& path, int& error) {
    descriptor_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!descriptor_) return outcome_of(error);
    struct stat facts {};
    if (::fstat(descriptor_.get(), &facts) != 0) return outcome_of(error);
    if (!S_ISREG(facts.st_mode)) return ReadOutcome::broken;
    inode_ = facts.st_ino;
    const auto file_bytes = static_cast<std::uint64_t>(facts.st_size);
    ReadOutcome outcome = ReadOutcome::broken;
    for (int i = 0; i < kTries && outcome == ReadOutcome::broken; ++i) {
        if (i != 0) std::this_thread::yield();
        outcome = read_front(file_bytes, error);
    }
    return outcome == ReadOutcome::good ? read_end(error) : outcome;
}

ReadOutcome EntryFile::read_front(std::uint64_t file_bytes, int& error) {
    if (file_bytes < kPreambleBytes + kTrailerBytes) return ReadOutcome::broken;
    front_.resize(std::min<std::uint64_t>(kFirstRead, file_bytes));
    if (!read_at(descriptor_.get(), front_.data(), front_.size(), 0)) return outcome_of(error);
    const auto preamble = decode_preamble(front_);
    if (!preamble || preamble->layout.file_bytes() != file_bytes) return ReadOutcome::broken;
    const std::size_t wanted = kPreambleBytes + preamble->head_bytes;
    if (const std::size_t have = front_.size(); wanted > have) {
        front_.resize(wanted);
        if (!read_at(descriptor_.get(), front_.data() + have, wanted - have, have)) {
            return outcome_of(error);
        }
    }
    layout_ = preamble->layout;
    head_ = decode_head(*preamble, front_);
    return head_ ? ReadOutcome::good : ReadOutcome::broken;
}

void EntryFile::expire(UnixMilliseconds at) {
    if (head_->validity.expired_at != 0) return;
    const auto stale = head_->copy();
    stale->validity.expired_at = at;
    stale->seal();
    head_ = stale;
}

ReadOutcome EntryFile::read_end(int& error) const {
    std::array<char, kTrailerBytes> trailer;
    const std::uint64_t place = layout_.trailer_at();
    if (place + kTrailerBytes <= front_.size()) {
        std::memcpy(trailer.data(), front_.data() + place, kTrailerBytes);
    } else if (!read_at(descriptor_.get(), trailer.data(), kTrailerBytes, place)) {
        return outcome_of(error);
    }
    return trailer_fits(layout_, {trailer.data(), trailer.size()}) ? ReadOutcome::good
                                                                   : ReadOutcome::broken;
}

ReadOutcome EntryFile::read(std::uint64_t first, std::size_t count, std::vector<ChunkPtr>& into,
                            int& error) const {
    const std::uint64_t end = std::min<std::uint64_t>(layout_.blocks(), first + count);
    for (std::uint64_t number = first; number < end; ++number) {
        const std::size_t bytes = layout_.block_bytes(number);
        const std::uint64_t place = layout_.block_at(number);
        // The checksum stands right behind the block and is read with it.
        const auto chunk = Chunk::make(nullptr, bytes + kCheckBytes);
        if (place + bytes + kCheckBytes <= front_.size()) {
            std::memcpy(chunk->data(), front_.data() + place, bytes + kCheckBytes);
        } else if (!read_at(descriptor_.get(), chunk->data(), bytes + kCheckBytes, place)) {
            return outcome_of(error);
        }
        if (block_checksum(layout_, number, {chunk->data(), bytes}) !=
            get_u64(chunk->data() + bytes)) {
            return ReadOutcome::broken;
        }
        chunk->set_size(bytes);
        into.push_back(chunk);
    }
    return ReadOutcome::good;
}

}  // namespace proxyd::cache::disk
