#!/bin/sh
# unit_file.sh PROGRAM: systemd finds nothing to say about the unit, and the sandbox is whole.
set -eu
program=$1
cd "$(dirname "$0")/.."
command -v systemd-analyze >/dev/null || exit 77

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
sed "s#/usr/sbin/proxyd#$program#" proxyd.service >"$directory/proxyd.service"
if ! systemd-analyze verify --man=no "$directory/proxyd.service" >"$directory/said" 2>&1 ||
    grep -q 'proxyd\.service:' "$directory/said"; then
    cat "$directory/said"
    exit 1
fi

for line in Type=notify KillMode=mixed KillSignal=SIGQUIT RestartPreventExitStatus=78 \
    'CapabilityBoundingSet=CAP_NET_BIND_SERVICE' NoNewPrivileges=yes ProtectSystem=strict \
    MemoryDenyWriteExecute=yes 'SystemCallFilter=@system-service'; do
    grep -qxF "$line" proxyd.service || { echo "missing: $line"; exit 1; }
done
