#!/bin/sh
# Installs the Debian packages that the tests and benchmarks start as real counterparts, or says which are missing.
missing=""
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing" >&2
    apt-get update -qq >/dev/null 2>&1
    # The servers must not start by themselves: tests start their own, on loopback.
    if DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; then
        [ -d /run/systemd/system ] && for package in $missing; do
            systemctl disable --quiet --now "$package" 2>/dev/null || true
        done
        exit 0
    fi
fi
echo "missing packages, what needs them is left out; install:$missing" >&2
exit 0
