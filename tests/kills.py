#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of the live sensor killed under load: what is lost by that?

	kills.py [--segv N] [--judge N] [--supervisor N] [--rate FRAMES_PER_SECOND]

All the time honest mail of ever other clients is sent, and attacks, each by a
client of its own, so that every alert can be counted.

A worker dies of SIGSEGV again and again. The attacks beside it belong to the
other workers (by the hash of sensor/fanout.c), and each must have all the alerts
that one has which is disturbed by nothing. The time from the signal to the
new worker's being ready is measured.

Judge and supervisor die of SIGKILL at random moments. How many alerts were judged
is sampled meanwhile; those that were judged a second before must be stored. The
database must be intact each time.

Times are figures; they are asserted only where nothing else ran on the machine
at the start (less than one process waiting), else with much slack. Skipped,
visibly, without root and network namespaces.
"""
import argparse
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter

sys.argv, args = sys.argv[:1], sys.argv[1:]
import live  # noqa: E402

HONEST = "B-starttls-smtp.client.pcap"
SERVER = (10, 2, 0, 20)
WORKERS = 3
BATCH = 1.0  # seconds; db/store.h commits after half of it
REPLACED = 1.0  # seconds
SLACK = 4.0  # of a machine that is busy otherwise


def worker_of(client):
    """sensor/fanout.h: which worker sees what a client (10, 9, a, b) does"""
    def word(a):
        return a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3]
    total = (word(client) + word(SERVER)) * 0x9e3779b1 & 0xffffffff
    return (total >> 16) % WORKERS


class Attackers:
    """numbers of clients that nobody had before; what they did is kept"""

    def __init__(self, s):
        self.s, self.next, self.sent = s, 0, []
        self.senders = []

    def client(self, but=None):
        while True:
            self.next += 1
            c = (10, 9, self.next >> 8, self.next & 255)
            if worker_of(c) != but:
                return self.next, c

    def attack(self, but=None):
        """one attack; not of a client of the worker `but`"""
        n, c = self.client(but)
        path = "%s/k%d.pcap" % (self.s.dir, n)
        live.readdress(live.capture(live.ATTACK), path, n)
        self.senders.append((subprocess.Popen(
            [live.SEND, "sw0", path], stdout=subprocess.DEVNULL), path))
        self.sent.append("%d.%d.%d.%d" % c)
        return self.sent[-1]

    def reap(self, wait=False):
        left = []
        for p, path in self.senders:
            if p.poll() is None and not wait:
                left.append((p, path))
                continue
            p.wait()
            os.unlink(path)
        self.senders = left


class Background(threading.Thread):
    """fn() again and again, until end()"""

    def __init__(self, fn, pause):
        super().__init__(daemon=True)
        self.fn, self.pause, self.over = fn, pause, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(self.pause):
            self.fn()

    def end(self):
        self.over.set()
        self.join()


def honest(rate):
    return subprocess.Popen(
        [live.SEND, "-c", "-r", str(rate), "-s", "86400", "sw0",
         live.capture(HONEST)], stdout=subprocess.DEVNULL)


def alerts_by_client(s):
    got = {}
    for client, finding, sid in s.rows(
            "select f.client, a.finding, a.sid from alerts a join flows f "
            "on a.flow = f.id"):
        got.setdefault(client, Counter())[finding, sid] += 1
    return got


def undisturbed(s, a):
    """what an attack is worth"""
    c = a.attack()
    a.reap(wait=True)
    live.until(lambda: live.FINDING in str(alerts_by_client(s).get(c)))
    time.sleep(6)  # nothing is settled later than 4 s after a packet
    return alerts_by_client(s).get(c)


def replaced(s, number, pid):
    """waits until the worker is another and ready; seconds"""
    start = time.monotonic()
    os.kill(pid, signal.SIGSEGV)
    while time.monotonic() - start < live.WAIT:
        st = s.status()
        w = st["workers"][number] if st else {"pid": pid}
        if w["pid"] not in (0, pid) and w["ready"]:
            return time.monotonic() - start
        time.sleep(0.002)
    return None


def test_worker(s, a, times, idle):
    victim, took, quick = 0, [], 0
    want = undisturbed(s, a)
    if not live.check(want, "an attack is found"):
        return
    dead = s.status()["restarts"]
    a.sent = []
    for i in range(times):
        pid = s.pids()["worker %d" % victim]
        for _ in range(4):
            a.attack(but=victim)
        time.sleep(random.random() * 0.3)
        t = replaced(s, victim, pid)
        if not live.check(t is not None, "it is replaced"):
            return
        took.append(t)
        a.reap()
        pause = random.random() * 2.5  # one dead within 2 s is quick
        quick += pause < 2
        time.sleep(pause)
    a.reap(wait=True)

    def missing():
        got = alerts_by_client(s)
        return [c for c in a.sent if got.get(c) != want]
    live.until(lambda: not missing())
    lost = missing()
    got = alerts_by_client(s)
    live.check(not lost, "alerts of other workers are missing: %s" %
               [(c, dict(got.get(c, {}))) for c in lost[:3]])
    st = s.status()
    live.check(st["restarts"] == dead + times, "deaths are counted")
    live.check(all(w["restarts"] == 0 for w in st["workers"]
                   if w["worker"] != victim), "the others live on")
    live.check(sum(w["observations_shed"] for w in st["workers"]) == 0,
               "nothing is shed")
    live.check(live.until(lambda: s.count("sensor-restarted") >= 1),
               "a death is an alert")
    live.check(live.fired(s, 1000601), "of the rule for it")
    print("%d SIGSEGV (%d of processes younger than 2 s): %d attacks of other "
          "workers, %d alerts each, %d without all of them; replaced and ready "
          "after %.0f ms (median), %.0f ms (worst)" %
          (times, quick, len(a.sent), sum(want.values()), len(lost),
           1000 * statistics.median(took), 1000 * max(took)))
    live.check(max(took) < (REPLACED if idle else SLACK),
               "replaced within a second: %.2f s" % max(took))


class Judged:
    """how many alerts the judge at hand had judged, and when"""

    def __init__(self, s):
        self.s, self.samples = s, []
        self.thread = Background(self.look, 0.02)

    def look(self):
        st = self.s.status()
        if st and st["judge"]["ready"]:
            self.samples.append((time.monotonic(), st["judge"]["pid"],
                                 sum(st["judge"]["alerts"].values()) -
                                 st["judge"]["alerts_known"]))

    def age_of_loss(self, pid, stored, at):
        """Of what the judge had judged before `at` and is not stored, how old
        was the oldest? 0: all is stored."""
        ages = [at - t for t, p, n in self.samples if p == pid and n > stored]
        return max(ages, default=0)

    def last(self, pid):
        return max((n for _, p, n in self.samples if p == pid), default=0)


def ready(s):
    live.until(lambda: (s.status() or {"judge": {}})["judge"].get("ready"))
    return s.pids()["judge"], s.rows("select max(id) from runs")[0][0]


def stored(s, run):
    return s.rows("select count(*) from alerts where run = %d" % run)[0][0]


def kill_judge(s, judged):
    pid, run = ready(s)
    time.sleep(random.random() * 2.5)
    os.kill(pid, signal.SIGKILL)
    at = time.monotonic()
    live.check(live.until(lambda: s.pids()["judge"] != pid), "a new judge")
    live.check(s.intact(), "the database is intact")
    n = stored(s, run)
    return judged.age_of_loss(pid, n, at), n, judged.last(pid)


def kill_supervisor(s, judged):
    pid, run = ready(s)
    pids = s.pids()
    time.sleep(random.random() * 2.5)
    s.p.kill()
    at = time.monotonic()
    s.p.wait()
    live.check(live.until(lambda: not any(live.alive(p) for p in
                                          pids.values())), "all end with it")
    live.check(s.intact(), "the database is intact")
    n = stored(s, run)
    s.start()
    return judged.age_of_loss(pid, n, at), n, judged.last(pid)


def test_kills(s, a, name, kill, times, idle):
    """The database is intact, and what was judged a second before is there."""
    judged = Judged(s)
    attacks = Background(lambda: (a.attack(), a.reap()), 0.2)
    lost = [kill(s, judged) for _ in range(times)]
    attacks.end()
    judged.thread.end()
    a.reap(wait=True)
    ages = [age for age, _, _ in lost]
    kept, most = sum(n for _, n, _ in lost), sum(m for _, _, m in lost)
    print("%d SIGKILL of the %s: intact each time; %d alerts stored of at least "
          "%d judged; the oldest that was lost was judged %.2f s before" %
          (times, name, kept, max(most, kept), max(ages)))
    live.check(kept > 0, "something was stored")
    live.check(max(ages) < BATCH + (0.1 if idle else SLACK),
               "older than a batch and lost: %.2f s" % max(ages))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--segv", type=int, default=5)
    p.add_argument("--judge", type=int, default=3)
    p.add_argument("--supervisor", type=int, default=3)
    p.add_argument("--rate", type=int, default=10000)
    o = p.parse_args(args)
    idle = os.getloadavg()[0] < 1
    if not shutil.which("ip") or not live.own_network():
        live.skip("kills: needs root and network namespaces")
        return live.total()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave nothing
    s = live.Sensor(WORKERS, conf="incidents:\n  alerts: 0\n", buffer="64MiB")
    load = None
    try:
        a = Attackers(s)
        load = honest(o.rate)
        if o.segv:
            test_worker(s, a, o.segv, idle)
        if o.judge:
            test_kills(s, a, "judge", kill_judge, o.judge, idle)
        if o.supervisor:
            test_kills(s, a, "supervisor", kill_supervisor, o.supervisor, idle)
    finally:
        if load:
            load.kill()
            load.wait()
        if live.failed:
            print(s.said()[-3000:])
        s.end()
    return live.total()


sys.exit(main())
