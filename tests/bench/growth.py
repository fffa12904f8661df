#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What open flows cost: CPU a packet at 1 k to 1 M of them, and memory a flow.

    growth.py [--flows 1000,10000,100000,1000000] [--rounds 5] [--json FILE]

A packet's cost is that of activity on flows drawn at random, CPU time between two packets of one run
(tests/tools/gauge.c), so that neither start and end nor the opening of flows are in it; likewise for the
bare loop. Median and spread of the rounds.

Memory is the process' own (no mapped files), by table, with default limits. A flow's is all that there is
beyond the start by the number of flows, and what one more of them adds: what is there once for all
(SQLite's cache, tables of a fixed size, flows that are kept whole while few are open) is in the first only.

    half       SYN, SYN/ACK and no more
    greeted    a mail connection that has said its greeting and rests
    encrypted  one that went over to TLS, sent a message and rests; of 20,000 and 50,000
    active     a plaintext session with one message, 10,000 and 40,000 of them interleaved
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

import workloads as w

ACTIVITY = 300000  # exchanges of three packets
WARM = 30000  # packets of them before the first mark
OPENING = 5  # packets
TICK = 4096  # what gauge rounds up to
TOOLS = f'{w.TOP}/build/release/tools'


def lines(cmd):
    r = subprocess.run(list(map(str, cmd)), cwd=w.TOP, capture_output=True, text=True)
    if r.returncode != 0:
        sys.exit(f'{" ".join(map(str, cmd))}: {r.stderr}')
    return [json.loads(x) for x in r.stdout.splitlines()]


def gauge(tmp, path, marks, *options):
    w.forget(f'{tmp}/db')
    return lines([f'{TOOLS}/gauge', '-d', f'{tmp}/db', *options, path, *marks])


def spread(x):
    return {'median': statistics.median(x), 'min': min(x), 'max': max(x)}


def ns(marks):
    a, b = marks[-2:]
    return (b['cpu'] - a['cpu']) / (b['packets'] - a['packets']) * 1e9


def curve(n, rounds, tmp):
    path = w.make(f'{w.DIR}/stripwire-growth-{n}.pcap', 'many-concurrent', '--flows', n, '--activity', ACTIVITY,
                  '--seed', 16)
    marks = OPENING * n + WARM, OPENING * n + 3 * ACTIVITY - TICK
    limit = 1 << max(16, (n * 3 // 2).bit_length())
    own, bare = [], []
    for _ in range(rounds):
        last = gauge(tmp, path, marks, '-f', limit)
        own.append(ns(last))
        bare.append(ns(lines([f'{TOOLS}/pcaploop', path, *marks])))
    os.unlink(path)
    own, bare = spread(own), spread(bare)
    return {'flows': n, 'ns_a_packet': own['median'], 'ns_least': own['min'], 'ns_most': own['max'],
            'bare_ns_a_packet': bare['median'], 'own_mib': last[-1]['own_bytes'] / 2**20}


def by_table(a, b, flows):
    """Bytes by table that b has and a has not, by flow."""
    part = {k: (v[1] - a.get(k, [0, 0])[1]) / flows for k, v in b.items() if isinstance(v, list)}
    part['all'] = (b['own_bytes'] - a['own_bytes']) / flows
    return {k: round(v) for k, v in part.items() if abs(v) >= 1}


def weigh(tmp, path, marks):
    start, *rest = gauge(tmp, path, marks)
    b = rest[-1]
    row = {'flows': b['flows'][0], 'each': by_table(start, b, b['flows'][0])}
    if len(rest) > 1:
        row['one_more'] = by_table(rest[0], b, b['flows'][0] - rest[0]['flows'][0])
    os.unlink(path)
    return row


def memory(tmp):
    def make(name, kind, *options):
        return w.make(f'{w.DIR}/stripwire-growth-{name}.pcap', kind, '--seed', 16, *options)

    many = '--flows', 50000, '--activity', 0
    body = '--body-min', 5000, '--body-max', 5001
    return {
        'half': weigh(tmp, make('half', 'many-concurrent', *many, '--half-open', 1), (40000, 95000)),
        'greeted': weigh(tmp, make('greeted', 'many-concurrent', *many, '--rate', 0.0001), (100000, 245000)),
        'encrypted': weigh(tmp, make('encrypted', 'smtp-starttls', '--sessions', 20000, '--rate', 0.0005, '--stay',
                                     '--body-min', 1000, '--body-max', 3000), (310000, 700000)),
        'encrypted 50k': weigh(tmp, make('encrypted-50k', 'smtp-starttls', '--sessions', 50000, '--rate', 0.00125,
                                         '--stay', '--body-min', 1000, '--body-max', 3000), (700000, 1750000)),
        'active 10k': weigh(tmp, make('10k', 'smtp-plain', '--sessions', 10000, '--concurrency', 10000, *body),
                            (180000,)),
        'active 40k': weigh(tmp, make('40k', 'smtp-plain', '--sessions', 40000, '--concurrency', 40000, *body),
                            (700000,))}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--flows', default='1000,10000,100000,1000000', help='numbers, or nothing')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--json', default='growth.json')
    a = p.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        for n in map(int, filter(None, a.flows.split(','))):
            rows.append(curve(n, a.rounds, tmp))
            print('{flows:8d} flows: {ns_a_packet:6.0f} ns a packet ({ns_least:.0f} to {ns_most:.0f}; '
                  'bare loop {bare_ns_a_packet:.0f}), {own_mib:.0f} MiB'.format(**rows[-1]), flush=True)
        mem = memory(tmp)
    for what, row in mem.items():
        for how in ('each', 'one_more'):
            if how in row:
                print(f'{what}, {row["flows"]} flows, {how}: ' + ', '.join(f'{k} {v}' for k, v in row[how].items()))
    with open(a.json, 'w') as f:
        json.dump({'growth': rows, 'bytes_a_flow': mem}, f, indent=1)


main()
