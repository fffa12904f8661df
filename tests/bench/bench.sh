#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make bench: workloads a and b at 200 MB against a bare pcap_next_ex loop, then
# what feeds cost, for each transport and format.
set -eu
cd "$(dirname "$0")/../.."
make -s stripwire tools
python3 tests/bench/bench.py "$PWD/stripwire" "$PWD/build/release/tools/pcaploop" "$@"
exec python3 tests/bench/feeds.py
