#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Connections that are put to sleep and woken say what they would have said:
# every observation, alert and counter of every capture, and of traffic made
# here with all kinds of disturbance, asleep after each packet, asleep after
# 10 ms without one, and after 30 s, when hashes that nobody acknowledged go too.
set -u
cd "$(dirname "$0")/.." || exit 2
make -s tools || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0
observe=build/release/tools/observe

# The peak of memory is the one number that may differ.
look() { "$observe" --obs "$@" 2>&1 | sed 's/ peak_kib=.*//'; }

for kind in smtp-plain smtp-starttls imap-pop3; do
	python3 tests/bench/mailgen.py $kind -o "$tmp/$kind.pcap" --bytes 4M --seed 3 \
		--loss .02 --reorder .02 --dup .02 --skew .02 --drop .002 --rst .1 --lawful .3 --cut .1 \
		--handshake .2 --twice .1 --ipv6 .3 --body-max 20000 2>/dev/null
	python3 tests/bench/mailgen.py $kind -o "$tmp/slow-$kind.pcap" --bytes 2M --seed 4 --rate .00001 \
		--loss .02 --reorder .02 --dup .02 --skew .02 --drop .002 --rst .1 --lawful .3 --cut .1 \
		--handshake .2 --twice .1 --ipv6 .3 --body-max 20000 2>/dev/null
done
while read -r f; do
	look "$f" >"$tmp/awake"
	for how in --rest --rest=10000000 --rest=30000000000; do
		look $how "$f" >"$tmp/asleep"
		if [ -s "$tmp/awake" ] && cmp -s "$tmp/awake" "$tmp/asleep"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "FAIL $how $f"
			diff "$tmp/awake" "$tmp/asleep" | cut -c1-300 | head -6
		fi
	done
done < <(find pcaps ../shared/pcaps "$tmp" -name '*.pcap*' -type f 2>/dev/null | sort)
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
