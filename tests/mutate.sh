#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# mutate.sh COUNT [SEED]: all captures we have, then COUNT mutated copies of
# them, through the whole path under sanitizers.
set -u
cd "$(dirname "$0")/.." || exit 2
files=(pcaps/*.pcap)
for d in ../shared/pcaps/lab ../shared/pcaps/third-party; do
	if [ -d "$d" ]; then files+=("$d"/*.pcap); else echo "SKIP $d is not there"; fi
done
exec build/asan/tools/mutate "$1" "${2:-1}" "${files[@]}"
