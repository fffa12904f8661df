#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make profile W=a: where the instructions of a workload go, by function, what
# they call included.
set -eu
cd "$(dirname "$0")/../.."
make -s stripwire
exec python3 tests/bench/counts.py --show "${1:-a}"
