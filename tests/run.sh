#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# All tests, in order of how fast they tell. Each part prints lines of the
# form `N passed, N failed[, N skipped]`; the last line adds them up.
set -u
cd "$(dirname "$0")/.." || exit 2
log=$(mktemp -d)
declare -A beside
trap 'rm -rf "$log"; kill "${beside[@]}" 2>/dev/null' EXIT
passed=0 failed=0 skipped=0

# part NAME COMMAND...: its closing line is added; no closing line is a failure
part() {
	local name=$1 t0=$SECONDS
	shift
	"$@" >"$log/out" 2>&1
	local status=$?
	local line
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log/out" | tail -n 1)
	if [ -z "$line" ]; then
		line="0 passed, 1 failed"
	elif [ $status -ne 0 ] && [[ $line == *" 0 failed"* ]]; then
		line="${line%%,*}, 1 failed"
	fi
	set -- $line
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + ${5:-0}))
	printf '%-28s %s  (%d s)\n' "$name" "$line" $((SECONDS - t0))
	grep -E '^(SKIP|skip)' "$log/out" | head -5
	if [ "$3" -ne 0 ] || [ $status -ne 0 ]; then
		tail -n 60 "$log/out" | sed 's/^/    /'
	fi
}

# a command that must succeed counts as one test
must() {
	if "$@"; then echo "1 passed, 0 failed"; else
		echo "0 passed, 1 failed"
		return 1
	fi
}

# unit PROGRAM: its failures, and a closing line
unit() {
	local out status line
	out=$("$1" 2>&1)
	status=$?
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' <<<"$out" | tail -n 1)
	[ -n "$line" ] || line="0 passed, 1 failed"
	if [ $status -ne 0 ]; then
		echo "$1"
		tail -n 30 <<<"$out" | grep -vE '^[0-9]+ passed'
		[[ $line != *" 0 failed"* ]] || line="${line%%,*}, 1 failed"
	fi
	grep -E '^(SKIP|skip)' <<<"$out"
	echo "$line"
}

# units BUILD: as many at a time as there are processors
units() {
	local all
	all=$(export -f unit && ls "build/$1"/unit/*_test | xargs -P "$(nproc)" -I{} bash -c 'out=$(unit {}); echo "$out"')
	grep -vE '^[0-9]+ passed' <<<"$all"
	awk '/^[0-9]+ passed, / { p += $1; f += $3 } END { print p + 0 " passed, " f + 0 " failed"; exit f > 0 }' <<<"$all"
}

# begin NAME COMMAND...: what has time, or mostly waits, is started early and
# works beside the others; ended NAME, as a part, takes its result
begin() {
	local name=$1
	shift
	"$@" >"$log/$name" 2>&1 &
	beside[$name]=$!
}

ended() {
	wait "${beside[$1]}"
	local status=$?
	cat "$log/$1"
	return $status
}

jobs=-j$(nproc)
part "build, gcc" must make -s $jobs stripwire
part "build, clang" must make -s $jobs CC=clang B=build/clang build/clang/stripwire
part "build, sanitizers" must make -s $jobs BUILD=asan all unit-programs tools B=build/asan
make -s stripwire tools
begin lint nice -n 19 tests/lint.sh # the time that others leave
begin fleet tests/fleet.py # ClickHouse takes its time to join a topic
begin formats tests/formats.sh
part "units, sanitizers" units asan
part "without Hyperscan" tests/plain.sh
part "formats" ended formats
begin secrets tests/secrets.py
part "goldens" tests/golden.sh
part "scenes" tests/scenes.py
part "known attacks" tests/attacks.py
part "forged and lawful TCP" tests/tcp.py
part "every password in clear" tests/credentials.py
part "evasion" tests/evasion.py
part "JA3 beside tshark" tests/ja3.py
part "real TLS handshakes" tests/handshakes.py
part "encapsulations" tests/encap.sh
part "two connections, one four-tuple" tests/legs.py
part "connections that rest" tests/rest.sh
part "command line" tests/cli.sh
part "one database, in order of time" tests/together.py
part "formats of the feeds" tests/feeds.py
part "events beside alerts" tests/eve_events.py
part "configurations for SIEMs" tests/siem.py
part "fleet in ClickHouse" ended fleet
part "doctor" tests/doctor.sh
part "doctor on an interface" tests/doctor_live.py
part "history and inventory" tests/history.sh
part "incidents" tests/incidents.py
part "shipped rules and their twins" tests/shipped.py
part "documentation" tests/docs.py
part "rules read again under load" tests/reload.py
part "labelled captures" tests/labels.sh
part "no secret, no core" ended secrets
part "1 to 4 workers" tests/workers.sh
part "instructions" tests/bench/counts.py
part "live" sh -c 'make -s hooks tools && tests/live.py'
part "all read again while live" tests/live_reload.py
part "feeds, killed and broken" sh -c 'make -s hooks tools && tests/feed_delivery.py'
part "feeds, all in trouble at once" sh -c 'make -s hooks tools && tests/feed_trouble.py'
part "the unit under systemd" tests/systemd.py
part "kills" tests/kills.py
part "lab" tests/lab/lab.py --short
part "feeds to real receivers" tests/transports.py
part "a disturbed tap" tests/disturbed.sh
part "mail without an attacker" tests/benign.py
part "every capture, sanitizers" tests/mutate.sh 1000
part "lint" ended lint
part "fuzzing" tests/fuzz.sh 180
if [ $skipped -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ $failed -eq 0 ]
