#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The sample captures in every encapsulation and disturbance that a span port
# gives (rewrite.py). What loses nothing must give the same alerts: finding,
# confidence, severity and addresses. What loses packets or bytes may give
# fewer, never others, and nothing that rests on absence.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 n=0

# form, what is expected, what every alert line must hold
table='
vlan                same    "vlan":\[100\]
vlan-each-way       same
qinq                same    "vlan":\[10,100\]
mpls                same
pseudowire          same
pppoe               same
gre                 same
gre-key             same
nvgre               same
erspan1             same
erspan2             same
erspan3             same
ipip                same
ip-in-ip6           same
vxlan               same
vxlan-8472          same
vxlan-each-way      same
vxlan-ip6           same
geneve              same
nested              same
sll                 same
sll2                same
raw                 same
null                same
null-swapped        same
total-zero          same
super               same
super-zero          same
bad-sums-client     same
bad-sums-server     same
twice               same
fragments           same
fragments-back      same
fragments-again     same
fragments-empty     same
fragments-outside   same
fragments-vxlan     same
synack-first        same
snaplen             fewer   "visibility":"[^"]*truncated|"rst-injected"
no-handshake        fewer   "visibility":"[^"]*midstream
mid-stream          fewer   "visibility":"[^"]*midstream
only-client         fewer
only-server         fewer
'
attacks='S1-ipv6-pop3 S3-SMTP S7-hello S7-tcpkill S7-syn S8-mitmself
S9-respinject N-S11-smtp-plain'
benign='B-hangup B-loss B-nostarttls B-rst-linger B-resume B-starttls'
# A full reading of one direction, of frames cut short or from the middle on
# cannot say that something was missing.
absence='^(starttls-stripped|ehlo-refused|capability-refused|starttls-ignored) '

keys() { # EVE lines to: finding confidence severity addresses
	sed -nE 's/.*"src_ip":"([^"]*)","src_port":([0-9]*),"dest_ip":"([^"]*)","dest_port":([0-9]*).*"finding":"([^"]*)","confidence":([0-9]*),"severity":"([^"]*)".*/\5 \6 \7 \1 \2 \3 \4/p' \
		"$1" | sort
}

alerts() { # FILE OUT
	n=$(((n + 1) % 50))
	[ $n -ne 0 ] || rm -f "$tmp"/db*
	./stripwire read -q -d "$tmp/db$n" -r sensor.rules --host lab --no-system-trust \
		--trust pcaps/ca-root.pem --eve "$tmp/events" "$1" 2>"$tmp/err" ||
		echo "crashed crashed crashed"
	grep -F '"event_type":"alert"' "$tmp/events" >"$2"
}

# Finding and addresses, without what is merely noted.
loud() { grep -v ' info ' "$1" | cut -d' ' -f1,4- | sort -u; }

judge() { # prints what is wrong
	case $expect in
	same) [ "$(<"$tmp/want")" = "$(<"$tmp/got")" ] || diff "$tmp/want" "$tmp/got" ;;
	fewer) comm -13 <(loud "$tmp/want") <(loud "$tmp/got")
		[[ $form == *mid* || $form == *hand* ]] || grep -E "$absence" "$tmp/got" ;;
	esac
	if [ -n "$must" ]; then grep -Ev -- "$must" "$tmp/eve"; fi
}

one() { # NAME
	alerts "$tmp/$1.$form" "$tmp/eve"
	: >"$tmp/got"
	[ ! -s "$tmp/eve" ] || keys "$tmp/eve" >"$tmp/got"
	wrong=
	[ ! -s "$tmp/got" ] && { [ ! -s "$tmp/want" ] || [ $expect = fewer ]; } ||
		wrong=$(judge)
	if [ -z "$wrong" ] && [ ! -s "$tmp/err" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $1 as $form ($expect)"
		echo "$wrong" | cut -c1-200 | head -5
		cat "$tmp/err"
	fi
}

files=
for start in $attacks $benign; do files+=" $(echo pcaps/$start*.pcap)"; done
python3 tests/rewrite.py --all "$tmp" $files || exit 1
for f in $files; do
	name=$(basename "$f" .pcap)
	alerts "$f" "$tmp/eve"
	keys "$tmp/eve" >"$tmp/want"
	while read -r form expect must; do
		[ -z "$form" ] || one "$name"
	done <<<"$table"
done

# One line of 50 MB in one flow, an address that libnids dies of, headers that
# have no length: nothing is said, and memory stays where it was.
peak=$(python3 tests/endless.py 50000000 |
	./stripwire read -q -d "$tmp/endless" -r sensor.rules --json --eve "$tmp/eve" - 2>"$tmp/err" |
	sed -nE 's/.*"peak_kib": *([0-9]+).*/\1/p')
if [ "${peak:-0}" -gt 0 ] && [ "$peak" -lt 65536 ] && [ ! -s "$tmp/eve" ] && [ ! -s "$tmp/err" ]; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	echo "FAIL a line without an end: peak ${peak:-unknown} KiB"
	cat "$tmp/eve" "$tmp/err"
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
