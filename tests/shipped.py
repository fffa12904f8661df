#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of sensor.rules fires on a capture of ours, is silent on its twin, and says why it is there.

    shipped.py [-v] [--binary FILE] [--where]

tests/rules/shipped.txt has a line for each: SID CAPTURE TWIN, a capture being a scene of tests/scenes, a row of tests/tcp
or a file of pcaps/. The twin is the nearest lawful look-alike: what the capture would be without what the rule is about; the finding is no alarm there.
Rules on the sensor itself have no capture: `live` stands there instead, and tests/live.py asks for the number of the rule.
--where prints where each rule fires, of all captures there are.
"""
import argparse
import collections
import concurrent.futures
import glob
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, 'tools')]
import scenes  # noqa: E402
import tcp  # noqa: E402

TABLE = os.path.join(HERE, 'rules', 'shipped.txt')
RULES = os.path.join(HERE, '..', 'sensor.rules')
PCAPS = os.path.join(HERE, '..', 'pcaps')


def load_all():
    """{name: (steps, sessions)} of all scenes and rows."""
    out = {}
    for kind, pattern in (('scene', 'scenes'), ('tcp', 'tcp')):
        sessions, found = {}, {}
        for path in sorted(glob.glob(os.path.join(HERE, pattern, '*.txt'))):
            scenes.load(path, sessions, found)
        for name, steps in scenes.cases(found).items():
            out[f'{kind}:{name}'] = (steps, sessions)
    return out


def play(name, all_, args, tmp):
    """{SID: finding} of the rules that fire on it, with a ! where it is no alarm."""
    path, steps, more = os.path.join(tmp, re.sub(r'\W', '_', name) + '.pcap'), (), []
    if name.startswith('pcap:'):
        path, more = os.path.join(PCAPS, name[5:] + '.pcap'), ['--trust', os.path.join(PCAPS, 'ca-root.pem')]
    elif name.startswith('scene:'):
        steps, sessions = all_[name]
        capture = scenes.Capture(False)
        capture.play(scenes.expand(steps, sessions)[0])
        capture.write(path)
    else:
        capture = tcp.Segments(False, 'plain')
        lines, asked = tcp.expand(*all_[name])
        more = asked['option']
        capture.play(lines)
        capture.write(path)
    return {e['alert']['signature_id']: '!' * (e['stripwire']['severity'] == 'info') + e['stripwire']['finding']
            for e in scenes.alerts_of(args.binary, path, tmp, steps, more)}


def table():
    rows = {}
    for line in open(TABLE):
        words = line.split()
        if words and words[0].isdigit():
            rows[int(words[0])] = words[1:]
    return rows


def rules():
    """{SID: comment above the rule}"""
    blocks = re.split(r'\n\n+', open(RULES).read())
    return {int(m[1]): '\n'.join(line for line in b.split('\n') if line.startswith('#'))
            for b in blocks if (m := re.search(r'^[^#\n]*\bsid:(\d+);', b, re.M))}


def reasons(comments):
    """What is wrong with the comments: each rule has its own."""
    uses = collections.Counter(comments.values())
    return [f'{sid}: {"no reason is given" if not text else "shares its reason with another"}'
            for sid, text in comments.items() if not text or uses[text] > 1]


def wrong_with(sid, row, results):
    if row is None:
        return 'no line in shipped.txt'
    if row == ['live']:
        asked = any(re.search(rf'(?<!not )fired\(s, {sid}\)', open(os.path.join(HERE, f)).read()) for f in ('live.py', 'kills.py'))
        return None if asked else 'neither tests/live.py nor tests/kills.py asks for it'
    fire, twin = row
    if sid not in results.get(fire, ()):
        return f'silent on {fire}, where {sorted(results.get(fire, ()))} fire'
    if sid in results[twin]:
        return f'fires on its twin {twin}'
    if results[fire][sid] in results[twin].values():
        return f'{results[fire][sid]} is an alarm on its twin {twin} too'
    return None


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--where', action='store_true')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    args = p.parse_args()
    comments, all_, rows = rules(), load_all(), table()
    names = sorted({n for r in rows.values() for n in r if ':' in n})
    if args.where:
        names = sorted(all_) + ['pcap:' + os.path.basename(f)[:-5]
                                for f in sorted(glob.glob(os.path.join(PCAPS, '*.pcap')))]
    with tempfile.TemporaryDirectory() as tmp, concurrent.futures.ThreadPoolExecutor(2) as pool:
        scenes.roots(tmp)
        results = dict(zip(names, pool.map(lambda n: play(n, all_, args, tmp), names)))
    if args.where:
        for sid in comments:
            print(sid, *(n for n in names if sid in results[n]))
        return 0
    wrong = reasons(comments) + [f'{sid}: there is no such rule' for sid in rows if sid not in comments]
    passed = 1 - bool(wrong)
    for sid in comments:
        why = wrong_with(sid, rows.get(sid), results)
        passed += why is None
        wrong += [f'{sid}: {why}'] if why else []
        if args.verbose and not why:
            print(f'ok   {sid} {" ".join(rows[sid])}')
    for line in wrong:
        print('FAIL ' + line)
    print(f'{passed} passed, {len(comments) + 1 - passed} failed')
    return len(wrong) != 0


if __name__ == '__main__':
    sys.exit(main())
