#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# rsyslog and syslog-ng for tests/transports.py. As packages they exclude each
# other, and would take the place of what logs on this machine: they are
# unpacked into build/receivers instead, and nothing of theirs is installed but
# the libraries that they need (tests/deps.sh).
set -eu
cd "$(dirname "$0")/.."
want="rsyslog rsyslog-gnutls rsyslog-openssl syslog-ng-core"
folder=build/receivers
[ -e $folder/complete ] && exit 0
rm -rf $folder
mkdir -p $folder/root
cd $folder
get() {
	apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >log 2>&1
}
get download $want || {
	echo "  (the package lists are old or absent: apt-get update)"
	get update
	get download $want
} || {
	cat log >&2
	exit 1
}
for p in *.deb; do
	dpkg -x "$p" root
done
touch complete
