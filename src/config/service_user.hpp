#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace proxyd::config {

/// Whose eyes count for files that are read again while the daemon runs: the `user` that root
/// becomes, otherwise whoever runs this. One thread.
class ServiceUser {
  public:
    /// As the keys `user` and `group` say; "" = not set.
    ServiceUser(const std::string& user, const std::string& group);

    struct Refusal {
        std::string text;  ///< "cannot be read by user 'proxyd': Permission denied"
        std::string hint;  ///< the command that mends it, if there is one
    };
    /// As read_small_file(); null: see the refusal.
    [[nodiscard]] std::shared_ptr<const std::string> read(const std::string& path,
                                                          Refusal& refusal) const;

  private:
    class Eyes;
    [[nodiscard]] std::string how_to_mend(const std::string& path) const;
    [[nodiscard]] std::string closed_directories(const std::string& path) const;

    std::string name_;    ///< for messages
    std::string wanted_;  ///< `user` where we are neither it nor root; else ""
    bool other_ = false;  ///< we are root and look as somebody else
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    std::vector<gid_t> groups_;
};

}  // namespace proxyd::config
