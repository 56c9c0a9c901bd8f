#include "cache/disk/purge_file.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cache/disk/bytes.hpp"
#include "cache/disk/entry_file.hpp"
#include "cache/disk/file_writer.hpp"
#include "proxyd/base/descriptor.hpp"

namespace proxyd::cache::disk {
namespace {

constexpr std::uint64_t kMagic = 0x0a474e50'44595850;  // "PXYDPNG\n"
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

std::uint64_t checksum(std::string_view bytes) noexcept {
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::string encode(const std::vector<OpenPurge>& purges) {
    std::string bytes;
    ByteWriter out(bytes);
    out.number(kMagic);
    out.number(static_cast<std::uint32_t>(purges.size()));
    for (const OpenPurge& purge : purges) {
        out.number(purge.at);
        out.number(static_cast<std::uint8_t>(purge.which.kind));
        out.number(static_cast<std::uint8_t>(purge.which.soft));
        out.sized_text(purge.which.text);
    }
    out.number(checksum(bytes));
    return bytes;
}

std::vector<OpenPurge> decode(std::string_view bytes) {
    if (bytes.size() < 8) return {};
    const std::string_view guarded = bytes.substr(0, bytes.size() - 8);
    if (checksum(guarded) != get_u64(guarded.data() + guarded.size())) return {};
    ByteReader in(guarded);
    if (in.number<std::uint64_t>() != kMagic) return {};
    std::vector<OpenPurge> purges;
    for (auto left = in.number<std::uint32_t>(); left != 0 && !in.failed(); --left) {
        OpenPurge purge;
        purge.at = in.number<Moment>();
        const auto kind = in.number<std::uint8_t>();
        purge.which.soft = in.number<std::uint8_t>() != 0;
        purge.which.text = in.sized_text();
        if (kind > static_cast<std::uint8_t>(Selector::Kind::all)) return {};
        purge.which.kind = static_cast<Selector::Kind>(kind);
        purges.push_back(std::move(purge));
    }
    return in.complete() ? purges : std::vector<OpenPurge>{};
}

}  // namespace

int save_purges(const std::string& root, const std::vector<OpenPurge>& purges) {
    const std::string path = root + "/" + std::string(kPurgeFileName);
    if (purges.empty()) return ::unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
    const std::string fresh = Tree(root, {}).temporary_path({});
    const Descriptor out(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!out) return errno;
    int error = write_at(out.get(), encode(purges), 0);
    if (error == 0 && ::fsync(out.get()) != 0) error = errno;
    if (error == 0 && ::rename(fresh.c_str(), path.c_str()) != 0) error = errno;
    if (error != 0) ::unlink(fresh.c_str());
    return error;
}

std::vector<OpenPurge> load_purges(const std::string& root) {
    const std::string path = root + "/" + std::string(kPurgeFileName);
    const Descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat facts {};
    if (!in || ::fstat(in.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
    const auto size = static_cast<std::size_t>(facts.st_size);
    if (size > kMostBytes) return {};
    std::string bytes(size, '\0');
    if (!read_at(in.get(), bytes.data(), size, 0)) return {};
    return decode(bytes);
}

}  // namespace proxyd::cache::disk
