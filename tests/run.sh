#!/bin/sh
# Installs what the tests need, builds the release preset and runs every test. Exits as ctest does.
# PROXYD_RUN_SANITIZERS=1 runs the asan preset before it, which takes about twice as long again.
set -eu
cd "$(dirname "$0")/.."

sh packaging/install-build-deps.sh build tests
. packaging/build-env.sh

run() {
    cmake --preset "$1" -DPROXYD_TESTS=ON
    cmake --build --preset "$1"
    ctest --preset "$1" -j4 -LE heavy --output-on-failure
}

if [ "${PROXYD_RUN_SANITIZERS:-0}" = 1 ]; then
    run asan
fi
run release
