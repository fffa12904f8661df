#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# fuzz.sh SECONDS [TARGET...]: replays each target's corpus, then fuzzes;
# SECONDS are for all targets together. What a target finds is kept in
# build/fuzz/found/ and its name printed. The walk starts from FUZZ_SEED, the
# same in every run of the tests; make long takes another each time.
set -u
cd "$(dirname "$0")/.." || exit 2
total=$1
shift
make -s -j"$(nproc)" BUILD=fuzz fuzz-programs || exit 1
targets=("$@")
[ ${#targets[@]} -gt 0 ] || for t in build/fuzz/fuzz/*; do
	[ -x "$t" ] && targets+=("$(basename "$t")")
done
each=$((total / ${#targets[@]}))
[ $each -gt 0 ] || each=1
mkdir -p build/fuzz/found build/fuzz/grown
passed=0 failed=0
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1

one() {
	local t=$1 corpus=tests/fuzz/corpus/$1 log=build/fuzz/$1.log
	mkdir -p "build/fuzz/grown/$t"
	[ -d "$corpus" ] || mkdir -p "$corpus"
	: >"$log"
	if [ -n "$(ls -A "$corpus")" ]; then
		build/fuzz/fuzz/"$t" -runs=0 -artifact_prefix=build/fuzz/found/"$t"- "$corpus" >>"$log" 2>&1 || return 1
	fi
	build/fuzz/fuzz/"$t" -max_total_time=$each -seed="${FUZZ_SEED:-1}" -timeout=20 -rss_limit_mb=2048 \
		-max_len=16384 -artifact_prefix=build/fuzz/found/"$t"- \
		"build/fuzz/grown/$t" "$corpus" >>"$log" 2>&1
}

# as many at a time as there are processors: the seconds are those of processors
tell() {
	local t=$1
	if wait "$2"; then
		passed=$((passed + 1))
		echo "$t: $(grep -E '^Done|^stat::number_of_executed' build/fuzz/$t.log | tail -n 1)"
	else
		failed=$((failed + 1))
		echo "FAIL $t"
		grep -E 'ERROR|SUMMARY|runtime error|Test unit written|#[0-9]+ 0x' build/fuzz/$t.log | head -15
	fi
}

names=() pids=()
for t in "${targets[@]}"; do
	if [ ${#pids[@]} -ge "$(nproc)" ]; then
		tell "${names[0]}" "${pids[0]}"
		names=("${names[@]:1}") pids=("${pids[@]:1}")
	fi
	one "$t" &
	names+=("$t") pids+=($!)
done
for i in "${!pids[@]}"; do
	tell "${names[$i]}" "${pids[$i]}"
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
