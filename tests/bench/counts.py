#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions that small workloads take, held against tests/bench/counts.txt.

    counts.py            5 % more than recorded is a failure; 5 % less is said, to be recorded
    counts.py --record   writes what was counted
    counts.py --show A   where they go in one workload, by function

Counted by callgrind: the same on a loaded machine. `own` is our code alone, `all` includes libraries, which choose their
code by the processor: that is a failure only on a machine like the one that recorded it. The start (which is in all of
them) is a row of its own.
"""
import hashlib
import os
import re
import subprocess
import sys
import tempfile

import workloads as w

LIMIT = 0.05
FILE = f'{w.HERE}/counts.txt'
BYTES = 6e6  # of a; see workloads.py
ROWS = {'start': None, **{k: v[4] for k, v in w.WORK.items()}}


def capture(name):
    if name == 'start':
        return w.make(f'{w.DIR}/stripwire-bench-start.pcap', 'small-sessions', '--sessions', 1, '--seed', 15)
    return w.workload(name, BYTES)


def count(name, out):
    db = out + '.db'
    w.forget(db)
    cmd = w.command(db, [capture(name)])
    p = subprocess.run(['valgrind', '--tool=callgrind', f'--callgrind-out-file={out}', *cmd],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    w.forget(db)
    if p.returncode != 0:
        sys.exit(f'counts.py: {name}: exit {p.returncode}\n{p.stderr[-1500:]}')
    return read(out)


def read(path):
    """(own, all): sums of the lines that are a function's own cost, by object."""
    own, total, is_own, is_call, objects = 0, 0, False, False, {}
    for line in open(path):
        if line.startswith('ob='):
            number, name = re.match(r'ob=\((\d+)\)(?: (.*))?', line).groups()
            name = objects.setdefault(number, name)
            is_own = name.endswith('/stripwire')
        elif re.match(r'cob=\((\d+)\) ', line):
            number, name = re.match(r'cob=\((\d+)\) (.*)', line).groups()
            objects.setdefault(number, name)
        elif line.startswith('calls='):
            is_call = True
        elif line[:1] in '0123456789+-*':
            if not is_call:
                n = int(line.split()[1])
                total += n
                own += n if is_own else 0
            is_call = False
    return own, total


def machine():
    """Of what decides which code of libraries runs."""
    flags = next((line for line in open('/proc/cpuinfo') if line.startswith(('flags', 'Features'))), '')
    libraries = subprocess.run(['ldd', f'{w.TOP}/stripwire'], capture_output=True, text=True).stdout
    files = sorted(set(re.findall(r'=> (\S+)', libraries)))
    sizes = ' '.join(f'{os.path.basename(f)}={os.path.getsize(f)}' for f in files if os.path.exists(f))
    return hashlib.sha256((flags + sizes).encode()).hexdigest()[:16]


def is_same_machine():
    return f'# machine {machine()}\n' in open(FILE)


def recorded():
    rows = {}
    for line in open(FILE):
        if line.strip() and not line.startswith('#'):
            name, own, total = line.split()[:3]
            rows[name] = int(own), int(total)
    return rows


def record(rows):
    with open(FILE, 'w') as f:
        f.write('# Instructions of small workloads (tests/bench/counts.py --record):\n# name  own code  with libraries\n')
        f.write(f'# machine {machine()}\n')
        for name, (own, total) in rows.items():
            f.write(f'{name:5s} {own:12d} {total:12d}  # {ROWS[name] or "program start, one session"}\n')


def compare(rows):
    failed, old, same = 0, recorded(), is_same_machine()
    if not same:
        print('  another processor or other libraries than those recorded: `all` cannot be compared')
    for name, now in rows.items():
        for what, n, was in zip(('own', 'all'), now, old.get(name, (0, 0))):
            change = n / was - 1 if was else 9.99
            bad = change > LIMIT and (what == 'own' or same)
            failed += bad
            print(f'{"FAIL " if bad else ""}{name:5s} {what} {n:12d}  recorded {was:12d}  {change:+.1%}{"  (record it)" if change < -LIMIT else ""}')
    if failed:
        print('  cheaper or worth it: tests/bench/counts.py --record, in the same commit')
    print(f'{2 * len(rows) - failed} passed, {failed} failed')
    return failed != 0


def main():
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        if sys.argv[1:2] == ['--show']:
            count(sys.argv[2], f'{tmp}/out')
            subprocess.run(['callgrind_annotate', '--inclusive=yes', f'{tmp}/out'])
            return 0
        rows = {name: count(name, f'{tmp}/out') for name in ROWS}
    if sys.argv[1:] == ['--record']:
        record(rows)
        return 0
    return compare(rows)


sys.exit(main())
