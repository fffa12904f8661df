#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All captures into one database, in order of time, one vantage point at a time: what was learned from one capture must
not make an ordinary one suspicious, nor an attack pass.

    together.py [FOLDER] [-v]            (default: pcaps/)

Benign captures and learning sessions (B-, L-) give nothing above info. Every other capture gives above info at least
each finding that it gives there alone, as grave as there. One rests on what was never seen before: mail in clear is a
finding of its own between hosts that used nothing but TLS, and other captures have such mail. What led to it is found.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SIDES = ('client', 'server')
NEVER_BEFORE = {'plaintext-mail': 'plaintext-fallback'}  # and what says it then
GRAVITY = ('info', 'low', 'medium', 'high', 'critical')


def begins(path):
    """Time of the first packet of a pcap file."""
    with open(path, 'rb') as f:
        head = f.read(40)
    order = '<' if head[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    return struct.unpack(order + 'II', head[24:32])


def read(a, path, db):
    """The findings above info, each with its highest severity."""
    p = subprocess.run([a.binary, 'read', '-q', '-d', db, '--no-system-trust', '--trust', os.path.join(a.folder, 'ca-root.pem'),
                        '-r', os.path.join(ROOT, 'sensor.rules'), '--eve', '-', path], capture_output=True, text=True)
    if p.returncode:
        sys.exit(f'{path}: exit {p.returncode}: {p.stderr}')
    out = {}
    for line in p.stdout.splitlines():
        e = json.loads(line)
        s = e['stripwire']
        if e['event_type'] == 'alert' and s['severity'] != 'info':
            out[s['finding']] = max(s['severity'], out.get(s['finding'], 'info'), key=GRAVITY.index)
    return out


def grave(found, finding):
    return GRAVITY.index(max((found.get(f, 'info') for f in (finding, NEVER_BEFORE.get(finding))), key=GRAVITY.index))


def complaints(path, alone, together):
    if os.path.basename(path)[:2] in ('B-', 'L-'):
        return [f'false {f} {s}' for f, s in together.items()]
    return [f'{f} {s} became {together.get(f, "nothing")}' for f, s in alone.items()
            if grave(together, f) < GRAVITY.index(s)]


def play(a, side, folder):
    """Yields (capture, findings together, complaints) of one vantage point."""
    paths = sorted(glob.glob(os.path.join(a.folder, f'*.{side}.pcap')), key=begins)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        alone = list(pool.map(lambda p: read(a, p, os.path.join(folder, os.path.basename(p) + '.db')), paths))
    for path, one in zip(paths, alone):
        all_ = read(a, path, os.path.join(folder, side + '.db'))
        yield os.path.basename(path), all_, complaints(path, one, all_)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('folder', nargs='?', default=os.path.join(ROOT, 'pcaps'))
    p.add_argument('--binary', default=os.path.join(ROOT, 'stripwire'))
    p.add_argument('-v', '--verbose', action='store_true')
    a = p.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for side in SIDES:
            for name, found, wrong in play(a, side, folder):
                passed += not wrong
                failed += bool(wrong)
                if wrong or a.verbose:
                    print(f'{"FAIL " if wrong else ""}{name}: {"; ".join(wrong)} [{" ".join(f"{k}={v}" for k, v in found.items())}]')
    print(f'{passed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
