# shellcheck shell=sh
# Sourced by the scripts that build. Without HOME the compiler cache lives in the build tree.
if [ -z "${CCACHE_DIR:-}" ] && [ -z "${HOME:-}" ]; then
    CCACHE_DIR=$PWD/build/ccache
    export CCACHE_DIR
fi
