#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxyd/async/loop.hpp"
#include "proxyd/base/result.hpp"

namespace proxyd::server {

/// One answer to one verb: `text` goes to the caller's standard output (ok) or error output.
struct ControlReply {
    int exit_code = 0;
    std::string text;
};

/// The control socket: a unix stream socket, mode 0660, one request (a line "verb args") and one
/// answer per connection. Lives on the control loop. Where the path can't be created or a live
/// process owns it, open() returns the reason and the daemon goes on without; a dead socket is
/// replaced. Callers that never finish their line are cut after 5 s; at most 64 at once.
class ControlServer {
  public:
    using Respond = std::function<void(ControlReply)>;
    using Handler = std::function<void(const std::string& line, Respond respond)>;

    ControlServer(async::Loop& loop, Handler handler);
    ~ControlServer();  ///< closes and unlinks what open() made
    Result<void> open(const std::string& path);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

/// The caller's side, blocking, for the verbs of the command line. Error: nobody listens, or no
/// answer within `limit`.
[[nodiscard]] Result<ControlReply> control_call(const std::string& path, const std::string& line,
                                                std::chrono::milliseconds limit);

}  // namespace proxyd::server
