#!/bin/sh
# install-build-deps.sh build|tests...
# Installs those of the named package sets that are missing, on Debian 12. The one list of what
# proxyd needs. Does nothing, and needs no root, when everything is there.
set -eu

build="g++ cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libssl-dev
    node-llhttp libnghttp2-dev libspdlog-dev libfmt-dev libyaml-cpp-dev libre2-dev libc-ares-dev
    libcli11-dev libxxhash-dev"
tests="libgtest-dev libgmock-dev libbenchmark-dev nginx haproxy wrk strace python3 systemd
    util-linux procps"

packages=
for set in "$@"; do
    case $set in
        build) packages="$packages $build" ;;
        tests) packages="$packages $tests" ;;
        *) echo "usage: $0 build|tests..." >&2; exit 2 ;;
    esac
done

missing=
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "These packages are missing; install them as root:$missing" >&2
    exit 1
fi

# nginx and haproxy are here to be measured against, not to be started.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    trap 'rm -f $policy' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends $missing
