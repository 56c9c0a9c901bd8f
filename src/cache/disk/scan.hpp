#pragma once

#include <cstdint>
#include <string>

namespace proxyd::cache::disk {

class DiskZone;

/// One pass over the directory of a zone. Files of ours come into its index by their names alone;
/// those in the place of other `levels` are moved to theirs, temporary ones are removed. What is
/// not ours by its name is counted and left alone. Blocking; on the keeper's thread.
class Scan {
  public:
    explicit Scan(DiskZone& zone) : zone_(zone) {}
    /// False: the zone ends.
    bool run();

    [[nodiscard]] std::uint64_t foreign() const noexcept { return foreign_; }
    /// One of them.
    [[nodiscard]] const std::string& foreign_path() const noexcept { return foreign_path_; }

  private:
    bool directory(const std::string& path, std::size_t depth);
    bool file(const std::string& path, std::string_view name, int directory);
    void found_foreign(const std::string& path);

    DiskZone& zone_;
    std::uint64_t foreign_ = 0, seen_ = 0;
    std::string foreign_path_;
};

}  // namespace proxyd::cache::disk
