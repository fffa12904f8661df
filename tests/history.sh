#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `stripwire history` and `stripwire servers`: what is pinned, acknowledged,
# forgotten and imported shows in what the next capture is judged to be.
set -u
cd "$(dirname "$0")/.." || exit 2
sw=$PWD/stripwire rules=$PWD/sensor.rules
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

try() { # NAME STATUS PATTERN COMMAND...; '-': nothing is printed
	local name=$1 want=$2 pattern=$3 status
	shift 3
	"$@" >"$tmp/out" 2>&1 </dev/null
	status=$?
	if [ $status -eq "$want" ] && { [ -z "$pattern" ] || [ "$pattern" = - ] || grep -qE -- "$pattern" "$tmp/out"; } &&
		{ [ "$pattern" != - ] || [ ! -s "$tmp/out" ]; }; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name: exit $status, wanted $want and /$pattern/"
		head -n 8 "$tmp/out"
	fi
}

# capture NAME SESSION...: sessions of the scenes one after the other
capture() {
	local name=$1
	shift
	PYTHONDONTWRITEBYTECODE=1 python3 - "$tmp/$name.pcap" "$@" <<-'EOF'
	import sys
	sys.path.insert(0, 'tests')
	sys.path.insert(0, 'tests/tools')
	import scenes, make_capture
	known, unused = {}, {}
	for f in ('sessions', 'strip', 'change', 'certs'):
	    scenes.load(f'tests/scenes/{f}.txt', known, unused)
	c = make_capture.Capture()
	steps = []
	for word in sys.argv[2:]:
	    steps.append(('', word.replace('_', ' ') if word.startswith('run_') else word))
	c.play(scenes.expand(steps, known)[0])
	c.write(sys.argv[1])
	EOF
}

read_() { # DB CAPTURE: findings above info, one a line
	"$sw" read -q -r "$rules" --no-system-trust -d "$1" "$tmp/$2.pcap" >/dev/null 2>&1
	"$sw" alerts -d "$1" --severity low --json 2>/dev/null | grep -o '"finding": *"[a-z-]*"'
}

h() {
	"$sw" history -d "$tmp/x.db" "$@"
}

capture tls 'run_smtp-tls_x12'
capture strip 'wait 1d' 'run_smtp-stripped-mail'
server=10.2.0.25:25

read_ "$tmp/x.db" tls >/dev/null
try inventory 0 "^$server +smtp +always .* well known +12 " "$sw" servers -d "$tmp/x.db"
try "inventory by name" 0 '^mx.example.net:25 ' "$sw" servers -d "$tmp/x.db"
try "inventory as JSON" 0 '"server":"10.2.0.25".*"known":"well known"' "$sw" servers -d "$tmp/x.db" --json
try "one server and its clients" 0 '^10.1.0.0/24 +12 +0 +12 +0' h list "$server"

# a copy judges as the original does
cp "$tmp/x.db" "$tmp/first.db"
h export >"$tmp/x.json"
try "import" 0 '2 servers, 2 clients and networks, 0 pins' "$sw" history -d "$tmp/copy.db" import "$tmp/x.json"
"$sw" history -d "$tmp/copy.db" export >"$tmp/copy.json"
try "what was exported and imported is the same" 0 '' cmp "$tmp/x.json" "$tmp/copy.json"
try "stripped" 0 starttls-stripped read_ "$tmp/first.db" strip
try "stripped, by imported history" 0 starttls-stripped read_ "$tmp/copy.db" strip

# acknowledged, pinned, forgotten
try "ack" 0 'the 12 with it are history' h ack "$server"
try "acknowledged: no alert" 1 - read_ "$tmp/x.db" strip
try "pin" 0 '' h pin "$server" starttls=required
try "pins are listed" 0 "$server +starttls=required" h list
rm -f "$tmp/y.db"*
try "pin for an address never seen" 0 '' "$sw" history -d "$tmp/y.db" pin "$server" starttls=required
try "pinned: stripped without history" 0 starttls-stripped read_ "$tmp/y.db" strip
rm -f "$tmp/z.db"*
try "pin by name" 0 '' "$sw" history -d "$tmp/z.db" pin mx.example.net:25 starttls=required
try "pinned by name" 0 starttls-stripped read_ "$tmp/z.db" strip
try "unpin" 0 '' h unpin "$server"
try "unpin what is not" 1 'is not pinned' h unpin "$server"
try "forget" 0 'forgotten \(3 entries\)' h forget "$server"
try "forgotten" 1 'nothing is known of' h forget "$server"
try "forgotten for good" 0 'nothing is known of' h list "$server"

# what answers in TLS 1.3 is known from the database in the next run, told once, and acknowledged
capture usual13 'run_imaps13_x12'
capture other13 'wait 1d' 'run_other13'
capture again13 'wait 2d' 'run_other13'
capture again13b 'wait 3d' 'run_other13'
read_ "$tmp/s.db" usual13 >/dev/null
cp "$tmp/s.db" "$tmp/t.db"
try "another stack answers" 0 tls-fingerprint-changed read_ "$tmp/s.db" other13
count() { read_ "$1" "$2" | grep -c fingerprint; }
try "and is told once" 0 '^1$' count "$tmp/s.db" again13
read_ "$tmp/t.db" other13 >/dev/null
"$sw" history -d "$tmp/t.db" export >"$tmp/t.json"
try "the export holds it" 0 '"pending": *true' cat "$tmp/t.json"
try "ack of what answers" 0 'is its own way from now on' "$sw" history -d "$tmp/t.db" ack 10.2.0.25:993
try "acknowledged" 0 '^1$' count "$tmp/t.db" again13b

# policies
printf 'version: STSv1\nmode: enforce\nmx: *.example.net\nmax_age: 604800\n' >"$tmp/enforce"
sed s/enforce/testing/ "$tmp/enforce" >"$tmp/testing"
rm -f "$tmp/p.db"*
try "policy" 0 'example.net: enforce, TLS is due on port 25 of 1 names for 7 days' \
	"$sw" history -d "$tmp/p.db" policy example.net "$tmp/enforce"
try "policy is listed" 0 '\*.example.net:25 .*policy of example.net until 20' "$sw" history -d "$tmp/p.db" list
cp "$tmp/p.db" "$tmp/q.db"
try "policy enforced" 0 starttls-stripped read_ "$tmp/q.db" strip
try "mode testing obliges nobody" 0 'testing, which obliges nobody' \
	"$sw" history -d "$tmp/p.db" policy example.net "$tmp/testing"
try "mode testing is silent" 1 - read_ "$tmp/p.db" strip
echo '[{"domain":"example.net","mode":"enforce","mx":["mx.example.net"],"max_age":9}]' >"$tmp/list.json"
try "policies as a list" 0 'port 25 of 1 names' "$sw" history -d "$tmp/p.db" policy "$tmp/list.json"
echo '[{"domain":"example.net","mode":"enforce","mx":["x"],"max_age":9}]' >"$tmp/list.json"
try "a bad list" 1 'list.json: \[0\]: mx\[0\] is no name' "$sw" history -d "$tmp/p.db" policy "$tmp/list.json"

# what is pinned of the certificate: anything else is an alert, and the right one is none
capture mitm 'conn 587' 'S: 220 mx.example.net ESMTP' 'C: EHLO c.example.org' 'S: 250-mx.example.net' 'S: 250 STARTTLS' \
	'C: STARTTLS' 'S: 220 go' 'hello 12 sni=mx.example.net' 'flight 12 cert=mitm' finish app 'fin C'
pinned() { # NAME FINDING CAPTURE PORT KEY=VALUE
	rm -f "$tmp/c.db"*
	"$sw" history -d "$tmp/c.db" pin "10.2.0.25:$4" "$5"
	if [ "$2" = - ]; then try "$1" 1 - read_ "$tmp/c.db" "$3"; else try "$1" 0 "\"$2\"" read_ "$tmp/c.db" "$3"; fi
}
pinned "another key" cert-changed tls 25 "key=$(printf '%064d' 0)"
pinned "another issuer" cert-changed tls 25 issuer=Nobody
pinned "another name" cert-name-mismatch tls 25 name=other.example.org
pinned "a lower version" tls-old-version tls 25 tls-min=1.3
pinned "version as pinned" - tls 25 tls-min=1.2
pinned "name as pinned" - tls 25 name=mx.example.net
pinned "an interceptor" cert-interceptor mitm 587 starttls=required
pinned "an own interceptor" - mitm 587 interceptor=allowed

# wrong usage
try "no server" 1 "'mx' is no server" h pin mx starttls=required
try "no port" 1 'is no server' h pin mx.example.org starttls=required
try "port out of range" 1 'is no server' h pin mx.example.org:65536 starttls=required
try "IPv6 without brackets" 1 'is no server' h pin 2001:db8::1:25 starttls=required
try "IPv6" 0 '' h pin '[2001:db8::1]:993' tls-min=1.2
try "nothing to pin" 1 "is nothing to pin" h pin mx.example.org:25 colour=red
try "a wrong value" 1 'starttls= takes required, offered or none' h pin mx.example.org:25 starttls=yes
try "a key that is too short" 1 'key= takes 64 hex digits' h pin mx.example.org:25 key=abcd
try "a port of no protocol" 1 'say proto=smtp' h pin mx.example.org:7777 starttls=none
try "with its protocol" 0 '' h pin mx.example.org:7777 starttls=none proto=imap
try "no word" 2 'says not what to do' h
try "an unknown word" 2 'there is no command lost' h lost
try "too many words" 2 'too few or too many words for unpin' h unpin a b
try "no database" 1 'no such database' "$sw" servers -d "$tmp/none.db"
echo '{"stripwire_history":1,"servers":[{}]}' >"$tmp/bad.json"
try "a bad import" 1 'bad.json: servers\[0\].proto is no protocol' h import "$tmp/bad.json"
echo '{"stripwire' >"$tmp/bad.json"
try "no JSON" 1 'bad.json:1:' h import "$tmp/bad.json"
try "no file" 1 'nowhere' h import "$tmp/nowhere"
try "help" 0 'usage: stripwire history list' h --help

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
