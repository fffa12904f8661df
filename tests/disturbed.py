#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sensor makes of a disturbed tap, held against what the generator
knows it made, and against libnids alone.

    disturbed.py [--bytes 4M] [--seed N] [--only WORD] [-v]

Every kind of mail traffic is generated with every disturbance; a line of the
table is one of them over all kinds. Sessions are matched by their addresses
and ports. With --drop an event counts only where the tap was shown all of it.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHM = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
KINDS = ('smtp-plain', 'smtp-starttls', 'imap-pop3')
# name, options, share of sessions and of events that must be right
TABLE = (
    ('nothing', '', 1, 1),
    ('drop', '--drop 0.01', .98, 1),
    ('skew', '--skew 0.01', 1, 1),
    ('loss', '--loss 0.01', 1, 1),
    ('reorder', '--reorder 0.01', 1, 1),
    ('dup', '--dup 0.01', 1, 1),
    ('rst', '--rst 0.2', 1, 1),
    ('ipv6+vlan', '--ipv6 0.5 --vlan 7 --skew 0.01 --loss 0.01 --reorder 0.01 --dup 0.01', 1, 1),
    ('all', '--drop 0.01 --skew 0.01 --loss 0.01 --reorder 0.01 --dup 0.01', .98, 1),
)
FIELD = {'auth': 'auth_ok', 'starttls': 'answered', 'tls': 'client_hello'}
SAME = 'both ways of reassembly differ'
ENDS = {'fin': ('fin',), 'rst': ('rst',)}


def generate(a, folder, kind, options, seed):
    out, truth = f'{folder}/t.pcap', f'{folder}/t.truth'
    subprocess.run([sys.executable, f'{HERE}/bench/mailgen.py', kind, '-o', out, '--truth', truth, '--bytes', a.bytes,
                    '--seed', str(seed), '--concurrency', '50', '--rate', str(a.rate), *options.split()],
                   check=True, stderr=subprocess.DEVNULL)
    with open(truth) as f:
        return out, [json.loads(line) for line in f]


def observe(a, path, more=()):
    """Connections by addresses and ports, alerts, totals."""
    out = subprocess.run([f'{a.build}/tools/observe', *more, path], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f'observe {path}: exit {out.returncode}\n{out.stderr}')
    flows, alerts, total = collections.defaultdict(list), [], {}
    for line in out.stdout.splitlines():
        w = line.split(' ')
        if w[0] == 'flow':
            flows[tuple(w[1:5])].append(dict(x.split('=') for x in w[5:]))
        elif w[0] == 'alert':
            alerts.append(line)
        elif w[0] == 'total':
            total = dict(x.split('=') for x in w[1:])
    return flows, alerts, total, out.stdout


def nids(a, path):
    out = subprocess.run([f'{a.build}/tools/nidsalone', path], capture_output=True, text=True, check=True).stdout
    return [int(x) for x in out.split()]


def strip(text):
    return [x for x in text.splitlines() if not x.startswith('total ')]


class Score:
    def __init__(self):
        self.n = collections.Counter()
        self.bad = []

    def session(self, truth, seen):
        n = self.n
        n['sessions'] += 1
        if seen is None:
            self.bad.append(('not seen', truth, seen))
        elif seen['end'] in ENDS[truth['end']]:
            n['closed'] += 1
        else:
            self.bad.append(('end', truth, seen))
        n['made bytes'] += sum(truth['bytes'])
        made, whole = collections.Counter(), collections.Counter()
        for name, is_whole in truth['events']:
            made[name] += 1
            whole[name] += is_whole
        n['messages'] += made['message']
        n['whole messages'] += whole['message']
        for name in FIELD:
            if not made[name]:
                continue
            found = int(seen[FIELD[name]]) if seen else 0
            n[name] += whole[name]
            n[name + ' seen'] += min(found, whole[name])
            if not whole[name] <= found <= made[name]:
                self.bad.append((name, truth, seen))
        if seen and not made['tls']:  # behind the handshake holes are not looked for
            for d, side in enumerate(('c2s', 's2c')):
                n['bytes'] += truth['bytes'][d]
                n['bytes seen'] += int(seen['bytes_' + side])
                lost, gap = truth['lost'][d], int(seen['gap_' + side])
                if int(seen['bytes_' + side]) + gap != truth['bytes'][d] or gap != lost:
                    self.bad.append(('bytes ' + side, truth, seen))


def run(a, folder, row):
    name, options, sessions, events = row
    score, nids_bytes, nids_closed = Score(), 0, 0
    for i, kind in enumerate(KINDS):
        path, truth = generate(a, folder, kind, options, a.seed + i)
        flows, alerts, total, text = observe(a, path)
        for t in truth:
            key = (t['client'], str(t['cport']), t['server'], str(t['sport']))
            score.session(t, flows[key].pop(0) if flows[key] else None)
        for k, left in flows.items():
            for f in left:
                score.bad.append(('one too many', k, f))
        score.n['messages seen'] += int(total['messages'])
        if strip(text) != strip(observe(a, path, ('--always',))[3]):
            score.bad.append((SAME, kind, None))
        got = nids(a, path)
        nids_bytes += got[0]
        nids_closed += got[1]
    n = score.n
    ratio = lambda x, y: f'{100 * n[x] / n[y]:.2f}' if n[y] else '-'
    ok = n['closed'] >= sessions * n['sessions']
    exact = '--drop' not in options
    ok &= n['messages seen'] >= n['whole messages'] and (not exact or n['messages seen'] == n['messages'])
    ok &= not exact or not score.bad
    ok &= not any(b[0] == SAME for b in score.bad)
    ok &= all(n[e + ' seen'] >= events * n[e] for e in FIELD)
    print(f'{name:10} {n["sessions"]:8} {ratio("closed", "sessions"):>8} '
          + ' '.join(f'{ratio(e + " seen", e):>8}' for e in FIELD)
          + f' {ratio("messages seen", "messages"):>10} {ratio("bytes seen", "bytes"):>8} | '
          + f'{100 * nids_bytes / n["made bytes"]:8.2f} {100 * nids_closed / n["sessions"]:8.2f}  '
          + ('ok' if ok else 'FAILED'))
    if a.verbose:
        for what, made, seen in score.bad[:a.verbose * 5]:
            print('   ', what, made, seen and {k: v for k, v in seen.items() if v != '0'})
    return ok


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--bytes', default='4M', help='of each kind and disturbance')
    p.add_argument('--seed', type=int, default=41)
    p.add_argument('--rate', type=float, default=.02, help='Gbit/s')
    p.add_argument('--only')
    p.add_argument('--build', default='build/release')
    p.add_argument('-v', '--verbose', action='count', default=0)
    a = p.parse_args()
    passed = failed = 0
    print('percent                              stripwire                                     | libnids alone')
    print(f'{"":10} {"sessions":>8} {"closed":>8} ' + ' '.join(f'{e:>8}' for e in FIELD)
          + f' {"messages":>10} {"bytes":>8} | {"bytes":>8} {"closed":>8}')
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        for row in TABLE:
            if a.only and a.only != row[0]:
                continue
            ok = run(a, folder, row)
            passed += ok
            failed += not ok
    print(f'{passed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
