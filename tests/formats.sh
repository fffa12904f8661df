#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same capture gives the same alerts, byte for byte, twice; and the same
# alerts through standard input, gzip, the other byte order, nanoseconds,
# pcapng, and pcapng with a second interface of another link type. Cut into
# three files of a folder, too: connections go on across files.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

alerts() { # FILE, standard input passed on; the file's own name is left out
	rm -f "$tmp"/db*
	./stripwire read -q -d "$tmp/db" -r sensor.rules --host lab --no-system-trust \
		--trust pcaps/ca-root.pem --eve - "$1" 2>"$tmp/err" |
		sed -E 's/,"pcap_filename": ?"[^"]*"//'
}

same() { # WHAT [WANTED]
	if cmp -s "${2:-$tmp/want}" "$tmp/got"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name: $1 differs"
		diff "${2:-$tmp/want}" "$tmp/got" | cut -c1-300 | head -6
		cat "$tmp/err"
	fi
}

for f in pcaps/*.pcap; do
	name=$(basename "$f" .pcap)
	alerts "$f" >"$tmp/want"
	alerts "$f" >"$tmp/got"
	same "a second reading"
	alerts - <"$f" >"$tmp/got"
	same "standard input"
	gzip -c "$f" >"$tmp/$name.gz"
	alerts "$tmp/$name.gz" >"$tmp/got"
	same "gzip"
	alerts - <"$tmp/$name.gz" >"$tmp/got"
	same "gzip on standard input"
	rm -rf "$tmp/split" && mkdir "$tmp/split"
	python3 tests/rewrite.py split "$f" "$tmp/split" || exit 1
	alerts "$tmp/split" | sed -E 's/"pcap_cnt":[0-9]+,//' >"$tmp/got"
	sed -E 's/"pcap_cnt":[0-9]+,//' "$tmp/want" >"$tmp/plain"
	same "a folder of rotated files" "$tmp/plain"
	for form in swapped nano pcapng pcapng-two; do
		python3 tests/rewrite.py $form "$f" "$tmp/$name.$form" || exit 1
		alerts "$tmp/$name.$form" >"$tmp/got"
		same "$form"
	done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
