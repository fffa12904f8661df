#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is left of mail traffic when the tap loses, repeats and exchanges
# packets, in three parts: counts held against what was sent (disturbed.py),
# sessions ended in every lawful way (lawful.py), a flood of SYNs (flood.py).
#
#	disturbed.sh [BYTES [SESSIONS [SYNS]]]
#
# BYTES of each kind of traffic for each disturbance. The defaults end within
# a minute; tests/long.sh asks for more.
set -u
cd "$(dirname "$0")/.." || exit 2
make -s stripwire tools || exit 2
passed=0 failed=0

part() {
	local out line
	out=$(python3 "$@" 2>&1)
	line=$(tail -n 1 <<<"$out")
	sed '$d' <<<"$out"
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		echo "$line"
		failed=$((failed + 1))
	fi
}

part tests/disturbed.py --bytes "${1:-3M}"
part tests/lawful.py --sessions "${2:-3000}"
part tests/flood.py "${3:-300000}"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
