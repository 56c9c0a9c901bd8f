#!/bin/sh
# install-build-deps.sh build|tests|interop|bench...
# Installs those of the named package sets that are missing, on Debian 12. The one list of what
# proxyd needs. Does nothing, and needs no root, when everything is there.
set -eu

build="g++ cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libssl-dev
    node-llhttp libnghttp2-dev libspdlog-dev libfmt-dev libyaml-cpp-dev libre2-dev libc-ares-dev
    libcli11-dev libxxhash-dev"
tests="libgtest-dev libgmock-dev libbenchmark-dev python3 python3-grpcio systemd util-linux procps
    iproute2 curl openssl nghttp2-client"
interop="nodejs chromium testssl.sh"
bench="nginx haproxy nghttp2-proxy h2o wrk nghttp2-client strace iproute2 python3 util-linux"

packages=
for set in "$@"; do
    case $set in
        build) packages="$packages $build" ;;
        tests) packages="$packages $tests" ;;
        interop) packages="$packages $interop" ;;
        bench) packages="$packages $bench" ;;
        *) echo "usage: $0 build|tests|interop|bench..." >&2; exit 2 ;;
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

# The other proxies are here to be measured against, not to be started.
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
