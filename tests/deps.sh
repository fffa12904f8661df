#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, through apt, and says what it does.
#
#   deps.sh run|lab|test [--list]
#
# run: what building and running needs. lab: and real mail servers, clients and
# what namespaces are made with. test: and what all other tests need.
set -eu

run="gcc libc6-dev pkg-config libpcap-dev libnids-dev libsqlite3-dev
libssl-dev libseccomp-dev libidn2-dev libjansson-dev libyaml-dev libpcre2-dev zlib1g-dev
librdkafka-dev ca-certificates"
# Many patterns of rules at once: Hyperscan, or vectorscan, which has its
# interface and knows other processors. Without either it works too.
case $(dpkg --print-architecture) in
amd64) run="$run libhyperscan-dev" ;;
arm64 | ppc64el) run="$run libvectorscan-dev" ;;
esac
# Libraries of rsyslog and syslog-ng, which are unpacked, not installed: see
# tests/receivers.sh.
receivers="libestr0 libfastjson4 liblognorm5 libgnutls30 libivykis0 libnet1
libwrap0 libpcre3 libjson-c5 libcap2 libglib2.0-0 libsystemd0"
# clang and its runtime: second compiler, sanitizers, fuzzers; clang-format,
# clang-tidy, universal-ctags: make lint; python3, openssl, sqlite3, tshark:
# the tests look at results with tools that are not ours;
# valgrind counts instructions; mandoc reads the manuals.
test="clang libclang-rt-14-dev llvm clang-format clang-tidy universal-ctags
python3 openssl sqlite3 tshark gzip valgrind mandoc
$receivers"
# clickhouse, kcat: what a fleet's events are judged with. python3-yaml: the
# configurations of other tools are read.
test="$test clickhouse-server clickhouse-client kcat python3-yaml"
# libnet-ssleay-perl: TLS of swaks.
lab="postfix dovecot-imapd dovecot-pop3d swaks libnet-ssleay-perl msmtp
fetchmail curl openssl python3 iproute2 iptables ethtool procps tcpdump"

case "${1:-}" in
run) want=$run ;;
lab) want="$run $lab" ;;
test) want="$run $test $lab" ;;
*)
	echo "usage: deps.sh run|lab|test [--list]" >&2
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
policy=/usr/sbin/policy-rc.d
ours=
trap 'rm -f "$log"; [ -z "$ours" ] || $as_root rm -f $policy' EXIT
# The lab starts servers of its own; those of the system stay off.
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
	ours=yes
fi
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
