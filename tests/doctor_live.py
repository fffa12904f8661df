#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`stripwire doctor -i` on a veth pair: traffic that is well, and the same with each fault that a span port has. What is
said of each and no more than that; how much is lost, beside what was left out. Skipped, visibly, without root and network
namespaces."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import live  # noqa: E402
import rewrite  # noqa: E402
from live import check, until  # noqa: E402
sys.path.insert(0, os.path.join(HERE, 'tools'))
from make_capture import Capture  # noqa: E402

BINARY = os.path.join(HERE, '..', 'stripwire')
MAILS, LINES = 40, 1500  # of 60 bytes each
# form of rewrite.py: exit status, what is not ok. The first is the twin of all others.
FORMS = {
    'plain': (0, {}),
    'vlan': (0, {}),
    'vlan-each-way': (0, {'vlans': 'note'}),
    'only-client': (1, {'directions': 'wrong', 'loss': 'note'}),
    'only-server': (1, {'directions': 'wrong', 'loss': 'note'}),
    'twice': (1, {'twice': 'wrong'}),
    'super': (0, {'offload': 'note'}),
    'fragments': (0, {}),
}


def look(path, *options):
    """Its exit status and its checks, by name."""
    p = subprocess.Popen([BINARY, 'doctor', '--json', '--seconds', '60', *options, '-i', 'sw1'], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)

    def listens():
        """It captures, and is confined: it looks at packets from now on."""
        with open('/proc/net/packet') as f, open(f'/proc/{p.pid}/status') as s:
            return len(f.readlines()) > 1 and 'Seccomp:\t2' in s.read()
    check(until(listens), 'it listens')
    if path:
        live.send('-r', '20000', 'sw0', path)
    time.sleep(2)  # until the kernel has given out its last block; on a busy machine
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=live.WAIT)
    check(p.returncode in (0, 1), 'it ends: ' + err)
    return p.returncode, {c['check']: c for c in json.loads(out)['checks']}


def faults(checks):
    return {name: c['grade'] for name, c in checks.items() if c['grade'] != 'ok'}


def mail(path, lost=0):
    """Messages, of whose segments some are not there; returns the bytes that were left out, and all."""
    c, rnd = Capture(), random.Random(7)
    for _ in range(MAILS):
        c.play(['conn 25', 'S: 220 mx.example.net ESMTP', 'C: EHLO a.example.org', 'S: 250 mx.example.net',
                'C: MAIL FROM:<a@example.org>', 'S: 250 ok', 'C: RCPT TO:<b@example.net>', 'S: 250 ok', 'C: DATA', 'S: 354 go'] +
               ['C: ' + 'x' * 58] * LINES + ['C: .', 'S: 250 ok', 'C: QUIT', 'S: 221 bye', 'fin S'])
    gone = all_bytes = 0
    kept = []
    for time, frame in c.frames:
        data = len(rewrite.Frame(0, frame).payload)
        all_bytes += data
        if data == 1440 and rnd.random() < lost:
            gone += data
        else:
            kept.append((time, frame))
    c.frames = kept
    c.write(path)
    return gone, all_bytes


def test_loss(tmp):
    for lost, grade in ((0, 'ok'), (.0006, 'note'), (.03, 'wrong')):
        gone, total = mail(tmp + '/mail', lost)
        check((gone > 0) == (lost > 0), 'some is left out')
        _, checks = look(tmp + '/mail')
        got, truth = checks['loss']['percent'], 100 * gone / total
        check(abs(got - truth) <= truth / 10, f'{got} % lost, in truth {truth:.3f} %')
        check(checks['loss']['grade'] == grade, f'{truth:.3f} % lost is graded: {checks["loss"]}')
        check(set(faults(checks)) <= {'loss'}, f'and nothing else: {faults(checks)}')
        print(f'loss: {gone} of {total} bytes left out, {truth:.3f} %; doctor says {got:.3f} %')


def main():
    if not shutil.which('ip') or not live.own_network():
        live.skip('doctor on an interface: needs root and network namespaces')
        return live.total()
    for side in ('sw0', 'sw1'):
        subprocess.run(['ip', 'link', 'set', side, 'mtu', '65535'], check=True)
    with tempfile.TemporaryDirectory() as tmp:
        source = live.capture('B-starttls-imap.client.pcap')
        for form, (status, want) in FORMS.items():
            path = source
            if form != 'plain':
                path = f'{tmp}/{form}'
                rewrite.write(rewrite.FORMS[form], rewrite.frames(source), path)
            got, checks = look(path)
            check(faults(checks) == want and got == status, f'{form}: {got} {faults(checks)}')
        conf = tmp + '/conf'
        with open(conf, 'w') as f:
            f.write('run:\n  snaplen: 256\n')
        got, checks = look(source, '-c', conf)
        check(faults(checks) == {'cut': 'wrong', 'loss': 'note'} and got == 1, f'cut: {faults(checks)}')
        web = Capture()
        web.play(['conn 8080', 'C: GET / HTTP/1.1', 'S: HTTP/1.1 200 OK', 'fin S'] * 5)
        web.write(tmp + '/web')
        got, checks = look(tmp + '/web')
        check(faults(checks) == {'mail': 'wrong'} and got == 1, f'no mail: {faults(checks)}')
        got, checks = look(None)
        check(faults(checks) == {'packets': 'wrong'} and got == 1, f'nothing: {faults(checks)}')
        test_loss(tmp)
    return live.total()


if __name__ == '__main__':
    sys.exit(main())
