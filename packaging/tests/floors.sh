#!/bin/sh
# floors.sh CMAKE: src/module.cmake stops the configure step at a dependency that does not lie
# lower, and at a header of a module that was not declared.
set -eu
cmake=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

# refused DEPENDENCIES_OF_LOW INCLUDE_OF_LOW TEXT
refused() {
    rm -rf "${directory:?}"/*
    mkdir -p "$directory/src/low" "$directory/src/high"
    printf '#include "proxyd/%s/x.hpp"\nint low;\n' "$2" >"$directory/src/low/low.cpp"
    echo 'int high;' >"$directory/src/high/high.cpp"
    echo "proxyd_module(low FLOOR 1 DEPS $1)" >"$directory/src/low/CMakeLists.txt"
    echo 'proxyd_module(high FLOOR 2)' >"$directory/src/high/CMakeLists.txt"
    cat >"$directory/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(floors LANGUAGES CXX)
include($root/src/module.cmake)
add_subdirectory(src/high)
add_subdirectory(src/low)
END
    if "$cmake" -S "$directory" -B "$directory/build" >"$directory/said" 2>&1; then
        echo "configured although $3"
        exit 1
    fi
    tr -s ' \n' ' ' <"$directory/said" | grep -q "$3" || { cat "$directory/said"; exit 1; }
}

refused high low 'must not depend on high'
refused '' high 'which low does not declare'
