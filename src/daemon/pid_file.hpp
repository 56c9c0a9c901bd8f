#pragma once

#include <string>

#include "proxyd/base/descriptor.hpp"
#include "proxyd/base/result.hpp"

namespace proxyd::daemon {

/// The file that names this process, only when the configuration asks for it. Opened with the
/// rights of the start, written when everything is served: until then it may name a living process.
/// Removed by the destructor, if it names this process or was made here and never written.
class PidFile {
  public:
    PidFile() = default;
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;
    ~PidFile();

    /// Changes nothing of a file that is there. Error: it is no regular file, or has other names.
    Result<void> open(const std::string& path);
    /// Nothing without open().
    Result<void> write();

  private:
    std::string path_;
    Descriptor fd_;
    bool made_ = false;  ///< by open(), and still empty
};

}  // namespace proxyd::daemon
