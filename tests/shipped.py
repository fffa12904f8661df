#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of sensor.rules fires on a capture of ours, and is silent on its twin.

    shipped.py [-v] [--binary FILE] [--bless]

tests/rules/shipped.txt has a line for each: SID CAPTURE TWIN, a capture being a scene of tests/scenes, a row of tests/tcp
or a file of pcaps/. Instead of them `unit TEST` says that the rule is only held against a finding (no capture of ours
gives it at that confidence), which tests/unit/policy_test.c does; such lines are counted as skipped. --bless writes the
file anew: first what is there, as long as it holds.
"""
import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, 'tools')]
import scenes  # noqa: E402
import tcp  # noqa: E402

TABLE = os.path.join(HERE, 'rules', 'shipped.txt')
RULES = os.path.join(HERE, '..', 'sensor.rules')


def sids_of(args, path, trust, options=()):
    p = subprocess.run([args.binary, 'read', '--no-db', '-q', '--no-system-trust', '--trust', trust, '-r', RULES,
                        '--eve', '-', *options, path], capture_output=True, text=True, timeout=120)
    events = [json.loads(line) for line in p.stdout.splitlines()]
    return {e['alert']['signature_id'] for e in events if e['event_type'] == 'alert'}


def load_all():
    """{name: (kind, steps, sessions)} of all scenes and rows."""
    out = {}
    for kind, pattern in (('scene', 'scenes'), ('tcp', 'tcp')):
        sessions, found = {}, {}
        for path in sorted(glob.glob(os.path.join(HERE, pattern, '*.txt'))):
            scenes.load(path, sessions, found)
        for name, steps in scenes.cases(found).items():
            out[f'{kind}:{name}'] = (kind, steps, sessions)
    return out


def play(name, all_, args, tmp):
    """The rules that fire on it."""
    if name.startswith('pcap:'):
        return sids_of(args, os.path.join(HERE, '..', 'pcaps', name[5:] + '.pcap'),
                       os.path.join(HERE, '..', 'pcaps', 'ca-root.pem'))
    kind, steps, sessions = all_[name]
    path, options = os.path.join(tmp, re.sub(r'\W', '_', name) + '.pcap'), []
    if kind == 'scene':
        capture = scenes.Capture(False)
        capture.play(scenes.expand(steps, sessions)[0])
    else:
        capture = tcp.Segments(False, 'plain')
        lines = scenes.expand(steps, sessions)[0]
        options = sum((line.split()[1:] for line in lines if line.startswith('option ')), [])
        capture.play([line for line in lines if line.split()[0] not in ('says', 'says4', 'sees', 'count', 'option')])
    capture.write(path)
    return sids_of(args, path, os.path.join(tmp, 'root.pem'), options)


def table():
    rows = {}
    for line in open(TABLE) if os.path.exists(TABLE) else []:
        words = line.split()
        if words and words[0].isdigit():
            rows[int(words[0])] = words[1:3]
    return rows


def bless(results, rows, sids, all_):
    fires = collections.defaultdict(list)
    for name, found in results.items():
        for sid in found:
            fires[sid].append(name)

    def calm(name):  # a twin that is to be silent altogether comes first
        steps = all_[name][1] if name in all_ else []
        return any(line.startswith('want') for _, line in steps)

    with open(TABLE, 'w') as f:
        f.write('# SPDX-License-Identifier: GPL-3.0-or-later\n# SID CAPTURE TWIN, see tests/shipped.py\n')
        for sid in sids:
            old = rows.get(sid, ['', ''])
            if sid not in fires:
                f.write(f'{sid} unit policy_test\n')
                continue
            fire = old[0] if old[0] in fires[sid] else min(fires[sid], key=lambda n: (len(results[n]), n))
            family = re.match(r'(\w+:[A-Z]?\d*[a-z]?)', fire)[1]
            near = [n for n in results if sid not in results[n] and n.startswith(family)] or \
                   [n for n in results if sid not in results[n] and n[:5] == fire[:5]]
            twin = old[1] if old[1] in near else min(near, key=lambda n: (calm(n), len(results[n]), n))
            f.write(f'{sid} {fire} {twin}\n')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--bless', action='store_true')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    args = p.parse_args()
    sids = [int(s) for s in re.findall(r'^[^#\n]*\bsid:(\d+);', open(RULES).read(), re.M)]
    all_, rows = load_all(), table()
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as tmp, concurrent.futures.ThreadPoolExecutor(2) as pool:
        with open(os.path.join(HERE, 'scenes', 'certs.pem')) as f, open(os.path.join(tmp, 'root.pem'), 'w') as out:
            out.write(re.search(r'# root\n(-----BEGIN.*?END CERTIFICATE-----\n)', f.read(), re.S)[1])
        names = sorted({n for r in rows.values() for n in r if ':' in n})
        if args.bless:
            names = sorted(all_) + ['pcap:' + os.path.basename(f)[:-5]
                                    for f in sorted(glob.glob(os.path.join(HERE, '..', 'pcaps', '*.pcap')))]
        results = dict(zip(names, pool.map(lambda n: play(n, all_, args, tmp), names)))
    if args.bless:
        bless(results, rows, sids, all_)
        rows = table()
    for sid in sids:
        fire, twin = rows.get(sid, ('', ''))
        if fire == 'unit':
            skipped += 1
            if args.verbose:
                print(f'SKIP {sid}: held against findings only')
            continue
        ok = sid in results.get(fire, ()) and twin in results and sid not in results[twin]
        passed, failed = passed + ok, failed + (not ok)
        if not ok:
            print(f'FAIL {sid}: {fire} {sorted(results.get(fire, ()))}, twin {twin} {sorted(results.get(twin, ()))}')
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
