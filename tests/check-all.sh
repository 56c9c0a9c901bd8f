#!/bin/sh
# The target check-all: the whole suite under the presets dev, asan and tsan, one after the other,
# then other people's programs against the program, then each fuzz target for a short time. Stops
# at the first failure.
set -eu
cd "$(dirname "$0")/.."
. packaging/build-env.sh

# The thread sanitizer of g++ 12 needs the old address space layout.
fixed_layout=
if setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed_layout="setarch $(uname -m) -R"
fi

for preset in dev asan tsan; do
    echo "== $preset"
    cmake --preset "$preset" -DPROXYD_TESTS=ON
    cmake --build --preset "$preset"
    $fixed_layout ctest --preset "$preset" -j2 -LE interop --output-on-failure
done

echo "== interop"
sh packaging/install-build-deps.sh interop
ctest --preset dev -L interop --output-on-failure

if [ -f tests/fuzz/run.sh ]; then
    echo "== fuzz"
    sh tests/fuzz/run.sh "${PROXYD_FUZZ_SECONDS:-30}"
fi
