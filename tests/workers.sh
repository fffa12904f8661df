#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same input read by 1, 2, 3 and 4 workers: the same alerts, byte for byte
# and in the same order, and the same counts. The inputs: all captures as one;
# some of them in all forms of frames (tunnels, VLANs, fragments, cut, twice)
# as one, where many connections share addresses, ports and times; and traffic
# that a bad tap has disturbed.
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
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
