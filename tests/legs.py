#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two connections on one four-tuple, seen by one sensor: both legs of a proxy that keeps addresses and ports, tenants with
equal addresses; and what must not be taken for that.

    legs.py [-v] [--keep DIR] [--only REGEX]

A case is what happened before (sessions of tests/scenes, both legs alike), then a session on the near leg and one on the
far leg at the same time, on the same addresses and ports with other sequence numbers, and what of each must be found. Each
is played in every way that the legs can be told apart (WAYS), and read by one worker and by three, with the same result.

The twins: each packet twice, in two places; each direction in a VLAN of its own; and two answers to one SYN, which must be
found where both come in at one place. They must give what the plain capture gives, alert for alert.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import rewrite  # noqa: E402
import scenes  # noqa: E402
import tcp  # noqa: E402

LATER = .0007  # seconds from the near leg to the far one: less than a step of either
ISN = 0x5a5a5a5a
FORGED_TTL = 64


def vlan(frame, tag):
    return frame[:12] + struct.pack('>HH', 0x8100, tag) + frame[12:]


def vxlan(frame, vni):
    inner = struct.pack('>BxxxI', 8, vni << 8) + frame
    return frame[:12] + b'\x08\0' + rewrite.ip4(17, rewrite.udp(4789, inner))


def to_server(frame):
    f = rewrite.Frame(0, frame)
    return f.tcp is not None and f.to_server


# what a frame of a leg (0 near, 1 far) looks like: interface, bytes
WAYS = {
    'interfaces': lambda leg, f: (leg, f),
    'VLANs': lambda leg, f: (0, vlan(f, 10 + leg)),
    'one VLAN': lambda leg, f: (0, vlan(f, 10) if leg else f),
    'VLANs by direction': lambda leg, f: (0, vlan(f, 10 + 2 * leg + to_server(f))),
    'VXLAN': lambda leg, f: (0, vxlan(f, 100 + leg)),
}

# name: (before, near leg, far leg, wanted, allowed): wanted and allowed as in scenes.py
CERT = ['cert-self-signed', 'cert-untrusted', 'cert-bad-accepted', 'cert-interceptor', 'tls-fingerprint-changed']
CASES = {
    'stripped for the client': ('smtp-tls x12', 'smtp-stripped-mail', 'smtp-tls',
                                ['starttls-stripped:H/alarm', 'plaintext-fallback:MH/alarm'], []),
    'stripped for the server': ('smtp-tls x12', 'smtp-tls', 'smtp-stripped-mail',
                                ['starttls-stripped:H/alarm', 'plaintext-fallback:MH/alarm'], []),
    'intercepted': ('imaps x12', 'legs-mitm', 'imaps', ['cert-changed:MH/alarm'], CERT),
    'intercepted within STARTTLS': ('smtp-tls x12', 'legs-smtp-mitm', 'smtp-tls', ['cert-changed:MH/alarm'], CERT),
    'an honest proxy': ('smtp-tls x3', 'smtp-tls', 'smtp-tls', [], []),
    'tenants in TLS': ('', 'imaps', 'legs-13', [], []),
    'tenants in clear': ('', 'smtp-clear', 'legs-clear', [], []),
}
SESSIONS = '''
@session legs-mitm
conn 993
tls 12 cert=self sni=mx.example.net
fin C
@session legs-smtp-mitm
conn 25
S: 220 mx.example.net ESMTP Postfix
C: EHLO out.example.org
S: 250-mx.example.net
S: 250-PIPELINING
S: 250-SIZE 10240000
S: 250-STARTTLS
S: 250 8BITMIME
C: STARTTLS
S: 220 2.0.0 Ready to start TLS
tls 12 sni=mx.example.net cert=self
fin C
@session legs-forged
open 25
put C S moves
put S SA seq=+500000 ttl=64
put S SA moves
put C A
S: 220 mx.example.net ESMTP
C: EHLO client.test
S: 250 mx.example.net
@session legs-13
conn 993
tls 13 sni=mx.example.net
fin C
@session legs-clear
conn 25
S: 220 mail.example.org ESMTP Exim
C: EHLO relay.example.com
S: 250-mail.example.org
S: 250 SIZE 1000
C: MAIL FROM:<c@example.com>
S: 250 OK
C: RCPT TO:<d@example.org>
S: 250 Accepted
C: RSET
S: 250 Reset OK
C: QUIT
S: 221 closing
fin C
'''


def pcapng(path, frames):
    """frames: (time, interface, bytes)"""
    with open(path, 'wb') as out:
        out.write(rewrite.block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)))
        for _ in range(2):
            out.write(rewrite.block(1, struct.pack('<HHI', 1, 0, 65535)))
        for time, interface, data in sorted(frames, key=lambda f: f[0]):
            t = round(time * 1e6)
            out.write(rewrite.block(6, struct.pack('<IIIII', interface, t >> 32, t & 0xffffffff, len(data), len(data)) + data))


def played(steps, sessions, isn, start, conns, v6):
    c = tcp.Segments(v6, 'IPv4')
    c.isn, c.conns = isn, conns
    c.now = start or c.now
    c.play(scenes.expand([('', line) for line in steps], sessions)[0])
    return c


def legs(case, way, sessions, v6):
    before, near, far, _, _ = case
    past = played(['run ' + before] if before else [], sessions, 0, 0, 0, v6)
    a = played(['use ' + near], sessions, 0, past.now, past.conns, v6)
    b = played(['use ' + far], sessions, ISN, past.now + LATER, past.conns, v6)
    frames = []
    for capture, of in ((past, (0,)), (a, (0,)), (b, (1,))):
        for time, data in capture.frames:
            frames += [(time + LATER * leg, *WAYS[way](leg, data)) for leg in of]
    return frames


def read(binary, path, trust, workers=1):
    p = subprocess.run([binary, 'read', '--no-db', '-q', '-w', str(workers), '--no-system-trust', '--trust', trust, '-r',
                        os.path.join(HERE, '..', 'sensor.rules'), '--eve', '-', path], capture_output=True, text=True, timeout=120)
    if p.returncode:
        return None
    events = [json.loads(line) for line in p.stdout.splitlines()]
    return [e['stripwire'] for e in events if e['event_type'] == 'alert']


def brief(alerts):
    return [(a['finding'], a['confidence'], a['severity']) for a in alerts or []]


def play_legs(job):
    name, way, v6, sessions, args, tmp = job
    case = CASES[name]
    path = os.path.join(args.keep or tmp, f'{name}.{way}.{v6}.pcapng'.replace(' ', '-'))
    pcapng(path, legs(case, way, sessions, v6))
    alerts = read(args.binary, path, os.path.join(tmp, 'root.pem'))
    if alerts is None:
        return ['exit status'], []
    wrong = scenes.complaints(alerts, case[3], case[4])
    if alerts != read(args.binary, path, os.path.join(tmp, 'root.pem'), 3):
        wrong.append('other alerts by three workers')
    return wrong, alerts


def twice(frames, way):
    return [(t, *WAYS[way](leg, f)) for t, f in frames for leg in (0, 1)]


def apart(frames, way):
    return [(t, *WAYS[way](int(to_server(f)), f)) for t, f in frames]


TWINS = {'twice': twice, 'apart': apart}


def play_twin(job):
    """A capture whose packets are of one connection each, seen in two places."""
    capture, form, way, args, tmp = job
    name = os.path.basename(capture)
    frames = [(sec + usec / 1e6, f) for link, _, sec, usec, _, f in rewrite.packets(capture)]
    paths = [os.path.join(args.keep or tmp, f'{name}.{form}.{way}.{n}.pcapng'.replace(' ', '-')) for n in (0, 1)]
    pcapng(paths[0], [(t, 0, f) for t, f in frames])
    pcapng(paths[1], TWINS[form](frames, way))
    trust = os.path.join(HERE, '..', 'pcaps', 'ca-root.pem')
    plain, seen = (brief(read(args.binary, p, trust)) for p in paths)
    return [] if plain == seen else [f'{plain} became {seen}'], []


# where the client's frames, the server's and the forged answer are seen
FORGED = {'all in one place': (0, 0, 0), "in the server's VLAN": (10, 20, 20), "in the client's VLAN": (10, 20, 10)}


def play_forged(job):
    """C12: another answer to the client's SYN, with a TTL of its own. It must be found wherever this host may be."""
    way, sessions, args, tmp = job
    c = played(['use legs-forged'], sessions, 0, 0, 0, False)
    path = os.path.join(args.keep or tmp, f'forged.{way}.pcapng'.replace(' ', '-'))
    client, server, other = FORGED[way]

    def placed(frame):
        tag = client if to_server(frame) else other if frame[22] == FORGED_TTL else server
        return vlan(frame, tag) if tag else frame
    pcapng(path, [(t, 0, placed(f)) for t, f in c.frames])
    alerts = read(args.binary, path, os.path.join(tmp, 'root.pem'))
    return scenes.complaints(alerts or [], ['handshake-hijack:H/alarm'], []), alerts


def captures(args):
    here = os.path.join(HERE, '..', 'pcaps', '*.pcap')
    return [p for p in sorted(glob.glob(here)) if re.search(args.only or '.', p)]


def jobs(args, sessions, tmp):
    for name in CASES:
        for way in WAYS:
            for v6 in (False, True):
                if re.search(args.only, name):
                    yield f'{name} ({way}, IPv{6 if v6 else 4})', play_legs, (name, way, v6, sessions, args, tmp)
    for way in FORGED:
        if re.search(args.only, 'forged'):
            yield f'forged answer, {way}', play_forged, (way, sessions, args, tmp)
    for path in captures(args):
        for form in TWINS:
            for way in ('interfaces', 'one VLAN'):
                yield f'{os.path.basename(path)} {form} ({way})', play_twin, (path, form, way, args, tmp)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--keep')
    p.add_argument('--only', default='')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    args = p.parse_args()
    sessions, failed = {}, 0
    with tempfile.TemporaryDirectory() as tmp:
        own = os.path.join(tmp, 'legs.txt')
        with open(own, 'w') as f:
            f.write(SESSIONS)
        for path in sorted(glob.glob(os.path.join(HERE, 'scenes', '*.txt'))) + [own]:
            scenes.load(path, sessions, {})
        with open(os.path.join(HERE, 'scenes', 'certs.pem')) as f, open(os.path.join(tmp, 'root.pem'), 'w') as out:
            out.write(''.join(re.findall(r'# root2?\n(-----BEGIN.*?END CERTIFICATE-----\n)', f.read(), re.S)))
        todo = list(jobs(args, sessions, tmp))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for (name, _, _), (wrong, alerts) in zip(todo, pool.map(lambda j: j[1](j[2]), todo)):
                failed += bool(wrong)
                if wrong:
                    print(f'FAIL {name}: ' + '; '.join(wrong))
                for a in alerts if wrong or args.verbose else []:
                    print(f'   {a["finding"]} {a["confidence"]} {a["severity"]}: ' + ' | '.join(a['evidence']))
    print(f'{len(todo) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
