#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU of `stripwire read` as a multiple of N, the CPU of a bare pcap_next_ex
loop over the same file in the same run, in turn; medians of the ratios.

    bench.py STRIPWIRE PCAPLOOP [--bytes 200M] [--rounds 7] [--only ab]

Workloads are generated into a memory file system (BENCH_DIR, /dev/shm by
default) and kept there for the next run.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORK = {
    'a': ('smtp-plain', '11', ['--concurrency', '500'], 'SMTP with bodies'),
    'b': ('smtp-starttls', '12', ['--concurrency', '500', '--rst', '0.02'], 'SMTP with STARTTLS'),
}


def generate(name, size, folder):
    kind, seed, more, _ = WORK[name]
    path = f'{folder}/stripwire-bench-{name}-{size}.pcap'
    if not os.path.exists(path):
        subprocess.run([sys.executable, f'{HERE}/mailgen.py', kind, '-o', path + '.tmp', '--bytes', size,
                        '--seed', seed, '--tls-cache', f'{HERE}/mailgen-tls.json', *more], check=True, stderr=subprocess.DEVNULL)
        os.rename(path + '.tmp', path)
    return path


def run(cmd):
    pid = os.posix_spawn(cmd[0], cmd, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, '/dev/null', os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, '/dev/null', os.O_WRONLY, 0)])
    _, status, ru = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f'{" ".join(cmd)}: exit {os.waitstatus_to_exitcode(status)}')
    return ru.ru_utime + ru.ru_stime, ru.ru_maxrss


def measure(a, name):
    path = generate(name, a.bytes, a.dir)
    db = f'{a.dir}/stripwire-bench.db'
    root = f'{a.dir}/stripwire-bench-root.pem'
    with open(root, 'w') as f:
        f.write(json.load(open(f'{HERE}/mailgen-tls.json'))['root'])
    ratios, own, base, peak = [], [], [], 0
    for _ in range(a.rounds):
        n, _ = run([a.loop, path])
        for f in (db, db + '-wal', db + '-shm'):
            if os.path.exists(f):
                os.unlink(f)
        t, rss = run([a.stripwire, 'read', '-q', '-d', db, '-r', a.rules, '--trust', root, path])
        ratios.append(t / n)
        own.append(t)
        base.append(n)
        peak = max(peak, rss)
    for f in (db, db + '-wal', db + '-shm'):
        if os.path.exists(f):
            os.unlink(f)
    return ratios, own, base, peak


p = argparse.ArgumentParser()
p.add_argument('stripwire')
p.add_argument('loop')
p.add_argument('--bytes', default='200M')
p.add_argument('--rounds', type=int, default=7)
p.add_argument('--only', default='ab')
p.add_argument('--rules', default='sensor.rules')
p.add_argument('--dir', default=os.environ.get('BENCH_DIR', '/dev/shm'))
a = p.parse_args()
print(f'workload                     N (s)  stripwire (s)  ratio: median (min - max)  peak MiB   [{a.bytes}, {a.rounds} paired runs]')
for name in a.only:
    r, own, base, peak = measure(a, name)
    print(f'{name} {WORK[name][3]:26s} {statistics.median(base):5.3f}  {statistics.median(own):13.3f}  '
          f'{statistics.median(r):13.2f} ({min(r):.2f} - {max(r):.2f})  {peak / 1024:8.1f}')
