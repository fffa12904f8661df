#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail servers, real clients, an attacker between them, and sensors that
run: one before the attacker (as the client sees it), one behind.

	lab.py [--short] [--offload on|off|both] [--record DIR] [--keep]

First the benign part: nothing above info may be said of it. Then each attack,
by a client of its own: its findings must appear in the database. Load spoils
nothing: each step waits a minute and more; delays are printed. Without root,
namespaces or the programs it is skipped, visibly.
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import clients
import netns
from attacks import ATTACKS, BESIDE, VANTAGES, victims
from netns import CLIENTS
from record import Recorder
from sensor import Sensor
from servers import Servers

PROGRAMS = ("ip tc iptables sysctl unshare ethtool postfix dovecot swaks curl "
            "openssl msmtp fetchmail").split()
os.environ["PATH"] += ":/usr/sbin:/sbin"        # also under su
SEVERITY = "info low medium high critical".split()
WAIT = 60                      # seconds until a finding counts as missed
BOUND = 60                     # and of its delay: load is no failure
PROXY_PORT = 7777
PR_SET_PDEATHSIG = 1

passed = failed = 0
benign_clients = CLIENTS[:50]                  # .60 to .73: clients.py, trouble()


def check(ok, what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAIL", what, flush=True)
    return ok


def until(fn, seconds=WAIT):
    end = time.monotonic() + seconds
    while not fn() and time.monotonic() < end:
        time.sleep(0.02)
    return fn()


def missing():
    """Why the lab cannot run here, or nothing."""
    if os.geteuid() != 0:
        return "needs root"
    gone = [p for p in PROGRAMS if not shutil.which(p)]
    if gone:
        return "not installed: " + " ".join(gone)
    if subprocess.run(["unshare", "--net", "--pid", "--mount", "--fork",
                       "true"], stderr=subprocess.DEVNULL).returncode:
        return "no namespaces here"
    return ""


class Attacker:
    def __init__(self, net, folder):
        table = {victims[a[0]]: a[1] for a in ATTACKS if a[1]}
        self.packets = []
        net.intercept("10.1.0.128/25", PROXY_PORT)
        here = os.path.dirname(os.path.abspath(__file__))
        self.process = net.attacker.start(
            ["python3", here + "/attacker.py", str(PROXY_PORT), "ac",
             json.dumps(table), folder + "/evil.pem", folder + "/evil.key"],
            stdout=subprocess.PIPE, stderr=open(folder + "/attacker.log", "w"))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.packets.append(json.loads(line))

    def first(self, client, since):
        """When its first packet for this client was sent, 0: never."""
        return min((p["time"] for p in self.packets
                    if p["client"] == client and p["time"] >= since),
                   default=0)


class Lab:
    def __init__(self, folder, args):
        self.dir, self.args = folder, args
        with open(folder + "/hosts", "w") as f:
            f.write("127.0.0.1 localhost\n10.2.0.20 mail.lab.test\n"
                    "10.2.0.30 plain.lab.test\n")
        with open(folder + "/resolv.conf", "w") as f:
            f.write("options timeout:1 attempts:1\n")
        netns.call("mount", "--make-rprivate", "/")
        for name in ("hosts", "resolv.conf"):
            netns.call("mount", "--bind", folder + "/" + name, "/etc/" + name)
        self.net = netns.Net()
        self.servers = Servers(folder, self.net.server)
        self.attacker = Attacker(self.net, folder)
        clients.folder = folder
        with open(folder + "/message", "w") as f:
            f.write(clients.TEXT)
        self.pool = concurrent.futures.ThreadPoolExecutor(
            4, initializer=self.net.client.enter)
        self.delays = []

    def session(self, fn, me):
        """What went wrong in it, or nothing."""
        try:
            return fn(me) or ""
        except Exception as e:
            return "%s: %s" % (type(e).__name__, e)

    def start(self, name):
        self.sensors = {v: Sensor("%s/%s-%s" % (self.dir, name, v), tap,
                                  clients.ca()) for v, tap in VANTAGES}

    # ---- benign ----

    def benign(self, what, rounds):
        """So many rounds of all sessions, four at a time."""
        began, wrong, work = time.time(), [], []
        for n in range(rounds):
            order = list(clients.BENIGN)
            random.Random(n).shuffle(order)
            for fn in order:
                me = clients.OWN_ADDRESS.get(
                    fn, benign_clients[len(work) % 24])
                work.append((fn.__name__, self.pool.submit(
                    self.session, fn, me)))
        for name, job in work:
            if job.result():
                wrong.append(name + ": " + job.result()[-300:])
        check(not wrong, "%s: sessions failed: %s" % (what, wrong[:3]))
        print("%s: %d sessions of %d kinds in %.0f s" % (
            what, len(work), len(clients.BENIGN), time.time() - began),
            flush=True)

    def trouble(self):
        """What administrators do: address translation, a firewall that
        rejects, servers that are restarted under open sessions."""
        self.net.attacker.run("""
iptables -t nat -A POSTROUTING -o as -s 10.1.0.70 -j MASQUERADE
iptables -A FORWARD -s 10.1.0.71 -p tcp -j REJECT --reject-with tcp-reset
iptables -A FORWARD -s 10.1.0.72 -p tcp -j REJECT
""")
        for fn in (clients.swaks_587, clients.curl_imap, clients.python_pop3,
                   clients.python_imap, clients.openssl_smtp):
            wrong = self.pool.submit(self.session, fn, "10.1.0.70").result()
            check(not wrong, "%s through NAT: %s" % (fn.__name__, wrong))
            for me in ("10.1.0.71", "10.1.0.72"):
                wrong = self.pool.submit(self.session, fn, me).result()
                check(wrong or fn is clients.openssl_smtp,
                      fn.__name__ + ": was to be rejected")
        held = [self.pool.submit(self.session, fn, "10.1.0.73")
                for fn in (clients.keepalive, clients.idle)]
        time.sleep(1.5)
        self.servers.stop()
        time.sleep(1)
        self.servers.start()
        for job in held:
            job.result()
        wrong = self.pool.submit(self.session, clients.curl_imap,
                                 "10.1.0.73").result()
        check(not wrong, "after the restart: " + wrong)
        print("NAT, REJECT, restarts of the servers: done", flush=True)

    def silent(self, what):
        loud = ["%s: %s" % (v, a) for v, s in self.sensors.items()
                for a in s.alerts
                if a.severity > 0 and a.client not in victims.values()]
        if not loud:
            print("%s: no alert above info" % what)
        check(not loud, "%s: %d alerts above info: %s" %
              (what, len(loud), sorted(set(loud))[:8]))

    # ---- attacks ----

    def attack(self, attack):
        name, kind, fn, *wanted = attack
        me = victims[name]
        for _ in range(12):    # a reset may lose its race under load
            since = time.time()
            wrong = self.pool.submit(self.session, fn, me).result()
            if not kind.startswith("reset") or not wrong:
                break
        ended = time.time()
        check(not wrong, "%s: the client: %s" % (name, wrong[-300:]))
        first = until(lambda: self.attacker.first(me, since)) if kind else \
            since
        check(first, name + ": the attacker did nothing")
        for (vantage, _), findings in zip(VANTAGES, wanted):
            self.found(name, vantage, findings, first, ended)

    def found(self, name, vantage, findings, first, ended):
        sensor, me = self.sensors[vantage], victims[name]

        def alerts(finding):
            return [a for a in sensor.of(me) if a.finding == finding and
                    a.severity > 0 and a.time >= first - 5]
        for finding in findings:
            got = until(lambda: alerts(finding))
            if not check(got, "%s, %s: no %s; but %s" % (
                    name, vantage, finding,
                    [str(a) for a in sensor.of(me)])):
                print("%-22s %-7s %-28s MISSED" % (name, vantage, finding))
                continue
            a = got[0]
            attack, settled = a.seen - first, a.seen - a.time
            self.delays.append((name, settled))
            check(settled < BOUND, "%s: %s only after %.1f s" %
                  (name, finding, settled))
            print("%-22s %-7s %-28s %-9s %8.2f %8.2f" % (
                name, vantage, finding,
                SEVERITY[a.severity],
                attack, settled), flush=True)

    def attacks(self):
        print("%-22s %-7s %-28s %-9s %8s %8s" % (
            "attack", "side", "finding", "severity", "s after", "s after"))
        print("%-22s %-7s %-28s %-9s %8s %8s" % (
            "", "", "", "", "attack", "its time"))
        for attack in ATTACKS:
            self.attack(attack)

    def summary(self):
        resets = [d for n, d in self.delays if n.startswith("S7")]
        others = [d for n, d in self.delays if not n.startswith("S7")]
        for what, delays in (("after a forged reset", resets),
                             ("all others", others)):
            if delays:
                print("delay, %s: median %.2f s, worst %.2f s (%d findings)"
                      % (what, statistics.median(delays), max(delays),
                         len(delays)))

    # ---- the end of a pass ----

    def incidents(self):
        for vantage, s in self.sensors.items():
            rows = s.rows("select severity, alerts, title from "
                          "incidents where saved order by id")
            alone = ["%s" % a for a in s.alerts
                     if a.severity >= 3 and not a.incident]
            check(rows, vantage + ": no incident")
            check(not alone, "%s: alerts without an incident: %s" %
                  (vantage, alone[:5]))
            for severity, alerts, title in rows:
                print("%s: incident, %s, %d alerts: %s" % (
                    vantage, SEVERITY[severity], alerts, title))

    def beside(self):
        """Findings above info that the attack does not explain."""
        for name, _, _, *wanted in ATTACKS:
            for (vantage, _), findings in zip(VANTAGES, wanted):
                late = ["%s %.1f s" % (a, a.seen - a.time)
                        for a in self.sensors[vantage].of(victims[name])
                        if a.severity > 0 and a.seen - a.time > 4.5]
                if late:
                    print("late: %s: %s" % (vantage, late))
                also = {a.finding for a in self.sensors[vantage].of(
                    victims[name]) if a.severity > 0} - set(findings)
                check(not also - BESIDE, "%s, %s: said besides: %s" %
                      (name, vantage, also - BESIDE))

    def stop(self):
        for vantage, s in self.sensors.items():
            st = s.status()
            if check(st, vantage + ": no status"):
                for w in st["workers"]:
                    print("%s: worker %d: %d packets, %d lost" % (
                        vantage, w["worker"], w["packets"],
                        w["kernel_dropped"]))
            status = s.stop()
            check(status == 0, "%s: ended with %s: %s" %
                  (vantage, status, s.said()[-500:]))

    def one_pass(self, name, offload, rounds):
        print("== %s: offloads %s" % (name, "on" if offload else "off"))
        self.net.offloads(offload)
        self.start(name)
        record = self.args.record and Recorder(self.args.record, "L-benign")
        self.benign("benign", rounds)
        if not self.args.short:
            self.trouble()
        time.sleep(5)          # longer than a reset is waited for
        self.silent("benign")
        if record:
            record.stop()
            record = Recorder(self.args.record, "attacks")
        self.attacks()
        if record:
            record.stop()
            record.cut()
        self.benign("benign, afterwards", 1)
        self.stop()
        self.silent("the whole pass")
        self.beside()
        self.incidents()

    def end(self):
        self.servers.stop()
        self.attacker.process.terminate()


def inside(args):
    """In namespaces of its own; whatever it leaves running ends with it."""
    lab = Lab(args.inside, args)
    for offload in {"on": [1], "off": [0], "both": [1, 0]}[args.offload]:
        lab.one_pass("pass-%s" % ("on" if offload else "off"), offload,
                     2 if args.short else 20)
    lab.summary()
    if failed:
        print(lab.servers.said()[-3000:])
    lab.end()
    print("%d passed, %d failed" % (passed, failed), flush=True)
    os._exit(1 if failed else 0)


def dies_with_parent():
    netns.libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def outside(args):
    """However this ends, nothing that it started goes on: with process 1 of
    a process namespace all of it ends."""
    folder = tempfile.mkdtemp(prefix="stripwire-lab.")
    os.chmod(folder, 0o755)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    child = subprocess.Popen(
        ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child",
         "--mount-proc", sys.executable, os.path.abspath(__file__),
         "--inside", folder] + sys.argv[1:], start_new_session=True,
        preexec_fn=dies_with_parent)
    try:
        return child.wait()
    except KeyboardInterrupt:
        print("stopped")
        return 130
    finally:
        child.kill()
        child.wait()
        if args.keep:
            print("kept:", folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--short", action="store_true")
    p.add_argument("--offload", choices=("on", "off", "both"))
    p.add_argument("--record", metavar="DIR")
    p.add_argument("--keep", action="store_true")
    p.add_argument("--inside", metavar="DIR", help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.record and args.offload == "both":
        p.error("--record is of one pass: --offload on or off")
    if args.record:
        args.record = os.path.abspath(args.record)
    args.offload = args.offload or (
        "on" if args.short else "off" if args.record else "both")
    if args.inside:
        inside(args)
    why = missing()
    if why:
        print("SKIP lab: " + why)
        print("0 passed, 0 failed, 1 skipped")
        return 0
    return outside(args)


sys.exit(main())
