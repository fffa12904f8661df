#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The build without Hyperscan (make HYPERSCAN=), where patterns are looked for one by one: it has no warnings, passes the
# tests of the rules, and gives the alerts that the usual build gives, by the shipped rules and by the published shapes.
set -u
cd "$(dirname "$0")/.." || exit 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
B=build/plain
passed=0 failed=0
units="rule rule_load rule_vars rule_mistakes keyword content engine shapes policy"

ok() {
	passed=$((passed + 1))
}

bad() {
	failed=$((failed + 1))
	echo "FAIL $*"
}

# shellcheck disable=SC2046
if make -s -j"$(nproc)" HYPERSCAN= B=$B $B/stripwire $(printf "$B/unit/%s_test " $units) >"$tmp/make" 2>&1; then
	ok
else
	bad "it does not build"
	tail -20 "$tmp/make"
	echo "$passed passed, $failed failed"
	exit 1
fi
if $B/stripwire rules check sensor.rules | grep -q 'patterns: one by one'; then ok; else bad "Hyperscan is there all the same"; fi
for u in $units; do
	if $B/unit/"$u"_test >"$tmp/out" 2>&1; then ok; else
		bad "$u"
		tail -5 "$tmp/out"
	fi
done

alerts() {
	"$1" read -q --no-db --host lab --no-system-trust --trust pcaps/ca-root.pem -r "$2" --eve - pcaps
}

grep -v '^[=+~-]' tests/rules/shapes.rules >"$tmp/shapes.rules"
for rules in sensor.rules "$tmp/shapes.rules"; do
	alerts ./stripwire "$rules" >"$tmp/with" 2>"$tmp/err"
	alerts $B/stripwire "$rules" >"$tmp/without" 2>>"$tmp/err"
	if [ -s "$tmp/with" ] && cmp -s "$tmp/with" "$tmp/without"; then ok; else
		bad "other alerts by $rules: $(tail -3 "$tmp/err")"
	fi
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
