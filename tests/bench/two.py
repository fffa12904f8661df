#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two workers on two cores (`read -w 2`): throughput and CPU beside one, on two files and on one.

    two.py [--bytes 200M] [--rounds 5] [--only abe] [--json FILE]

One process reads the input and hands packets out, two follow connections, one judges: four share the two cores. On one
file and on several the reading is the serial part.
"""
import argparse
import json
import statistics
import tempfile

import workloads as w


def pair(paths, a, tmp):
    fast, dear = [], []
    for _ in range(a.rounds):
        runs = []
        for workers in ('1', '2'):
            w.forget(f'{tmp}/db')
            runs.append(w.run(w.command(f'{tmp}/db', paths, '-w', workers)))
        fast.append(runs[0][1] / runs[1][1])
        dear.append(runs[1][0] / runs[0][0])
    return {'throughput': statistics.median(fast), 'best_throughput': max(fast), 'cpu': statistics.median(dear),
            'least_cpu': min(dear)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--bytes', default='200M')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--only', default='abe')
    p.add_argument('--json', default='two.json')
    a = p.parse_args()
    out = {}
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        for name in a.only:
            kind, seed, _, more, _ = w.WORK[name]
            one = w.workload(name, w.size(a.bytes))
            much = ['--sessions', 60000] if name == 'e' else ['--bytes', round(w.size(a.bytes))]
            other = w.make(f'{w.DIR}/stripwire-bench-{name}-other.pcap', kind, *much, '--seed', seed + 100, *more)
            out[name] = {'one_file': pair([one], a, tmp), 'two_files': pair([one, other], a, tmp)}
            for what, r in out[name].items():
                print(f'{name} {what:9s} throughput x {r["throughput"]:.2f} (best {r["best_throughput"]:.2f}), '
                      f'CPU x {r["cpu"]:.2f} (least {r["least_cpu"]:.2f})', flush=True)
    with open(a.json, 'w') as f:
        json.dump(out, f, indent=1)


main()
