#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forged and lawful TCP, row by row of the catalogue's section C.

    tcp.py [-v] [--keep DIR] [--only REGEX] [--way REGEX] [--seeds N]

tests/tcp/*.txt hold sessions and rows, c.txt those of the catalogue's section C, h.txt what TCP may do besides: dialogues
as tools/make_capture.py has them, and besides

    put S|C FLAGS [seq=N] [ack=N] [data=TEXT] ...   a segment in the name of this side. FLAGS of FSRPAU; numbers count from
                     where this side and its peer are (seq=-20: behind by 20; seq=@N, ack=@N: from the first number); in
                     TEXT + is a space and ~ the end of a line. A host's own segment unless one of ttl= id= win= df=0 mac=
                     sum=bad urg=N (pointer) opt=HEX (options) ts=MS (its time stamp is older by this) says otherwise.
                     Moves nobody's numbers; with `moves` the sender's.
    open PORT [wrap=N]   as conn, and nothing is sent yet; N bytes before both numbers wrap
    stamps           time stamps in every segment from here on
    skip S|C N       so many numbers of this side that the capture does not show
    learned          what was reported up to here is not asked about
    ttl S|C N        this side's packets have this TTL from here on
    key              the segments from here to `end` define the row: reordering leaves their own order as it is
    answer S|C TEXT  as `S: TEXT`, and the other side does not acknowledge it
    run NAME         the steps of a session
    want FINDING[:BAND]   must be reported, as in scenes.py; may FINDING: may be reported; says TEXT: some evidence of an
                     alert holds this (says4: over IPv4, where there is an IP id)
    sees WORD        what every alert says of what was seen, in this order and at this port
    option ...       of `stripwire read`
    count KEY=N ...  tools/observe counts so many of these in all connections together, in both ways of reassembly

All that is expected is what the catalogue says of the row, whatever the way: IPv4, IPv6; `bytes` every segment of data cut
to one byte; `twice` every frame seen twice; `odd` the server at a port that says nothing, 10000 up (not where TLS comes
first: there the port alone tells that it is mail); `reordered` within 3 places and 100 ms, SEEDS times each. A band is that of
the row as written: where segments overtake each other, a row can become its neighbour, and the finding alone is asked for.
"""
import argparse
import concurrent.futures
import datetime
import glob
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)
import scenes  # noqa: E402
from make_capture import Capture, checksum  # noqa: E402

FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, 'A': 16, 'U': 32}
APART = .1  # seconds: what is further apart does not overtake
PLACES = 3


class Segments(Capture):
    def __init__(self, v6, way):
        super().__init__(v6)
        self.one_byte, self.port_up, self.keyed, self.key = way == 'bytes', 10000 * (way == 'odd'), False, []
        self.stamps, self.options, self.older, self.learned = False, b'', 0, 0

    def other(self, who):
        return 'S' if who == 'C' else 'C'

    def emit(self, frame):
        self.frames.append((self.now, frame))
        self.key.append(self.keyed)

    def frame(self, src, dst, tcp, ttl):
        options = self.options
        if self.stamps:
            options += struct.pack('>HBBII', 0x0101, 8, 10, int(self.now * 1000) - self.older & 0xffffffff, 7)
        options += b'\1' * (-len(options) % 4)
        tcp = tcp[:12] + bytes([0x50 + 4 * len(options)]) + tcp[13:20] + options + tcp[20:]
        return super().frame(src, dst, tcp, ttl)

    def packet(self, who, flags, data=b'', seq=None, ttl=None, options=b''):
        n = len(self.frames)
        super().packet(who, flags, data, seq, ttl, options)
        self.key += [self.keyed] * (len(self.frames) - n)

    def send(self, who, data, acknowledged=True):
        a, step = self.side[who], 1 if self.one_byte else 1440
        for i in range(0, len(data), step):
            a.last = (a.seq, data[i:i + step])
            self.packet(who, 0x18, data[i:i + step])
            a.seq += len(data[i:i + step])
            self.now -= .0018 if self.one_byte and i else 0
        if acknowledged:
            self.packet(self.other(who), 0x10)

    def do_answer(self, who, *words):
        self.send(who, ' '.join(words).encode() + b'\r\n', False)

    def do_key(self):
        self.keyed = True

    def do_end(self):
        self.keyed = False

    def do_put(self, who, flags, *words, data='', **o):
        bits = sum(FLAGS[f] for f in flags)
        data = data.replace('+', ' ').replace('~', '\r\n').encode()
        step = 1 if self.one_byte and len(data) > 1 and not bits & 2 else max(len(data), 1)
        a = self.side[who]
        for i in range(0, max(len(data), 1), step):
            self.one(who, bits, data[i:i + step], i, o)
        if 'moves' in words:
            a.seq += len(data) + bool(bits & 3)

    def number(self, side, text):
        return (side.first + int(text[1:]) if text[0] == '@' else side.seq + int(text)) & 0xffffffff

    def one(self, who, bits, data, at, o):
        a, b = self.side[who], self.side[self.other(who)]
        kept = a.ip_id
        a.ip_id = int(o.get('id', (kept + 1) & 0xffff))
        seq = (self.number(a, o.get('seq', '+0')) + at) & 0xffffffff
        ack = self.number(b, o.get('ack', '+0')) if bits & 16 else 0
        tcp = struct.pack('>HHIIBBHHH', a.port, b.port, seq, ack, 0x50, bits, int(o.get('win', 64000)), 0,
                          int(o.get('urg', 0))) + data
        self.options, self.older = bytes.fromhex(o.get('opt', '')), int(o.get('ts', 0))
        f = self.frame(a, b, tcp, int(o.get('ttl', a.ttl)))
        self.options, self.older = b'', 0
        a.ip_id = kept if 'id' in o else a.ip_id
        if o.get('df') == '0' and not self.v6:
            head = f[14:20] + b'\0\0' + f[22:24] + b'\0\0' + f[26:34]
            f = f[:14] + head[:10] + struct.pack('>H', checksum(head)) + head[12:] + f[34:]
        if 'mac' in o:
            f = f[:6] + bytes.fromhex(o['mac'].replace(':', '')) + f[12:]
        if o.get('sum') == 'bad':
            at = 14 + (40 if self.v6 else 20) + 16
            f = f[:at] + bytes([f[at] ^ 0x55]) + f[at + 1:]
        self.now += .0002 if at else .002
        self.emit(f)

    def do_conn(self, port, **o):
        super().do_conn(int(port) + self.port_up, **o)
        for s in self.side.values():
            s.first = s.seq - 1 if o.get('shake') != 'no' else s.seq

    def do_open(self, port, wrap=None, **o):
        self.midstream = True
        self.do_conn(port, shake='no', **o)
        for s in self.side.values() if wrap else ():
            s.first = s.seq = 2 ** 32 - int(wrap)

    def do_stamps(self):
        self.stamps = True

    def do_learned(self):
        self.learned = self.now

    def do_skip(self, who, n):
        self.side[who].seq += int(n)

    def do_ttl(self, who, n):
        self.side[who].ttl = int(n)

    def twice(self):
        self.frames = [(t + d, f) for t, f in self.frames for d in (0, .00002)]

    def reorder(self, seed):
        rng, out, start = random.Random(seed), [], 0
        for i in range(1, len(self.frames) + 1):
            if i < len(self.frames) and self.frames[i][0] - self.frames[i - 1][0] < APART:
                continue
            run = sorted(range(start, i), key=lambda k: k + rng.uniform(0, PLACES + .99))
            keys = iter(sorted(k for k in run if self.key[k]))
            out += [next(keys) if self.key[k] else k for k in run]
            start = i
        self.frames = [(self.frames[i][0], self.frames[k][1]) for i, k in enumerate(out)]


def expand(steps, sessions):
    """Returns (steps to play, what is expected and how to ask)."""
    out, asked = [], {'want': [], 'may': [], 'says': [], 'says4': [], 'sees': [], 'count': [], 'option': []}
    for _, line in steps:
        first, _, rest = line.partition(' ')
        if first in ('says', 'says4'):
            asked[first].append(rest.strip())
        elif first in asked:
            asked[first] += rest.split()
        elif first == 'run':
            out += expand(sessions[rest.strip()], sessions)[0]
        else:
            out.append(line)
    return out, asked


def complaints(alerts, asked, way, v6):
    want = asked['want'] if not way.startswith('reordered') else [w.split(':')[0] for w in asked['want']]
    out = scenes.complaints(alerts, want, asked['may'])
    text = ' | '.join(e for a in alerts for e in a['evidence'])
    if not way.startswith('reordered'):
        out += [f'{a["finding"]} says {a["visibility"]}' for a in alerts for s in asked['sees'] if s not in a['visibility']]
        out += [f'nothing says "{s}"' for s in asked['says'] + ([] if v6 else asked['says4']) if s not in text]
    return out


def miscounts(args, wanted, way, path):
    """What the decoders saw, against what was there to be seen. A greeting that comes before the handshake is text in the
    middle of something, or a hole."""
    out = []
    if way.startswith('reordered'):
        wanted = [w for w in wanted if not re.match('greeting|gap', w)]
    for more in ([], ["--always"]) if wanted else ():
        text = subprocess.run([args.observe, *more, path], capture_output=True, text=True, timeout=60).stdout
        flows = [dict(w.split('=') for w in line.split()[5:]) for line in text.splitlines() if line.startswith('flow ')]
        for key, n in (w.split('=') for w in wanted):
            got = sum(int(f[key]) for f in flows)
            out += [f'{key}={got}, not {n} ' + ' '.join(more)] if got != int(n) else []
    return out


def play(job):
    name, steps, sessions, (v6, way), args, tmp = job
    lines, asked = expand(steps, sessions)
    tls_first = any(re.match(r'(conn|open) (465|993|995)\b', line) for line in lines)
    if way == 'odd' and tls_first or asked['sees'] and way not in ('plain', 'bytes', 'twice'):
        return job, [], []
    capture = Segments(v6, way)
    capture.play(lines)
    if way == 'twice':
        capture.twice()
    elif way.startswith('reordered'):
        capture.reorder(f'{name}{way}')
    path = os.path.join(args.keep or tmp, f'{name}.{"v6" if v6 else "v4"}.{way}.pcap')
    capture.write(path)
    p = subprocess.run([args.binary, 'read', '--no-db', '-q', '--no-system-trust', '--trust',
                        os.path.join(tmp, 'root.pem'), '-r', os.path.join(HERE, '..', 'sensor.rules'), '--eve', '-',
                        *asked['option'], path], capture_output=True, text=True, timeout=60)
    if p.returncode:
        return job, ['exit: ' + p.stderr], []
    alerts = [e for e in map(json.loads, p.stdout.splitlines()) if e['event_type'] == 'alert']
    alerts = [a['stripwire'] for a in alerts if datetime.datetime.fromisoformat(a['timestamp']).timestamp() > capture.learned]
    return job, complaints(alerts, asked, way, v6) + miscounts(args, asked['count'], way, path), alerts


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--keep')
    p.add_argument('--only', default='')
    p.add_argument('--way', default='')
    p.add_argument('--seeds', type=int, default=3)
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    p.add_argument('--observe', default=os.path.join(HERE, '..', 'build', 'release', 'tools', 'observe'))
    args = p.parse_args()
    sessions, rows, failed = {}, {}, 0
    for path in sorted(glob.glob(os.path.join(HERE, 'tcp', '*.txt'))):
        scenes.load(path, sessions, rows)
    rows = scenes.cases(rows)
    ways = [(v6, way) for way in ['plain', 'bytes', 'twice', 'odd'] + [f'reordered{i}' for i in range(args.seeds)]
            for v6 in (False, True) if re.search(args.way, way)]
    with tempfile.TemporaryDirectory() as tmp:
        with open(os.path.join(HERE, 'scenes', 'certs.pem')) as f, open(os.path.join(tmp, 'root.pem'), 'w') as out:
            out.write(re.search(r'# root\n(-----BEGIN.*?END CERTIFICATE-----\n)', f.read(), re.S)[1])
        jobs = [(n, s, sessions, w, args, tmp) for n, s in rows.items() for w in ways if re.search(args.only, n)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for job, wrong, alerts in pool.map(play, jobs):
                name, (v6, way) = job[0], job[3]
                failed += bool(wrong)
                if wrong:
                    print(f'FAIL {name} (IPv{6 if v6 else 4}, {way}, {rows[name][0][0]}): ' + '; '.join(wrong))
                for a in alerts if wrong or args.verbose and way == 'plain' else []:
                    print(f'   {name}: {a["finding"]} {a["confidence"]} {a["severity"]}: ' + ' | '.join(a['evidence']))
    print(f'{len(jobs) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
