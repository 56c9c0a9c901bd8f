#pragma once

#include "support/daemon.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::test {

// What `proxyd -t` says about a text. The directory's path is replaced by DIR.
struct ConfigVerdict {
    int exit_code = -1;
    std::string text;                      // standard error
    std::string out;                       // standard output
    std::vector<std::string> left_behind;  // files that the run created
};

struct ConfigFiles {
    std::map<std::string, std::string> more;  // further files by name, below the directory
    std::vector<std::string> arguments{"-t"};
    std::map<std::string, std::string> env;
    bool as_nobody = false;
};

// Writes the text to DIR/proxyd.yaml and runs the program on it. Marks (@HTTP@, @TMP@, ...) are
// applied to every file.
ConfigVerdict check_config(std::string_view yaml, const ConfigFiles& files = {});

}  // namespace proxyd::test
