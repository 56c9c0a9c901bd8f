#!/bin/sh
# From a bare Debian 12 to a proxy at work: installs what is missing to build (root is needed only
# for that), builds proxyd, runs `proxyd demo`. Arguments go to the demo: --once ends by itself.
set -eu
cd "$(dirname "$0")/.."

sh packaging/install-build-deps.sh build
. packaging/build-env.sh
cmake --preset release -DPROXYD_TESTS=OFF
cmake --build --preset release --target proxyd
exec build/release/proxyd demo "$@"
