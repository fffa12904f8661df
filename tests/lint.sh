#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Format, layers, sizes, clang-tidy. Prints what is wrong, then a count.
set -u
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0

check() {
	name=$1
	shift
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		echo "$out" | head -40
	fi
}

format() {
	clang-format --dry-run --Werror decoders/*.[ch] rules/*.[ch] db/*.[ch] \
		sensor/*.[ch] tests/*.h tests/unit/*.[ch] tests/fuzz/*.[ch] \
		tests/tools/*.c
}

licence() {
	bad=$(grep -L 'SPDX-License-Identifier: GPL-3.0-or-later' decoders/*.[ch] \
		rules/*.[ch] db/*.[ch] sensor/*.[ch] tests/unit/*.c tests/fuzz/*.c \
		tests/tools/*.c tests/*.sh Makefile)
	[ -z "$bad" ] || { echo "no SPDX line: $bad"; return 1; }
}

tidy() {
	ls decoders/*.c rules/*.c db/*.c sensor/*.c |
		xargs -P2 -I{} clang-tidy --quiet {} -- -std=c11 -D_GNU_SOURCE -I. \
			-Ibuild/release -DSTRIPWIRE_DATADIR='""' 2>/dev/null | grep -E 'error|warning' | sort -u >/tmp/tidy.$$
	n=$(wc -l </tmp/tidy.$$)
	cat /tmp/tidy.$$
	rm -f /tmp/tidy.$$
	[ "$n" -eq 0 ]
}

check layers tests/layers.sh
check sizes tests/sizes.sh
check format format
check licence licence
check clang-tidy tidy
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
