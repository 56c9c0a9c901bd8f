#!/bin/sh
# install.sh CMAKE BUILD_DIRECTORY: cmake --install puts everything where it belongs, for the
# prefix of a package and for one of one's own, and never overwrites a configuration.
set -eu
cmake=$1
build=$2
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

there() {
    for file in "$@"; do
        [ -e "$directory$file" ] || { echo "not installed: $file"; exit 1; }
    done
}

DESTDIR=$directory "$cmake" --install "$build" --prefix /usr >/dev/null
there /usr/sbin/proxyd /usr/lib/systemd/system/proxyd.service /etc/proxyd/proxyd.yaml \
    /etc/proxyd/conf.d /usr/lib/sysusers.d/proxyd.conf /usr/lib/tmpfiles.d/proxyd.conf \
    /etc/logrotate.d/proxyd /usr/share/man/man8/proxyd.8
grep -qx 'ExecStart=/usr/sbin/proxyd run' "$directory/usr/lib/systemd/system/proxyd.service"
"$directory/usr/sbin/proxyd" -t -c "$directory/etc/proxyd/proxyd.yaml"

echo '# mine' >"$directory/etc/proxyd/proxyd.yaml"
DESTDIR=$directory "$cmake" --install "$build" --prefix /usr >/dev/null
grep -qx '# mine' "$directory/etc/proxyd/proxyd.yaml"

"$cmake" --install "$build" --prefix "$directory/own" >/dev/null
there /own/sbin/proxyd /own/etc/proxyd/proxyd.yaml
grep -qxF "ExecReload=$directory/own/sbin/proxyd -s reload -c $directory/own/etc/proxyd/proxyd.yaml" \
    "$directory/own/lib/systemd/system/proxyd.service"
