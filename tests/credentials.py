#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database holds each password that went in clear, once, and no other.

    credentials.py [--bytes 4M] [--seed N] [PROGRAM]

Traffic of the workloads of tests/bench is generated small and read with all
there is and every alert stored, by one worker and by two. The rows of plaintext-credentials are held against the connections that
the generator says it made. Mail behind STARTTLS and sessions without a login
must have none.
"""
import argparse
import collections
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f'{HERE}/bench')
import workloads  # noqa: E402

SHM = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
# kind, more options, are there passwords in clear
KINDS = (('smtp-plain', '', True), ('imap-pop3', '', True), ('imap-pop3', '--ipv6 0.5 --loss 0.01 --reorder 0.01', True),
         ('smtp-starttls', '', False), ('small-sessions', '', False))
passed = failed = 0


def check(ok, what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f'FAIL {what}')


def generate(a, folder, kind, options):
    """A capture, and how many logins in clear each connection of it has."""
    out, truth = f'{folder}/{kind}.pcap', f'{folder}/{kind}.truth'
    size = ['--sessions', '300'] if kind == 'small-sessions' else ['--bytes', a.bytes]
    subprocess.run([sys.executable, f'{HERE}/bench/mailgen.py', kind, '-o', out, '--truth', truth, *size, '--seed', str(a.seed),
                    '--concurrency', '50', '--tls-cache', f'{HERE}/bench/mailgen-tls.json', *options.split()],
                   check=True, stderr=subprocess.DEVNULL)
    made = collections.Counter()
    for line in open(truth):
        t = json.loads(line)
        n = sum(name == 'auth' for name, _ in t['events'])
        if n and not any(name == 'starttls' for name, _ in t['events']):
            made[t['client'], t['cport'], t['server'], t['sport']] += n
    return out, made


def stored(db):
    """(the same of the database, all its alerts, whether it is whole)."""
    with sqlite3.connect(f'file:{db}?mode=ro', uri=True) as c:
        rows = c.execute('SELECT client, client_port, server, server_port FROM alerts JOIN flows ON flows.id = alerts.flow '
                         'WHERE finding = "plaintext-credentials"')
        return (collections.Counter(rows), c.execute('SELECT count(*) FROM alerts').fetchone()[0],
                c.execute('PRAGMA integrity_check').fetchone()[0] == 'ok')


def read(a, db, path, *more):
    out = subprocess.run([*workloads.command(db, [path], *more, program=a.program), '--json'], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f'{path}: exit {out.returncode}\n{out.stderr}')
    return json.loads(out.stdout)


def one(a, folder, kind, options, any_expected):
    path, made = generate(a, folder, kind, options)
    name, db = f'{kind} {options}'.strip(), f'{folder}/x.db'
    check(bool(made) == any_expected, f'{name}: the generator made {sum(made.values())} logins in clear')
    for how in ((), ('--workers', '2')):
        workloads.forget(db)
        total = read(a, db, path, *how)
        rows, alerts, whole = stored(db)
        what = f'{name} {" ".join(how)}'.strip()
        check(rows == made, f'{what}: {sum(made.values())} made, {sum(rows.values())} stored; '
              f'{list((made - rows).items())[:3]} missing, {list((rows - made).items())[:3]} too many')
        check(total['alerts_lost'] == 0 and whole, f'{what}: {total["alerts_lost"]} lost, whole: {whole}')
        check(alerts == sum(total['alerts'].values()), f'{what}: {total["alerts"]} said, {alerts} stored')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--bytes', default='4000000')
    p.add_argument('--seed', type=int, default=31)
    p.add_argument('program', nargs='?', default=f'{os.path.dirname(HERE)}/stripwire')
    a = p.parse_args()
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        workloads.DIR = folder
        for kind, options, any_expected in KINDS:
            one(a, folder, kind, options, any_expected)
    print(f'{passed} passed, {failed} failed')
    return failed != 0


sys.exit(main())
