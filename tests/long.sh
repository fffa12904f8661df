#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# make long: the numbers that take their time. In this order: disturbed traffic
# (100 MB of each kind and disturbance, 20,000 honest sessions, 10 million SYNs);
# 40 minutes at full speed, which draws docs/soak.svg anew; 100,000 alerts through
# feeds that break (to files, and further down to each kind of receiver); 500
# processes killed; 1,000 reloads; two months of mail without an attacker (100,000
# sessions); what hostile certificates cost; how long retention takes with a
# million alerts; 10,000 mutated copies; LONG_FUZZ seconds of fuzzing (default
# one hour) over all targets.
set -u
cd "$(dirname "$0")/.." || exit 2
make -s -j"$(nproc)" BUILD=asan tools || exit 1
status=0
tests/disturbed.sh 100M 20000 10000000 || status=1
make -s hooks tools && tests/soak.py --minutes 40 --plot docs/soak.svg || status=1
tests/feed_delivery.py --alerts 100000 --kills 10 --breaks 10 || status=1
tests/kills.py --segv 100 --judge 200 --supervisor 200 || status=1
tests/live_reload.py --reloads 1000 --rate 10000 || status=1
tests/transports.py --sensor --count 100000 --breaks 10 --kills 10 \
	--resend 8000 --hold 1 --patience 300 --figures || status=1
# longer than a producer is given: it is made anew
tests/transports.py --sensor --only kafka --count 20000 --breaks 3 --kills 3 \
	--hold 13 --patience 300 --figures || status=1
tests/benign.py --sessions 100000 --weeks 8 || status=1
make -s -j"$(nproc)" build/release/unit/verifier_cost_test || exit 1
FIGURES=1 build/release/unit/verifier_cost_test || status=1
make -s build/release/unit/store_retain_cost_test || exit 1
FIGURES=1000000 build/release/unit/store_retain_cost_test || status=1
tests/mutate.sh 10000 2 | tail -n 2 || status=1
FUZZ_SEED=$RANDOM tests/fuzz.sh "${LONG_FUZZ:-3600}" || status=1
exit $status
