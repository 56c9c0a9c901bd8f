#include "cache/disk/file_writer.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "proxyd/base/random.hpp"

namespace proxyd::cache::disk {
namespace {

constexpr mode_t kFileMode = 0600;

/// Makes the directories too when they are missing.
int create_file(const Tree& tree, const Key& key, std::string& path, Descriptor& descriptor) {
    path = tree.temporary_path(key);
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    descriptor.reset(::open(path.c_str(), kFlags, kFileMode));
    if (!descriptor && errno == ENOENT) {
        if (const int error = tree.make_directories(key); error != 0) return error;
        descriptor.reset(::open(path.c_str(), kFlags, kFileMode));
    }
    return descriptor ? 0 : errno;
}

/// Drops the first `bytes` of what is to be written.
void advance(iovec*& first, iovec* end, std::size_t bytes) {
    while (first != end && bytes >= first->iov_len) bytes -= (first++)->iov_len;
    if (bytes == 0) return;
    first->iov_base = static_cast<char*>(first->iov_base) + bytes;
    first->iov_len -= bytes;
}

}  // namespace

int write_at(int descriptor, std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t put =
            ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return errno;
        bytes.remove_prefix(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
    return 0;
}

/// Pieces on their way into the file, written many at a time. They stay where they are until
/// flush().
class FileWriter::Gather {
  public:
    Gather(int descriptor, std::uint64_t& place) : descriptor_(descriptor), place_(place) {}

    [[nodiscard]] bool full() const noexcept { return count_ + 2 > kMost; }
    void add(std::string_view bytes) noexcept {
        // iovec knows no const; nothing is written there.
        pieces_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()};
    }
    void add_number(std::uint64_t value) noexcept {
        put_u64(numbers_[count_].data(), value);
        add({numbers_[count_].data(), kCheckBytes});
    }
    [[nodiscard]] int flush() {
        iovec* first = pieces_.data();
        iovec* const end = first + std::exchange(count_, 0);
        while (first != end) {
            const ssize_t put = ::pwritev(descriptor_, first, static_cast<int>(end - first),
                                          static_cast<off_t>(place_));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return errno;
            place_ += static_cast<std::uint64_t>(put);
            advance(first, end, static_cast<std::size_t>(put));
        }
        return 0;
    }

  private:
    static constexpr std::size_t kMost = 64;
    int descriptor_;
    std::uint64_t& place_;
    std::array<iovec, kMost> pieces_;
    std::array<std::array<char, kCheckBytes>, kMost> numbers_;
    std::size_t count_ = 0;
};

/// The checksum of the block that has begun.
struct FileWriter::BlockState {
    XXH3_state_t hash;
};

FileWriter::FileWriter(const Tree& tree, const StoredHead& head, std::int64_t begun_at)
    : tree_(tree), key_(head.key), block_(std::make_unique<BlockState>()) {
    layout_.file_id = random_number();
    layout_.body_at = body_place(encode_head(head).size());
    layout_.begun_at = begun_at;
    place_ = layout_.body_at;
}

FileWriter::~FileWriter() {
    discard();
}

void FileWriter::discard() noexcept {
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
}

std::uint64_t FileWriter::file_bytes_with(std::uint64_t more) const noexcept {
    Layout layout = layout_;
    layout.body_bytes += more;
    return layout.file_bytes();
}

int FileWriter::create() {
    if (descriptor_) return 0;
    const int error = create_file(tree_, key_, path_, descriptor_);
    if (error != 0) path_.clear();
    return error;
}

int FileWriter::append(const std::vector<ChunkPtr>& chunks) {
    if (const int error = create(); error != 0) return error;
    Gather out(descriptor_.get(), place_);
    if (const int error = gather(out, chunks); error != 0) return error;
    return out.flush();
}

int FileWriter::gather(Gather& out, const std::vector<ChunkPtr>& chunks) {
    for (const ChunkPtr& chunk : chunks) {
        std::string_view left = chunk->bytes();
        while (!left.empty()) {
            const std::uint64_t number = layout_.body_bytes / kBlockBytes;
            const std::size_t inside = layout_.body_bytes % kBlockBytes;
            if (inside == 0) {
                XXH3_64bits_reset_withSeed(&block_->hash, block_seed(layout_.file_id, number));
            }
            const std::string_view piece = left.substr(0, kBlockBytes - inside);
            left.remove_prefix(piece.size());
            XXH3_64bits_update(&block_->hash, piece.data(), piece.size());
            out.add(piece);
            layout_.body_bytes += piece.size();
            if (layout_.body_bytes % kBlockBytes == 0) {
                out.add_number(XXH3_64bits_digest(&block_->hash));
            }
            if (!out.full()) continue;
            if (const int error = out.flush(); error != 0) return error;
        }
    }
    return 0;
}

int FileWriter::finish(const std::vector<ChunkPtr>& chunks, const StoredHead& head) {
    if (const int error = append(chunks); error != 0) return error;
    Gather out(descriptor_.get(), place_);
    if (layout_.body_bytes % kBlockBytes != 0) {
        out.add_number(XXH3_64bits_digest(&block_->hash));
    }
    const std::string trailer = encode_trailer(layout_);
    out.add(trailer);
    if (const int error = out.flush(); error != 0) return error;
    const std::string front = encode_front(head, layout_);
    if (front.empty() || head.body_size != layout_.body_bytes) return EINVAL;
    return write_at(descriptor_.get(), front, 0);
}

int FileWriter::publish() {
    if (::rename(path_.c_str(), tree_.path(key_).c_str()) != 0) return errno;
    path_.clear();
    return 0;
}

int copy_with_head(const Tree& tree, int from, const Layout& layout, const StoredHead& head,
                   std::int64_t begun_at, std::string& path) {
    Layout copied = layout;
    copied.body_at = body_place(encode_head(head).size());
    copied.begun_at = begun_at;
    const std::string front = encode_front(head, copied);
    if (front.empty()) return EINVAL;
    Descriptor to;
    if (const int error = create_file(tree, head.key, path, to); error != 0) return error;
    int error = write_at(to.get(), front, 0);
    off_t source = static_cast<off_t>(layout.body_at);
    off_t target = static_cast<off_t>(copied.body_at);
    std::uint64_t left = layout.file_bytes() - layout.body_at;
    while (error == 0 && left != 0) {
        const ssize_t done = ::copy_file_range(from, &source, to.get(), &target, left, 0);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            error = done < 0 ? errno : EIO;
            break;
        }
        left -= static_cast<std::uint64_t>(done);
    }
    if (error != 0) ::unlink(path.c_str());
    return error;
}

}  // namespace proxyd::cache::disk
