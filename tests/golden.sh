#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Each capture in pcaps/ alone, into a fresh database: its alerts must be
# those of tests/golden/NAME.jsonl. `golden.sh --bless [NAME]` rewrites them
# and shows the difference, which is to be read before it is committed.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bless=0
[ "${1:-}" = --bless ] && bless=1 && shift
want=${1:-}
passed=0 failed=0
mkdir -p tests/golden

for f in pcaps/*.pcap; do
	name=$(basename "$f" .pcap)
	[ -z "$want" ] || [ "$want" = "$name" ] || continue
	golden=tests/golden/$name.jsonl
	rm -f "$tmp"/db*
	./stripwire read -q -d "$tmp/db" -r sensor.rules --host lab --no-system-trust \
		--trust pcaps/ca-root.pem --eve - "$f" >"$tmp/got" 2>"$tmp/err"
	status=$?
	if [ $bless -eq 1 ]; then
		diff -u --label "$golden (old)" --label "$golden (new)" \
			"$golden" "$tmp/got" 2>/dev/null
		cp "$tmp/got" "$golden"
	fi
	if [ $status -eq 0 ] && cmp -s "$golden" "$tmp/got"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name (exit $status)"
		cat "$tmp/err"
		diff -u "$golden" "$tmp/got" | cut -c1-400 | head -20
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
