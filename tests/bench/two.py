#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two workers on two cores (`read -w 2`): throughput and CPU beside one worker.

    two.py [--bytes 1.5G] [--rounds 5] [--only abe] [--json FILE]

    two files   captures that have nothing to do with each other (of one time, both directions): each is one worker's
    one file    one process reads it and hands packets out, two follow connections: the reading is the serial part
    bound       two `read` of a worker each, on a file each, that share nothing, at once beside one after the other:
                what this machine allows

Times are of the processes from their start to their end. Medians of the rounds.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time

import workloads as w


def cpu_of_children():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


def row(runs):
    """runs: (CPU and wall of the one way, CPU and wall of the other)."""
    fast = [one[1] / two[1] for one, two in runs]
    dear = [two[0] / one[0] for one, two in runs]
    return {'throughput': statistics.median(fast), 'least_throughput': min(fast), 'most_throughput': max(fast),
            'cpu': statistics.median(dear), 'least_cpu': min(dear), 'most_cpu': max(dear),
            'wall': [statistics.median(x[k][1] for x in runs) for k in (0, 1)],
            'cpu_seconds': [statistics.median(x[k][0] for x in runs) for k in (0, 1)]}


def read(paths, workers, tmp):
    w.forget(f'{tmp}/db')
    return w.run(w.command(f'{tmp}/db', paths, '-w', workers))[:2]


def pair(paths, rounds, tmp):
    return row([(read(paths, '1', tmp), read(paths, '2', tmp)) for _ in range(rounds)])


def reads(paths, tmp, at_once):
    for k in range(len(paths)):
        w.forget(f'{tmp}/db{k}')
    cpu, wall = cpu_of_children(), time.time()
    running = []
    for k, path in enumerate(paths):
        running.append(subprocess.Popen(list(map(str, w.command(f'{tmp}/db{k}', [path]))), stdout=subprocess.DEVNULL))
        if not at_once:
            running[-1].wait()
    for p in running:
        p.wait()
    return cpu_of_children() - cpu, time.time() - wall


def bound(paths, rounds, tmp):
    return row([(reads(paths, tmp, False), reads(paths, tmp, True)) for _ in range(rounds)])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--bytes', default='1.5G')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--only', default='abe')
    p.add_argument('--json', default='two.json')
    a = p.parse_args()
    out = {}
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        for name in a.only:
            one, other = (w.workload(name, w.size(a.bytes), k) for k in (0, 1))
            out[name] = {'two files': pair([one, other], a.rounds, tmp), 'one file': pair([one], a.rounds, tmp),
                         'bound': bound([one, other], a.rounds, tmp)}
            for what, r in out[name].items():
                print(f'{name} {what:9s} throughput x {r["throughput"]:.2f} ({r["least_throughput"]:.2f} to '
                      f'{r["most_throughput"]:.2f}), CPU x {r["cpu"]:.2f} ({r["least_cpu"]:.2f} to '
                      f'{r["most_cpu"]:.2f}); {r["wall"][0]:.2f} s, {r["wall"][1]:.2f} s', flush=True)
    with open(a.json, 'w') as f:
        json.dump(out, f, indent=1)


main()
