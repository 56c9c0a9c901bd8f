#!/bin/sh
# Installs what the benchmark compares with and measures with: nginx, HAProxy, wrk, strace.
# What is there already is left alone. Needs root only when something is missing.
set -eu

missing=
for package in nginx haproxy wrk strace; do
    command -v "$package" >/dev/null 2>&1 || [ -x "/usr/sbin/$package" ] ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "bench/setup.sh: missing:$missing; run it as root" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $missing

# The packages start their services; a running one would take CPU time from the measurement.
if [ -d /run/systemd/system ]; then
    for service in nginx haproxy; do
        case "$missing" in *" $service"*) systemctl disable --now "$service" || true ;; esac
    done
fi
