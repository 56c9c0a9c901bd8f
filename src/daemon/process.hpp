#pragma once

namespace proxyd::daemon {

/// How a serving process differs from one that only says something: SIGPIPE is ignored (the write
/// tells) and the soft limit of open files is the hard one. Made before anything that looks at
/// them; never undone.
struct ServingProcess {
    ServingProcess();
};

}  // namespace proxyd::daemon
