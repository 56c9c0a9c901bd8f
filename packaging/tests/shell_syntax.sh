#!/bin/sh
# Every shell script parses; with shellcheck, when it is there, it is also clean.
set -eu
cd "$(dirname "$0")/../.."
bash -n .ci/run
find packaging tests -name '*.sh' | while read -r script; do
    sh -n "$script"
    if command -v shellcheck >/dev/null; then
        shellcheck -x -S warning "$script"
    fi
done
