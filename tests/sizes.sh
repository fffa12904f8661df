#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Measures what the conventions ask for: functions with a median of at most
# 15 lines, 95 % at most 60, none over 100; files at most 800 lines;
# parameters at most 5 (7 where an error buffer or a context comes along).
set -u
cd "$(dirname "$0")/.." || exit 2
files=$(ls decoders/*.c rules/*.c db/*.c sensor/*.c)
bad=0

big=$(wc -l decoders/*.[ch] rules/*.[ch] db/*.[ch] sensor/*.[ch] |
	awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines, 800 at most" }')
[ -n "$big" ] && echo "$big" && bad=1

ctags -x --_xformat='%{end} %n %N %F' --kinds-C=f --fields=+e $files |
	awk '{ print $1 - $2 + 1, $4 ":" $2 ": " $3 }' | sort -n >/tmp/sizes.$$
awk -v OFS= '
	{ n++; len[n] = $1; if ($1 > 100) { print $2, " ", $3, ": ", $1, " lines, 100 at most"; bad = 1 } }
	END {
		m = len[int((n + 1) / 2)]; p = len[int(n * 0.95)]
		print "sizes: ", n, " functions, median ", m, ", 95 % ", p, ", longest ", len[n]
		if (m > 15) { print "median over 15"; bad = 1 }
		if (p > 60) { print "95 % over 60"; bad = 1 }
		exit bad
	}' /tmp/sizes.$$ || bad=1
rm -f /tmp/sizes.$$

ctags -x --_xformat='%S	%N	%F:%n' --kinds-C=f --fields=+S $files |
	awk -F'\t' '{
		s = $1; depth = 0; n = 1
		for (i = 2; i < length(s); i++) {
			c = substr(s, i, 1)
			if (c == "(") depth++
			else if (c == ")") depth--
			else if (c == "," && depth == 0) n++
		}
		max = s ~ /errlen|char \*err/ ? 7 : (s ~ /void \*/ ? 6 : 5)
		if (n > max) { print $3 ": " $2 " has " n " parameters"; bad = 1 }
	} END { exit bad }' || bad=1
exit $bad
