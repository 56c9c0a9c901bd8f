#!/bin/sh
# Installs what the benchmark compares with and measures with, where it is missing. Nothing of it
# runs afterwards: it would take CPU time from the measurement.
set -eu
services="nginx haproxy nghttpx h2o"

new=
for service in $services; do
    command -v "$service" >/dev/null 2>&1 || [ -x "/usr/sbin/$service" ] || new="$new $service"
done
sh "$(dirname "$0")/../../packaging/install-build-deps.sh" bench
if [ -d /run/systemd/system ]; then
    for service in $new; do
        systemctl disable --now "$service" || true
    done
fi
