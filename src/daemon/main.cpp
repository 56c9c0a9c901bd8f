#include <cstdio>
#include <exception>

#include "daemon/verbs.hpp"

int main(int argc, char** argv) {
    try {
        return proxyd::daemon::run_verb(argc, argv);
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "proxyd: %s\n", failure.what());
        return 1;
    }
}
