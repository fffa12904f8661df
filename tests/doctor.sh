#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `stripwire doctor` over captures: one that is well, and the same with each
# fault that a span port has (rewrite.py). What is said of each, and no more
# than that.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

ok() {
	if "${@:2}"; then passed=$((passed + 1)); else
		failed=$((failed + 1))
		echo "FAIL $1"
	fi
}

# form, exit status, the checks that are not ok, as name:grade
table='
plain            0
vlan             0
vlan-each-way    0  vlans:note
only-client      1  directions:wrong loss:note
only-server      1  directions:wrong loss:note
twice            1  twice:wrong
snaplen          1  cut:wrong loss:note
super            0  offload:note
fragments        0
'
for name in B-starttls-imap N-S11-smtp-plain; do
	python3 tests/rewrite.py --all "$tmp" "pcaps/$name.client.pcap" 2>/dev/null
	cp "pcaps/$name.client.pcap" "$tmp/$name.client.plain"
	while read -r form status want; do
		[ -n "$form" ] || continue
		# its segments are small even when put together
		[ "$name $form" = 'N-S11-smtp-plain super' ] && continue
		file=$tmp/$name.client.$form
		got=$(./stripwire doctor --json "$file")
		ok "$name $form: exit status" test $? -eq "$status"
		told=$(jq -r '.checks[] | select(.grade != "ok") |
		    "\(.check):\(.grade)"' <<<"$got" | tr '\n' ' ')
		ok "$name $form: ${told:-nothing}" test "${told% }" = "$want"
	done <<<"$table"
done
# no mail in it; no packet in it
python3 - "$tmp" <<'P'
import struct, sys
head = struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
open(sys.argv[1] + '/empty', 'wb').write(head)
ip = bytes.fromhex('450000280001000040060000' '0a000001' '0a000002')
with open(sys.argv[1] + '/web', 'wb') as f:
    f.write(head)
    for i in range(9):
        a, b = (40000, 8080) if i % 2 == 0 else (8080, 40000)
        src = ip if i % 2 == 0 else ip[:12] + ip[16:] + ip[12:16]
        tcp = struct.pack('>HHIIBBHHH', a, b, i, i, 0x50, 0x10, 100, 0, 0)
        frame = b'\2\0\0\0\0\1\2\0\0\0\0\2\x08\0' + src + tcp
        f.write(struct.pack('<IIII', i, 0, len(frame), len(frame)) + frame)
P
ok "no mail" test "$(./stripwire doctor --json "$tmp/web" |
    jq -r '.checks[] | select(.grade == "wrong") | .check' | tr '\n' ' ')" = "mail "
ok "nothing" test "$(./stripwire doctor --json "$tmp/empty" |
    jq -r '.checks[] | select(.grade == "wrong") | .check')" = packets
./stripwire doctor >/dev/null 2>&1
ok "neither interface nor file" test $? -eq 2
./stripwire doctor -i nosuch0 >/dev/null 2>"$tmp/err"
ok "no such interface" test $? -eq 2
./stripwire doctor "$tmp/missing" >/dev/null 2>&1
ok "no such file" test $? -eq 2
./stripwire doctor --seconds 0 -i lo >/dev/null 2>&1
ok "no time" test $? -eq 2
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
