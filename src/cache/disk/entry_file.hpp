#pragma once

#include <string>
#include <vector>

#include "cache/disk/format.hpp"
#include "proxyd/base/descriptor.hpp"
#include "proxyd/cache/chunk.hpp"

namespace proxyd::cache::disk {

/// What became of an attempt to read: an errno, or that what lies there is not whole.
enum class ReadOutcome : std::uint8_t { good, absent, broken, failed };

/// A file that was opened for reading: its front is verified, its end is there. Blocking. May be
/// read by one thread at a time; what is opened stays readable when the entry is removed.
class EntryFile {
  public:
    /// `error` says why when it `failed`.
    [[nodiscard]] ReadOutcome open(const std::string& path, int& error);

    [[nodiscard]] const HeadPtr& head() const noexcept { return head_; }
    [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
    [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
    [[nodiscard]] std::uint64_t inode() const noexcept { return inode_; }
    /// What was read shows as stale from `at` on; the file stays as it is.
    void expire(UnixMilliseconds at);

    /// Appends blocks `first` .. `first + count - 1`, as far as there are so many, each verified.
    [[nodiscard]] ReadOutcome read(std::uint64_t first, std::size_t count,
                                   std::vector<ChunkPtr>& into, int& error) const;

  private:
    [[nodiscard]] ReadOutcome read_front(std::uint64_t file_bytes, int& error);
    [[nodiscard]] ReadOutcome read_end(int& error) const;

    Descriptor descriptor_;
    HeadPtr head_;
    Layout layout_;
    std::uint64_t inode_ = 0;
    std::string front_;  ///< as much as the first read brought
};

/// Reads exactly so many bytes; false: errno, or 0 where the file ends before.
[[nodiscard]] bool read_at(int descriptor, char* to, std::size_t bytes, std::uint64_t offset);

}  // namespace proxyd::cache::disk
