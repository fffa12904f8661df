#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, through apt, and says what it does.
#
#   deps.sh run|test [--list]
#
# run: what building and running needs. test: what the tests need as well.
set -eu

run="gcc libc6-dev pkg-config libpcap-dev libnids-dev libsqlite3-dev
libssl-dev libseccomp-dev libidn2-dev libjansson-dev libyaml-dev libpcre2-dev zlib1g-dev
ca-certificates"
# Many patterns of rules at once: Hyperscan, or vectorscan, which has its
# interface and knows other processors. Without either it works too.
case $(dpkg --print-architecture) in
amd64) run="$run libhyperscan-dev" ;;
arm64 | ppc64el) run="$run libvectorscan-dev" ;;
esac
# clang and its runtime: second compiler, sanitizers, fuzzers; clang-format,
# clang-tidy, universal-ctags: make lint; python3, openssl, sqlite3, tshark:
# the tests look at results with tools that are not ours.
test="clang libclang-rt-14-dev llvm clang-format clang-tidy universal-ctags
python3 openssl sqlite3 tshark gzip"

case "${1:-}" in
run) want=$run ;;
test) want="$run $test" ;;
*)
	echo "usage: deps.sh run|test [--list]" >&2
	exit 2
	;;
esac
if [ "${2:-}" = --list ]; then
	echo $want | tr ' ' '\n'
	exit 0
fi
missing=
for p in $want; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null |
		grep -q 'install ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	if command -v sudo >/dev/null 2>&1; then
		as_root=sudo
	else
		echo "missing packages:$missing" >&2
		echo "install them as root: apt-get install$missing" >&2
		exit 1
	fi
fi
echo "installing what is missing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
		-o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || {
		cat "$log" >&2
		return 1
	}
}
apt install -y --no-install-recommends $missing 2>/dev/null || {
	echo "  (the package lists are old or absent: apt-get update)"
	apt update
	apt install -y --no-install-recommends $missing
}
