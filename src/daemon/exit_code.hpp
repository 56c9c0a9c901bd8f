#pragma once

namespace proxyd::daemon {

/// What the process tells its caller; part of the contract with the unit file.
enum ExitCode : int {
    kSuccess = 0,
    kFailure = 1,         ///< could not start or act
    kUsage = 2,           ///< the command line is wrong
    kConfigRefused = 78,  ///< EX_CONFIG: the unit does not restart on it
};

}  // namespace proxyd::daemon
