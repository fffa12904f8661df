#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same input read by 1, 2, 3 and 4 workers: the same alerts, byte for byte
# and in the same order, and the same counts. The inputs: all captures as one;
# some of them in all forms of frames (tunnels, VLANs, fragments, cut, twice)
# as one, where many connections share addresses, ports and times; traffic that
# a bad tap has disturbed; and captures that have nothing to do with each other,
# which workers read at the same time.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

ok() {
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $2"
	fi
}

# what the summary counts, but for time and memory
counts() {
	python3 -c '
import json, sys
o = json.load(open(sys.argv[1]))
for k in ("seconds", "peak_kib", "database"):
    o.pop(k)
o["counters"]["compared"].pop("bytes")  # by a keyed hash: not the same twice
json.dump(o, sys.stdout, indent=1, sort_keys=True)' "$1"
}

# NAME PATH...
compare() {
	local name=$1 n
	shift
	for n in 1 2 3 4; do
		rm -f "$tmp"/db*
		timeout -s KILL 120 ./stripwire read -q -w $n -d "$tmp/db" -r sensor.rules --host lab \
			--no-system-trust --trust pcaps/ca-root.pem \
			--eve "$tmp/eve.$n" --stats "$tmp/stats" "$@" 2>"$tmp/err.$n"
		ok $? "$name, $n workers: $(head -1 "$tmp/err.$n")"
		counts "$tmp/stats" >"$tmp/counts.$n"
		[ $n -eq 1 ] && continue
		cmp -s "$tmp/eve.1" "$tmp/eve.$n"
		ok $? "$name, $n workers: other alerts: $(diff "$tmp/eve.1" "$tmp/eve.$n" | head -2 | cut -c1-300)"
		cmp -s "$tmp/counts.1" "$tmp/counts.$n"
		ok $? "$name, $n workers: other counts: $(diff "$tmp/counts.1" "$tmp/counts.$n" | tr '\n' ' ' | cut -c1-300)"
	done
}

compare "all captures" pcaps
for f in S1-striptls-smtp S7-tcpkill-smtp S10-downgrade-smtp N-S11-imap-login B-loss-reorder; do
	mkdir -p "$tmp/forms"
	python3 tests/rewrite.py --all "$tmp/forms" "pcaps/$f.client.pcap" >/dev/null
done
compare "all forms of frames" "$tmp/forms"
python3 tests/workers.py --names "$tmp/names"
compare "thousands of files" "$tmp/names"
python3 tests/workers.py "$tmp/disturbed" pcaps/*.pcap
for f in "$tmp"/disturbed/*.pcap; do
	compare "$(basename "$f" .pcap)" "$f"
done
# unpacked by the worker that reads
gzip -1 -c "$tmp/disturbed/stepped.pcap" >"$tmp/stepped.pcap.gz"
compare "compressed" "$tmp/stepped.pcap.gz" pcaps/S1-striptls-smtp.client.pcap

# Captures that have nothing to do with each other, read by one worker each, or
# shared out packet by packet: which it is must be what the name says.
apart() {
	local how=$1 name=$2
	shift 2
	compare "$name" "$@"
	./stripwire read -v --no-db -w 2 -r sensor.rules --no-system-trust "$@" 2>&1 >/dev/null |
		grep -c "nothing to do with each other: 2 workers" >"$tmp/how"
	[ "$(cat "$tmp/how")" -eq "$how" ]
	ok $? "$name: read in parts: $(cat "$tmp/how")"
}

python3 tests/workers.py --later "$tmp/disturbed/many.pcap" "$tmp/later.pcap"
python3 tests/workers.py --halves "$tmp/disturbed/many.pcap" "$tmp/up.pcap" "$tmp/down.pcap"
python3 tests/workers.py --moved "$tmp/disturbed/lossy.pcap" "$tmp/moved.pcap"
apart 1 "captures of two places" "$tmp/disturbed/many.pcap" "$tmp/moved.pcap"
apart 1 "of two places and days" "$tmp/disturbed/many.pcap" "$tmp/moved.pcap" "$tmp/later.pcap"
apart 0 "of the same connections" "$tmp"/disturbed/*.pcap
apart 1 "captures of two days" "$tmp/disturbed/many.pcap" "$tmp/later.pcap"
apart 1 "likewise, the later one first" "$tmp/later.pcap" "$tmp/disturbed/many.pcap"
apart 0 "a large one, a small one" "$tmp/disturbed/many.pcap" pcaps/S1-striptls-smtp.client.pcap
apart 0 "each direction in a capture" "$tmp/up.pcap" "$tmp/down.pcap"
together=$(grep -c plaintext-credentials "$tmp/eve.1")
compare "one direction alone" "$tmp/up.pcap"
alone=$(grep -c plaintext-credentials "$tmp/eve.1")
compare "the other alone" "$tmp/down.pcap"
alone=$((alone + $(grep -c plaintext-credentials "$tmp/eve.1")))
[ "$together" -gt "$alone" ]
ok $? "each direction in a capture: $together logins in clear, $alone without what the other has"

# Input is still to come; all processes are there.
begin() {
	local workers=$1
	shift
	rm -f "$tmp/fifo"
	mkfifo "$tmp/fifo"
	timeout -s KILL 60 ./stripwire read -q "$@" -w "$workers" -r sensor.rules --no-system-trust \
		- <"$tmp/fifo" 2>"$tmp/err" &
	exec 9>"$tmp/fifo"
	cat pcaps/S1-striptls-smtp.client.pcap >&9
	for _ in $(seq 200); do
		pid=$(pgrep -P $!)
		children=$(pgrep -P "${pid:-0}")
		[ "$(wc -w <<<"$children")" -eq $((workers + 2)) ] && break
		sleep 0.05
	done
}

# One that dies is said, and that is the end: workers, who reads, the verifier.
dies() {
	local workers=$1 which=$2 status

	begin "$workers" --no-db
	kill -KILL "$(sed -n "${which}p" <<<"$children")"
	wait $!
	status=$?
	exec 9>&-
	[ $status -eq 1 ] && grep -q "a process that looked at packets died" "$tmp/err"
	ok $? "process $which of $workers workers died: exit $status, $(head -1 "$tmp/err")"
}

for which in 1 2 3 4; do
	dies 2 $which
done

# Who looks at packets cannot reach the database.
holders() {
	for child in "$@"; do
		readlink "/proc/$child"/fd/* | grep -q "apart.db" && echo "$child"
	done
}
begin 2 -d "$tmp/apart.db"
for _ in $(seq 100); do # the reader comes last, and closes what it has of others
	[ "$(holders $pid)" = "$pid" ] && [ -z "$(holders $children)" ] && break
	sleep 0.05
done
[ "$(holders $pid)" = "$pid" ] && [ "$(wc -w <<<"$children")" -eq 4 ] && [ -z "$(holders $children)" ]
ok $? "the database is open in: $(holders $pid $children | tr '\n' ' ')of $pid and $(tr '\n' ' ' <<<"$children")"
exec 9>&-
wait $!

# Those that read parts wait for the judge, who waits for its rules.
begin_parts() {
	rm -f "$tmp/rules"
	mkfifo "$tmp/rules"
	timeout -s KILL 60 ./stripwire read -q -w 2 "$@" -r "$tmp/rules" --no-system-trust \
		"$tmp/disturbed/many.pcap" "$tmp/later.pcap" 2>"$tmp/err" &
	for _ in $(seq 200); do
		pid=$(pgrep -P $!)
		children=$(pgrep -P "${pid:-0}")
		[ "$(wc -w <<<"$children")" -eq 3 ] && break
		sleep 0.05
	done
}

for which in 1 2 3; do
	begin_parts --no-db
	kill -KILL "$(sed -n "${which}p" <<<"$children")"
	timeout 60 cat sensor.rules >"$tmp/rules"
	wait $!
	status=$?
	[ $status -eq 1 ] && grep -q "a process that looked at packets died" "$tmp/err"
	ok $? "process $which of two that read parts died: exit $status, $(head -1 "$tmp/err")"
done
begin_parts --no-db
kill -TERM $(sed -n "2,3p" <<<"$children")
timeout 60 cat sensor.rules >"$tmp/rules"
wait $!
status=$?
[ $status -eq 1 ] && grep -q "ended before its time" "$tmp/err"
ok $? "both that read parts were told to end: exit $status, $(head -1 "$tmp/err")"
begin_parts -d "$tmp/apart.db"
[ "$(wc -w <<<"$children")" -eq 3 ] && [ -z "$(holders $children)" ]
ok $? "the database is open in: $(holders $children | tr '\n' ' ')"
timeout 60 cat sensor.rules >"$tmp/rules"
wait $!
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
