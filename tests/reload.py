#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules are read again under load, and nothing is lost.

    reload.py [-v] [--binary FILE]

A capture of many sessions goes through a pipe in pieces; between them rules are changed and SIGHUP is sent. Packets,
sessions and alerts have to be those of a run without: what a rule saw of a connection before counts after. A file with
a mistake leaves the old rules in force, and is told of once a signal. New rules hold from the next packet on. The same
with a folder that gains and loses files, what is included, a threshold.config and a classification file.
(live_reload.py: the service.)
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, 'tools'))
from make_capture import Capture  # noqa: E402

SESSIONS = 400
BASE = '''
alert smtp any any -> any any (msg:"greeted"; smtp.greeting; content:"mx.example"; flowbits:set,greeted; noalert; sid:1;)
alert smtp any any -> any any (msg:"left"; smtp.command; content:"QUIT"; flowbits:isset,greeted; sid:2;)
alert smtp any any -> any any (msg:"both"; smtp.helo; content:"client"; smtp.rcpt_to; content:"<b@"; sid:3;)
alert smtp any any -> any any (msg:"tenth"; smtp.helo; content:"."; threshold:type threshold, track by_dst, count 10,
    seconds 86400; sid:4;)
alert smtp any any -> any any (finding:starttls-stripped; confidence:>0; sid:5;)
alert smtp any any -> any any (msg:"seen"; smtp.helo; content:"client"; xbits:set,seen,track ip_dst,
    expire 86400; noalert; sid:6;)
alert smtp any any -> any any (msg:"again"; smtp.rcpt_to; content:"<b@"; xbits:isset,seen,track ip_dst; sid:7;)
'''.replace(',\n', ', \\\n')
MORE = 'alert smtp any any -> any any (msg:"new"; smtp.command; content:"MAIL"; sid:9;)\n'
WRONG = 'alert smtp any any -> any any (msgg:"wrong"; sid:10;)\n'


def capture(path):
    c = Capture(False)
    for n in range(SESSIONS):
        c.play([f'conn 25 client={n % 200 + 1}', 'S: 220 mx.example.net ESMTP', f'C: EHLO client{n}.example.org',
                'S: 250-mx.example.net', 'S: 250 SIZE', 'C: MAIL FROM:<a@example.org>', 'S: 250 ok',
                'C: RCPT TO:<b@example.net>', 'S: 250 ok', 'C: QUIT', 'S: 221 bye', 'fin S', 'wait 1s'])
    c.write(path)


class Reader:
    """`read -`, fed by hand."""

    def __init__(self, binary, rules, tmp, more=()):
        self.eve, self.stats = os.path.join(tmp, 'eve'), os.path.join(tmp, 'stats')
        self.p = subprocess.Popen([binary, 'read', '--no-db', '--no-system-trust', '-r', rules, '--eve', self.eve,
                                   '--stats', self.stats, *more, '-'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE)
        self.said = ''
        while not self.listens():
            time.sleep(.01)

    def listens(self):
        """Has it come as far as to take SIGHUP?"""
        caught = re.search(r'SigCgt:\s*(\w+)', open(f'/proc/{self.p.pid}/status').read())
        return self.p.poll() is not None or int(caught[1], 16) & 1

    def feed(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()

    def end(self):
        self.p.stdin.close()
        self.said += self.p.stderr.read().decode()
        status = self.p.wait(60)
        sids, self.priorities = {}, {}
        for line in open(self.eve):
            a = json.loads(line)['alert']
            sid = a['signature_id']
            sids[sid] = sids.get(sid, 0) + 1
            self.priorities.setdefault(sid, set()).add(a['severity'])
        return status, sids, json.load(open(self.stats))


class Checks:
    def __init__(self, verbose):
        self.passed = self.failed = 0
        self.verbose = verbose

    def __call__(self, ok, name, why=''):
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        if not ok or self.verbose:
            print('ok  ' if ok else 'FAIL', name, '' if ok else why)


def write(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


def reloaded(check, binary, tmp, data, plain):
    rules = os.path.join(tmp, 'changing.rules')
    write(rules, BASE)
    r = Reader(binary, rules, tmp)
    pieces = 40
    size = len(data) // pieces + 1
    wrong = good = 0
    for n in range(pieces):  # the cuts are in the middle of packets and of sessions
        r.feed(data[n * size:(n + 1) * size])
        if n < 2 or n == pieces - 1:
            continue
        bad = n % 3 == 2
        write(rules, BASE + ('' if n < 20 else MORE) + (WRONG if bad else f'# {n}\n'))
        r.p.send_signal(signal.SIGHUP)
        wrong, good = wrong + bad, good + (not bad)
        time.sleep(.03)  # signals that wait join
        r.feed(data[(n + 1) * size:(n + 1) * size + 1])  # something to read on
        data = data[:(n + 1) * size] + data[(n + 1) * size + 1:]
    status, sids, stats = r.end()
    again, kept = r.said.count(': read again, '), r.said.count('the rules from before stay in force')
    check(status == 0, 'exit status', f'{status} {r.said[-300:]}')
    check(again >= 5 and kept >= 3, 'rules were read again', f'{again} {kept} of {good} {wrong}')
    check(r.said.count("unknown keyword 'msgg'") == kept, 'a mistake is told once a signal', r.said[-600:])
    for sid in (2, 3, 4, 5, 7):
        check(sids.get(sid) == plain[1].get(sid), f'rule {sid} as without', f'{sids} {plain[1]}')
    check(0 < sids.get(9, 0) < SESSIONS, 'new rules hold from then on', sids)
    for key in ('packets', 'flows'):
        check(stats.get(key) == plain[2].get(key) and stats.get(key), key, f'{stats.get(key)} {plain[2].get(key)}')


def everything(check, binary, tmp, data, plain):
    """One change after the other of all that goes with rules, each while the capture is read."""
    folder = os.path.join(tmp, 'rules.d')
    os.mkdir(folder)

    def at(name):
        return os.path.join(folder, name)
    rule = 'alert smtp any any -> any any (smtp.command; content:"QUIT"; msg:"x"; sid:%d;%s)\n'
    graded = 'alert smtp any any -> any any (smtp.command; content:"QUIT"; msg:"x"; classtype:odd; sid:%d;)\n' % 12
    main = BASE + 'include more.inc\n' + rule % (11, '') + graded
    write(at('main.rules'), main)
    write(at('more.inc'), '# nothing\n')
    write(at('threshold.config'), '# nothing\n')
    write(at('classification.config'), 'config classification: odd,Odd,4\n')
    changes = {
        4: lambda: write(at('extra.rules'), rule % (13, '')),
        8: lambda: write(at('more.inc'), rule % (14, '')),
        12: lambda: os.unlink(at('extra.rules')),
        16: lambda: write(at('threshold.config'), 'suppress gen_id 1, sig_id 11\n'),
        20: lambda: write(at('classification.config'), 'config classification: odd,Odd,1\n'),
        24: lambda: (write(at('broken.rules'), WRONG), write(at('more.inc'), rule % (15, ''))),
        28: lambda: write(at('broken.rules'), '# mended\n'),
        30: lambda: write(at('threshold.config'), 'suppress gen_id\n'),
        32: lambda: write(at('threshold.config'), '# nothing\n'),
    }
    r = Reader(binary, folder, tmp, ('--thresholds', at('threshold.config'), '--classification',
                                     at('classification.config')))
    pieces = [data[n * len(data) // 40:(n + 1) * len(data) // 40] for n in range(40)]
    for n, piece in enumerate(pieces):
        r.feed(piece[:-1])
        if n in changes:
            changes[n]()
            r.p.send_signal(signal.SIGHUP)
            time.sleep(.05)
        r.feed(piece[-1:])
        time.sleep(.01)
    status, sids, stats = r.end()
    check(status == 0, 'exit status', f'{status} {r.said[-300:]}')
    for name, place in (('broken.rules', ':1:32: unknown keyword'), ('threshold.config', ':1:')):
        check(name + place in r.said, f'{name}: the mistake is told', r.said[-600:])
    for sid in (2, 3, 4, 5, 7):
        check(sids.get(sid) == plain[1].get(sid), f'folder: rule {sid} as without', f'{sids} {plain[1]}')
    for sid, what in ((13, 'a file that came and went'), (14, 'what is included'), (15, 'once a mistake is mended'),
                      (11, 'a threshold.config')):
        check(0 < sids.get(sid, 0) < SESSIONS, what, sids)
    check(sids.get(12) == SESSIONS and len(r.priorities[12]) == 2, 'a class that is graded anew', r.priorities)
    for key in ('packets', 'flows'):
        check(stats.get(key) == plain[2].get(key), 'folder: ' + key, f'{stats.get(key)} {plain[2].get(key)}')


def bad_rules_at_start(check, binary, tmp, data):
    rules = os.path.join(tmp, 'bad.rules')
    write(rules, BASE + WRONG)
    p = subprocess.run([binary, 'read', '--no-db', '-r', rules, '-'], input=data[:1000], capture_output=True)
    check(p.returncode == 2 and b'bad.rules:11:32: ' in p.stderr, 'a mistake at the start ends it', p.stderr[-300:])


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    args = p.parse_args()
    check = Checks(args.verbose)
    with tempfile.TemporaryDirectory() as tmp:
        path, rules = os.path.join(tmp, 'a.pcap'), os.path.join(tmp, 'base.rules')
        capture(path)
        data = open(path, 'rb').read()
        write(rules, BASE)
        r = Reader(args.binary, rules, tmp)
        r.feed(data)
        plain = r.end()
        check(plain[0] == 0 and plain[1].get(2) == SESSIONS and plain[1].get(3) == SESSIONS and
              plain[1].get(4) == SESSIONS // 10, 'without a signal', plain)
        reloaded(check, args.binary, tmp, data, plain)
        everything(check, args.binary, tmp, data, plain)
        bad_rules_at_start(check, args.binary, tmp, data)
    print(f'{check.passed} passed, {check.failed} failed')
    return check.failed != 0


if __name__ == '__main__':
    sys.exit(main())
