#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is left of a dialogue when the tap loses, repeats and exchanges packets:
# counts held against what the generator knows it made, in percent, beside
# libnids alone. `disturbed.sh 100M` takes that much of each kind of traffic
# for each line; the default ends within a minute.
set -u
cd "$(dirname "$0")/.." || exit 2
make -s tools || exit 2
python3 tests/disturbed.py --bytes "${1:-3M}"
