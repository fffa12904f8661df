#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench: all workloads against a bare pcap_next_ex loop, at full size (15
# minutes, 9 GB of memory file system), or small with BENCH=quick; then what feeds
# cost, for each transport and format. ARGS go to bench.py.
set -eu
cd "$(dirname "$0")/../.."
make -s stripwire tools
python3 tests/bench/bench.py "$@"
exec python3 tests/bench/feeds.py
