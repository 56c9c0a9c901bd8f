#pragma once

#include <string>

#include "proxyd/base/result.hpp"

namespace proxyd::daemon {

/// The file that names this process, written only when the configuration asks for it. Removed by
/// the destructor, if it still names this process.
class PidFile {
  public:
    PidFile() = default;
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;
    ~PidFile();

    /// Replaces what is there. A link is replaced, never followed.
    Result<void> write(const std::string& path);

  private:
    std::string path_;
};

}  // namespace proxyd::daemon
