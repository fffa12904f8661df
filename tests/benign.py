#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weeks of mail without an attacker: nothing above info may be said of it.

    benign.py [--sessions 5000] [--weeks 6] [--seed N] [--part 5000] [--keep DIR] [-v]

The sessions of benign_world.py, spread over so many weeks with more of them by day than by night, are written in parts,
and each part is read by a run of its own into one database, as a sensor reads rotated captures: connections are cut
where a part ends, and history goes through the database each time.
"""
import argparse
import collections
import heapq
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time

from benign_world import C, DAY, HERE, HOUR, S, WAYS, Client, Server, Talk
from mailgen import Endings
from mailgen_wire import ACK, RST, SYN, Flow, Writer, segments

SHM = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
TLS_CACHE = os.path.join(HERE, 'bench', 'mailgen-tls.json')
LAWFUL = .15                       # of the sessions do not end with two FINs
MSS = 1448


class World:
    def __init__(self, a):
        self.rng = rng = random.Random(a.seed)
        self.a, self.talk, self.ends, self.sessions = a, Talk(rng, TLS_CACHE), Endings(rng, a), 0
        ways = [w for w, share in WAYS for _ in range(share)]
        rng.shuffle(ways)
        self.servers = [Server(n, ways[n % len(ways)], a.weeks, rng) for n in range(40 + a.sessions // 500)]
        self.outside = [Client(n, False, rng) for n in range(100 + a.sessions // 100)]
        self.inside = [Client(n, True, rng) for n in range(20 + a.sessions // 1000)]
        # a few servers get most of the mail; each has its own circle of correspondents
        self.weight = [1 / (1 + n % 50) for n in range(len(self.servers))]
        self.circle = [rng.sample(self.outside, 8) + rng.sample(self.inside, 4) for _ in self.servers]

    def starts(self):
        """Times of day of all sessions, in order."""
        span = self.a.weeks * 7 * DAY
        mean, t = span / self.a.sessions, 0
        for _ in range(self.a.sessions):
            t += self.rng.expovariate(1) * mean * (1 + .8 * math.cos(t / DAY * 2 * math.pi))
            yield t

    def visit(self, t):
        """Somebody goes to some server: (server, client, port)."""
        rng = self.rng
        server = rng.choices(self.servers, self.weight)[0]
        port = rng.choice(server.ports)
        clients = self.circle[server.n]
        if server.way == 'two-faced' and not server.served or port == 24:
            clients = clients[8:]
        return server, rng.choice(clients), port

    def packets(self, server, client, port, t):
        """The session as (flow, [(time, segment), ...], whether it has to be tried again)."""
        rng, talk = self.rng, self.talk
        v6 = client.v6
        tup = v6, client.addr, server.v6 if v6 else server.v4, client.next_port(), port, server.n
        flow = Flow(None, tup, rng, rng.random() < .8, b'')
        script = talk.session(server, client, port, t)
        if script is None and server.outage(t) == 'silent':
            segs = [(t + x, (C, SYN, 0, 0, b'', 0)) for x in (0, 1, 3, 7)]
            return flow, self.with_ttl(segs, client, server), True
        if script is None:
            segs = [(t, (C, SYN, 0, 0, b'', 0)), (t + client.rtt, (S, RST | ACK, 0, 1, b'', 0))]
            return flow, self.with_ttl(segs, client, server), True
        segs = segments([x[:2] for x in script], MSS)
        if rng.random() < LAWFUL and talk.may_end_any_way(script):
            segs += self.ends.end(segs)[1]
        later = any(data.startswith((b'450', b'421', b'454')) for d, data, wait in script if d == S)
        return flow, self.with_ttl(self.timed(segs, script, client, t), client, server), later

    def timed(self, segs, script, client, t):
        waits, pos = {}, [1, 1]
        for d, data, wait in script:
            if wait:
                waits[d, pos[d]] = wait
            pos[d] += len(data)
        out, last = [], None
        for x in segs:
            t += waits.get((x[0], x[2]), 0) if x[4] else 0
            t += client.rtt / 2 + self.rng.random() * .004 if x[0] != last else .00005
            last = x[0]
            out.append((t, x))
        return out

    @staticmethod
    def with_ttl(timed, client, server):
        own = client.ttl << 16, server.ttl << 16
        return [(t, x if x[1] >> 16 else (x[0], x[1] | own[x[0]]) + x[2:]) for t, x in timed]

    def live(self):
        """Yields (time, flow, segment) of all that happens, in order."""
        retries, active = [], []
        for start in self.starts():
            due = [heapq.heappop(retries) for _ in range(len(retries)) if retries and retries[0][0] <= start]
            for t, _, who in due + [(start, 0, None)]:
                while active and active[0][0] <= t:
                    yield from self.step(active)
                server, client, port = who or self.visit(t)
                flow, segs, again = self.packets(server, client, port, t)
                self.sessions += 1
                heapq.heappush(active, (segs[0][0], self.sessions, flow, iter(segs[1:]), segs[0][1]))
                if again:
                    when = t + self.rng.uniform(5 * 60, HOUR)
                    heapq.heappush(retries, (when, self.sessions, (server, client, port)))
        while active:
            yield from self.step(active)

    @staticmethod
    def step(active):
        t, n, flow, rest, seg = heapq.heappop(active)
        yield t, flow, seg
        nxt = next(rest, None)
        if nxt:
            heapq.heappush(active, (nxt[0], n, flow, rest, nxt[1]))


class Reader:
    """Reads the parts and keeps count."""

    def __init__(self, a, folder):
        self.a, self.folder, self.took = a, folder, 0
        self.found, self.wrong = collections.Counter(), []
        self.trust = os.path.join(folder, 'root.pem')
        with open(TLS_CACHE) as f, open(self.trust, 'w') as out:
            out.write(json.load(f)['root'])

    def read(self, path):
        t0 = time.monotonic()
        p = subprocess.run([self.a.binary, 'read', '-q', '-d', os.path.join(self.folder, 'benign.db'), '--no-system-trust',
                            '--trust', self.trust, '-r', os.path.join(HERE, '..', 'sensor.rules'), '--eve', '-', path],
                           capture_output=True, text=True)
        self.took += time.monotonic() - t0
        if p.returncode != 0:
            self.wrong.append(f'{path}: exit {p.returncode}: {p.stderr.strip()}')
        for line in p.stdout.splitlines():
            e = json.loads(line)
            s = e['stripwire']
            if e['event_type'] != 'alert':
                continue
            self.found[s['finding'], s['severity']] += 1
            if s['severity'] != 'info':
                self.wrong.append(f'{os.path.basename(path)} {e["timestamp"]} {e["src_ip"]} > {e["dest_ip"]}:{e["dest_port"]} '
                                  f'{s["finding"]} {s["confidence"]} {s["severity"]}: ' + ' | '.join(s['evidence']))


class Parts:
    """The captures, one after the other: written, read, thrown away."""

    def __init__(self, a, folder, reader):
        self.a, self.folder, self.reader = a, folder, reader
        self.n, self.packets, self.size, self.made = 0, 0, 0, 0
        self.open()

    def open(self):
        self.n += 1
        self.path = os.path.join(self.folder, f'part{self.n:03}.pcap')
        self.w, self.since = Writer(self.path, 1), time.monotonic()

    def close(self):
        self.w.f.close()
        self.made += time.monotonic() - self.since
        self.packets, self.size = self.packets + self.w.packets, self.size + self.w.size
        self.reader.read(self.path)
        if not self.a.keep:
            os.unlink(self.path)

    def write(self, world):
        for t, flow, seg in world.live():
            if world.sessions > self.n * self.a.part:
                self.close()
                self.open()
            self.w.ns = int(t * 1e9)
            flow.emit(self.w, seg)
        self.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sessions', type=int, default=5000)
    p.add_argument('--weeks', type=float, default=6)
    p.add_argument('--seed', type=int, default=4)
    p.add_argument('--part', type=int, default=5000, help='sessions in a capture')
    p.add_argument('--keep', help='a folder for captures and database')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    p.add_argument('-v', '--verbose', action='store_true')
    a = p.parse_args()
    with tempfile.TemporaryDirectory(dir=SHM) as folder:
        world, reader = World(a), Reader(a, a.keep or folder)
        parts = Parts(a, a.keep or folder, reader)
        parts.write(world)
    for (finding, severity), n in sorted(reader.found.items()):
        print(f'{finding:32} {severity:8} {n}')
    for line in reader.wrong[:None if a.verbose else 20]:
        print('FAIL', line)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    print(f'{world.sessions} sessions of {len(world.servers)} servers and {len(world.outside) + len(world.inside)} clients '
          f'in {a.weeks:g} weeks, {parts.packets} packets, {parts.size >> 20} MiB made in {parts.made:.0f} s')
    print(f'read in {reader.took:.1f} s, largest run {peak} MiB; {sum(reader.found.values())} alerts, '
          f'{len(reader.wrong)} above info')
    failed = bool(reader.wrong)
    print(f'{1 - failed} passed, {0 + failed} failed')
    return failed


if __name__ == '__main__':
    sys.exit(main())
