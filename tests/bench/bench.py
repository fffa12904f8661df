#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU of `stripwire read` as a multiple of N: the CPU seconds of a bare pcap_next_ex loop over the
same file, in the same run, in turn; medians of the ratios. Start-up is in it, and every alert is stored.

    bench.py [--bytes 1.5G] [--rounds 7] [--only abcdef] [--json FILE] [--no-peers]

--bytes is the size of workload a; the others follow (workloads.py). Peers that are installed
(ndpiReader, tshark, tcpflow, Suricata) are measured on the same files, once a round.
"""
import argparse
import json
import os
import shutil
import sqlite3
import statistics
import tempfile

import workloads as w

LOOP = f'{w.TOP}/build/release/tools/pcaploop'
MUST = {'a': 2.5, 'b': 2, 'c': 3, 'd': 1.3, 'e': 5, 'f': 6}
AIM = {'a': 1.6, 'b': 1.3, 'c': 2.2, 'd': 1.1, 'e': 2.5, 'f': 2}


def peers(path, tmp):
    """Name and command of what others do with the file, as they come out of the box."""
    known = {'ndpiReader': ['-i', path, '-q'], 'tshark': ['-n', '-r', path],
             'tcpflow': ['-r', path, '-o', f'{tmp}/tcpflow', '-q'],
             'suricata': ['-r', path, '-l', tmp, '-k', 'none', '--runmode', 'single']}
    return {name: [name, *args] for name, args in known.items() if shutil.which(name)}


def spread(values):
    return {'median': statistics.median(values), 'min': min(values), 'max': max(values)}


def alerts(db):
    with sqlite3.connect(db) as c:
        return c.execute('SELECT count(*) FROM alerts').fetchone()[0]


def measure(name, a, tmp):
    path, db = w.workload(name, w.size(a.bytes)), f'{tmp}/db'
    n, own, ratio, peak, other = [], [], [], 0, {}
    others = {} if a.no_peers else peers(path, tmp)
    for _ in range(a.rounds):
        base = w.run([LOOP, path])[0]
        w.forget(db)
        cpu, _, rss = w.run(w.command(db, [path]))
        n.append(base)
        own.append(cpu)
        ratio.append(cpu / base)
        peak = max(peak, rss)
        for peer, cmd in others.items():
            cpu, _, rss = w.run(cmd)
            o = other.setdefault(peer, {'ratio': [], 'mib': 0})
            o['ratio'].append(cpu / base)
            o['mib'] = max(o['mib'], rss / 1024)
    row = {'workload': name, 'what': w.WORK[name][4], 'file_bytes': os.path.getsize(path), 'n': spread(n),
           'cpu': spread(own), 'ratio': spread(ratio), 'must': MUST[name], 'aim': AIM[name],
           'peak_mib': peak / 1024,
           'alerts': alerts(db),
           'peers': {k: {'ratio': spread(v['ratio']), 'peak_mib': v['mib']} for k, v in other.items()}}
    w.forget(db)
    return row


def start_up(a, tmp):
    path = w.make(f'{w.DIR}/stripwire-bench-start.pcap', 'small-sessions', '--sessions', 1, '--seed', 15)
    cpu = []
    for _ in range(a.rounds):
        w.forget(f'{tmp}/db')
        cpu.append(w.run(w.command(f'{tmp}/db', [path]))[0])
    return spread(cpu)


def show(row):
    r = row['ratio']
    print(f'{row["workload"]} {row["what"]:22s} {row["n"]["median"]:6.3f} {row["cpu"]["median"]:8.3f}   '
          f'{r["median"]:6.2f} ({r["min"]:.2f} - {r["max"]:.2f})  {row["must"]:5.1f}  {row["peak_mib"]:7.1f}  {row["alerts"]:7d}')
    for peer, p in row['peers'].items():
        print(f'    {peer:20s} {"":15s}   {p["ratio"]["median"]:6.1f}                       {p["peak_mib"]:9.1f}', flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    quick = os.environ.get('BENCH') == 'quick'
    p.add_argument('--bytes', default='50M' if quick else '1.5G')
    p.add_argument('--rounds', type=int, default=3 if quick else 7)
    p.add_argument('--only', default='abcdef')
    p.add_argument('--json', default='bench.json')
    p.add_argument('--no-peers', action='store_true')
    a = p.parse_args()
    print(f'workload                 N (s)  cpu (s)   CPU/N: median (spread)   must  peak MiB   alerts   [a: {a.bytes}, {a.rounds} pairs]')
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        begin, rows = start_up(a, tmp), []
        for name in a.only:
            rows.append(measure(name, a, tmp))
            show(rows[-1])
    print(f'start-up, in each of them: {begin["median"]:.3f} s')
    with open(a.json, 'w') as f:
        json.dump({'bytes': a.bytes, 'rounds': a.rounds, 'start_cpu': begin, 'workloads': rows}, f, indent=1)


main()
