#pragma once

namespace proxyd::daemon {

/// SIGPIPE is ignored (a write tells), and the soft limit of open files becomes the hard one.
void prepare_process();

}  // namespace proxyd::daemon
