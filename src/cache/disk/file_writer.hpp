#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cache/disk/format.hpp"
#include "cache/disk/tree.hpp"
#include "proxyd/base/descriptor.hpp"
#include "proxyd/cache/chunk.hpp"

namespace proxyd::cache::disk {

/// Writes one file beside its final place. Blocking; used by one thread at a time. Every function
/// gives an errno, or 0. Nobody sees the file before publish(); without it the destructor removes
/// it.
class FileWriter {
  public:
    FileWriter(const Tree& tree, const StoredHead& head, std::int64_t begun_at);
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;
    ~FileWriter();

    [[nodiscard]] int append(const std::vector<ChunkPtr>& chunks);
    /// The last chunks and the head as it is to be read.
    [[nodiscard]] int finish(const std::vector<ChunkPtr>& chunks, const StoredHead& head);
    /// Takes the place of what stands there.
    [[nodiscard]] int publish();

    /// Of the file if it ended after `more` further bytes of the body.
    [[nodiscard]] std::uint64_t file_bytes_with(std::uint64_t more) const noexcept;
    [[nodiscard]] const Layout& layout() const noexcept { return layout_; }

  private:
    class Gather;
    [[nodiscard]] int create();
    [[nodiscard]] int gather(Gather& out, const std::vector<ChunkPtr>& chunks);
    void discard() noexcept;

    const Tree& tree_;
    const Key key_;
    Layout layout_;  ///< body_bytes: as far as written
    std::string path_;
    Descriptor descriptor_;
    std::uint64_t place_ = 0;  ///< where the next byte goes
    struct BlockState;
    std::unique_ptr<BlockState> block_;
};

/// A copy of the body of `from` under a new head, beside its place; for heads that do not fit into
/// the old one's. The path of the finished file goes to `path`.
[[nodiscard]] int copy_with_head(const Tree& tree, int from, const Layout& layout,
                                 const StoredHead& head, std::int64_t begun_at, std::string& path);

/// Writes all of it; errno, or 0.
[[nodiscard]] int write_at(int descriptor, std::string_view bytes, std::uint64_t offset);

}  // namespace proxyd::cache::disk
