#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the cases against real sockets and keeps what the host read and what the tap saw. Needs root.

    record.py [--only REGEX] [--out DIR]

Writes truth.json and captures.tar.gz beside itself (or into DIR). With --only the other cases stay as they are.
"""
import argparse
import gzip
import io
import json
import os
import platform
import re
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import cases  # noqa: E402
from lab import Lab, Wire  # noqa: E402
from packets import pcap  # noqa: E402


def load(folder):
    truth, captures = {}, {}
    try:
        with open(os.path.join(folder, 'truth.json')) as f:
            truth = json.load(f)['cases']
        with tarfile.open(os.path.join(folder, 'captures.tar.gz')) as t:
            captures = {m.name: t.extractfile(m).read() for m in t}
    except FileNotFoundError:
        pass
    return truth, captures


def save(folder, truth, captures):
    with open(os.path.join(folder, 'truth.json'), 'w') as f:
        rows = [f'{json.dumps(k)}: {json.dumps(v)}' for k, v in truth.items()]
        f.write('{"kernel": %s,\n"cases": {\n%s\n}}\n' % (json.dumps('Linux ' + platform.release().split('-')[0]), ',\n'.join(rows)))
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode='w', format=tarfile.USTAR_FORMAT) as t:
        for name in sorted(captures):
            info = tarfile.TarInfo(name)
            info.size = len(captures[name])
            t.addfile(info, io.BytesIO(captures[name]))
    with open(os.path.join(folder, 'captures.tar.gz'), 'wb') as f:
        f.write(gzip.compress(raw.getvalue(), 9, mtime=0))


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--only', default='')
    p.add_argument('--out', default=HERE)
    args = p.parse_args()
    known = cases.load()
    old_truth, old_captures = load(args.out)
    names = [f'{c.name}.v{v}' for c in known for v in (4, 6) if c.only in (None, v)]
    truth = {n: old_truth[n] for n in names if n in old_truth}
    captures = {n + '.pcap': old_captures[n + '.pcap'] for n in truth}
    lab, port = Lab(), 20000
    for c in known:
        for v in (4, 6):
            port += 1
            name = f'{c.name}.v{v}'
            if c.only not in (None, v) or not re.search(args.only, name):
                continue
            w = Wire(lab, v == 6, port, c.server)
            c.play(w)
            w.finish()
            truth[name] = w.truth()
            captures[name + '.pcap'] = pcap(w.frames)
            w.clean()
            print(name, json.dumps(truth[name]), flush=True)
    save(args.out, {n: truth[n] for n in names if n in truth}, captures)


if __name__ == '__main__':
    main()
