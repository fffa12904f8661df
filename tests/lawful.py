#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Honest sessions on a bad tap, ended in every lawful way: nothing of them may
be called an attack on TCP.

    lawful.py [--sessions 600] [--share 0.01] [--seed N] [-v]

That many sessions are generated, a third of each kind of mail traffic, in
batches, with all disturbances at once. A finding of the family of resets,
conflicts and hijacks above info is a failure, and so is one about text that
stands where it should not: it would rest on bytes that the tap never saw (but
not in sessions that the generator cut short, whose last words are any).
"""
import argparse
import collections
import json
import subprocess
import sys
import tempfile

from disturbed import HERE, KINDS, SAME, SHM, observe, strip

FAMILY = ('rst-injected', 'fin-injected', 'tcp-content-conflict', 'handshake-hijack')
OTHERS = ('starttls-command-injection', 'starttls-response-injection', 'starttls-mangled', 'starttls-refused',
          'tls-aborted-after-starttls', 'imap-data-before-auth', 'imap-preauth', 'imap-unsolicited-reply')
BATCH = 600
DISTURB = ('drop', 'skew', 'loss', 'reorder', 'dup')
SESSIONS = '--rst 0.05 --lawful 0.9 --ipv6 0.2 --cut 0.3 --twice 0.1 --handshake 0.1'
LAWFUL_RST = {'rst', 'linger', 'unread', 'late_data', 'nat', 'fin_rst', 'server_first', 'killed', 'keep_alive', 'time_wait',
              'rewritten', 'both'}


def generate(folder, kind, sessions, seed, share):
    out, truth = f'{folder}/t.pcap', f'{folder}/t.truth'
    subprocess.run([sys.executable, f'{HERE}/bench/mailgen.py', kind, '-o', out, '--truth', truth,
                    '--sessions', str(sessions), '--seed', str(seed), '--concurrency', '100', '--rate', '0.02',
                    '--body-max', '20000', *SESSIONS.split(),
                    *(x for d in DISTURB for x in (f'--{d}', str(share)))], check=True, stderr=subprocess.DEVNULL)
    with open(truth) as f:
        return out, [json.loads(line) for line in f]


def ended_well(truth, seen):
    """A reset that the tap missed looks like a FIN, or like nothing yet."""
    if truth['end'] in LAWFUL_RST:
        return seen in ('rst', 'fin', 'reused')
    return seen == 'fin'


def batch(a, folder, kind, sessions, seed, n):
    path, truth = generate(folder, kind, sessions, seed, a.share)
    flows, alerts, total, text = observe(a, path)
    bad, cut = [], {(t['client'], str(t['cport']), t['server'], str(t['sport'])) for t in truth if t['cut']}
    for line in alerts:
        w = line.split(' ', 8)
        n['alert ' + w[5]] += 1
        wrong = w[5] in FAMILY or (w[5] in OTHERS and tuple(w[1:5]) not in cut)
        if wrong and w[6] != 'info':
            bad.append(f'{kind}, seed {seed}: {line}')
        elif w[5] in FAMILY:
            n['info ' + w[5]] += 1
    for t in truth:
        key = (t['client'], str(t['cport']), t['server'], str(t['sport']))
        seen = flows[key].pop(0)['end'] if flows[key] else 'not seen'
        n['sessions'] += 1
        n['end ' + t['end']] += 1
        n['closed'] += ended_well(t, seen)
    if seed % 7 == 0 and strip(text) != strip(observe(a, path, ('--always',))[3]):
        bad.append(f'{SAME}: {kind}, seed {seed}')
    return bad


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sessions', type=int, default=600)
    p.add_argument('--seed', type=int, default=7)
    p.add_argument('--share', type=float, default=.01, help='of packets, for each disturbance')
    p.add_argument('--build', default='build/release')
    p.add_argument('-v', '--verbose', action='store_true')
    a = p.parse_args()
    n, bad, seed = collections.Counter(), [], a.seed
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        while n['sessions'] < a.sessions:
            kind = KINDS[(seed - a.seed) % 3]
            bad += batch(a, folder, kind, min(BATCH, a.sessions // 3), seed, n)
            seed += 1
    for name in sorted(n):
        if a.verbose or name.startswith('end '):
            print(f'{name:40} {n[name]}')
    print(f'{n["sessions"]} sessions, {100 * n["closed"] / n["sessions"]:.2f} % closed as they were, '
          f'{len(bad)} false alarms')
    for line in bad[:20]:
        print('FAIL', line)
    failed = (len(bad) > 0) + (n['closed'] < .98 * n['sessions'])
    print(f'{2 - failed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
