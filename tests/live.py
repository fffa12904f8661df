#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live sensor on a veth pair, in a network namespace of its own: sandbox,
alerts while they happen, and what it does when something goes wrong. What is
lost when its processes are killed, kills.py counts.

Nothing is measured that load could spoil: each step waits until what is
expected is there, up to a minute. Skipped, visibly, without root and network
namespaces; the sandbox's part under sanitizers.
"""
import ctypes
import fcntl
import glob
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SENSOR = os.environ.get("STRIPWIRE", TOP + "/build/release/stripwire-hooks")
SEND = os.environ.get("FRAMESEND", TOP + "/build/release/tools/framesend")
WAIT = 60
CLONE_NEWNET = 0x40000000
CLONE_NEWNS = 0x00020000
# captures of one connection each whose finding is sure, and that finding
ATTACK = "S9-respinject-imap.client.pcap"
FINDING = "starttls-response-injection"

passed = failed = skipped = 0


def check(ok, what):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print("FAIL", what)
    return ok


def skip(what):
    global skipped
    skipped += 1
    print("SKIP", what)


def total():
    print("%d passed, %d failed%s" % (passed, failed, ", %d skipped" % skipped
                                      if skipped else ""))
    return 1 if failed else 0


def until(fn, seconds=WAIT):
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got or time.monotonic() > end:
            return got
        time.sleep(0.05)


class Sensor:
    def __init__(self, workers=3, options=(), disk=None, conf="",
                 buffer="8MiB", rules=None):
        """disk: size of a file system for the database alone; conf: further
        lines of the configuration, {dir} is its folder; rules: makes them, and
        the configuration says where they are"""
        self.dir = tempfile.mkdtemp(prefix="stripwire-live.")
        os.chmod(self.dir, 0o777)
        self.db = self.dir + "/db"
        self.disk = self.dir + "/disk" if disk else None
        if disk:
            os.mkdir(self.disk)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777,size=" +
                            disk, "none", self.disk], check=True)
            self.db = self.disk + "/db"
        self.eve = self.dir + "/eve"
        self.crash = self.dir + "/crash"
        self.log = self.dir + "/log"
        self.rules = self.dir + "/rules"
        self.lists = (TOP + "/interceptors.list", TOP + "/pcaps/ca-root.pem")
        if rules:
            self.rules = None
            rules()
        else:
            shutil.copy(TOP + "/sensor.rules", self.rules)
        os.mkdir(self.crash, 0o700)
        with open(self.dir + "/conf", "w") as f:
            f.write("run:\n  crash_folder: %s\n  buffer: %s\n" %
                    (self.crash, buffer))
            f.write(conf.replace("{dir}", self.dir))
        with open(self.dir + "/conf") as f:
            self.first_conf = f.read()
        self.workers = workers
        self.options = list(options)
        self.start()

    def start(self):
        argv = [SENSOR, "run", "-c", self.dir + "/conf", "-i", "sw1", "-w",
                str(self.workers), "-d", self.db,
                *(["-r", self.rules] if self.rules else []),
                "--interceptors", self.lists[0],
                "--no-system-trust", "--trust", self.lists[1],
                "--eve", self.eve, "--socket", self.dir + "/sock",
                "--user", "nobody"] + self.options
        self.out = open(self.log, "a")
        before = self.said().count("capturing with")
        self.p = subprocess.Popen(argv, stderr=self.out, cwd=self.dir)
        check(until(lambda: self.said().count("capturing with") > before),
              "the sensor starts: " + self.said())

    def said(self):
        try:
            with open(self.log) as f:
                return f.read()
        except OSError:
            return ""

    def status(self):
        try:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10)
            s.connect(self.dir + "/sock")
            got = b""
            while True:
                more = s.recv(65536)
                if not more:
                    return json.loads(got)
                got += more
        except (OSError, ValueError):
            return None

    def pids(self):
        """name to pid of the sensor's living children"""
        st = until(lambda: (lambda s: s if s and s["judge"]["pid"] and
                            all(w["pid"] for w in s["workers"]) else None)(
                                self.status()))
        got = {"judge": st["judge"]["pid"], "verifier": st["verifier_pid"]}
        for w in st["workers"]:
            got["worker %d" % w["worker"]] = w["pid"]
        return got

    def rows(self, sql):
        try:
            c = sqlite3.connect("file:%s?mode=ro" % self.db, uri=True,
                                timeout=10)
            try:
                return c.execute(sql).fetchall()
            finally:
                c.close()
        except sqlite3.Error as e:
            return []

    def count(self, finding):
        return sum(1 for _ in self.rows(
            "select 1 from alerts where finding = '%s'" % finding))

    def intact(self):
        c = sqlite3.connect(self.db, timeout=20)
        try:
            return c.execute("pragma integrity_check").fetchone()[0] == "ok"
        finally:
            c.close()

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        t = time.monotonic()
        try:
            status = self.p.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.p.kill()
            status = "hung"
        self.took = time.monotonic() - t
        return status

    def end(self):
        if self.p.poll() is None:
            self.stop()
        if self.disk:
            subprocess.run(["umount", self.disk])
        shutil.rmtree(self.dir, ignore_errors=True)


def fired(s, sid):
    """How often a rule of sensor.rules did (tests/shipped.py)."""
    return len(s.rows("select 1 from alerts where sid = %d" % sid))


def send(*args):
    return subprocess.run([SEND, *args[:-1], *args[-1:]], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def capture(name):
    return TOP + "/pcaps/" + name


def readdress(src, dst, n):
    """A capture again, with other clients: 10.1.0.10 becomes 10.9.x.y."""
    import struct
    data = bytearray(open(src, "rb").read())
    new = bytes([10, 9, n >> 8 & 255, n & 255])
    old = bytes([10, 1, 0, 10])
    at = 24
    while at < len(data):
        length = struct.unpack("<I", data[at + 8:at + 12])[0]
        ip = at + 16 + 14
        for field in (ip + 12, ip + 16):
            if data[field:field + 4] == old:
                data[field:field + 4] = new
        at += 16 + length
    open(dst, "wb").write(data)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


attacks = 10000


def attack(s, name=ATTACK):
    """an attack that was not seen before"""
    global attacks
    attacks += 1
    readdress(capture(name), s.dir + "/attack.pcap", attacks)
    send("sw0", s.dir + "/attack.pcap")


def in_feed(s, what=FINDING):
    with open(s.eve) as f:
        return sum(1 for line in f if json.loads(line).get("event_type") ==
                   "alert" and what in line)


def split(name, folder, word):
    """The first connection of a capture in two: what comes before word, and
    the rest. Returns the number of frames of the first part."""
    import struct
    data = open(capture(name), "rb").read()
    at, parts, client = 24, ([], []), None
    found = 0
    while at < len(data):
        end = at + 16 + struct.unpack("<I", data[at + 8:at + 12])[0]
        frame = data[at + 16:end]
        ports = frozenset((frame[34:36], frame[36:38]))
        client = client or ports
        if ports == client:
            found |= word in frame
            parts[found].append(data[at:end])
        at = end
    for part, frames in zip(("first", "second"), parts):
        with open("%s/%s.pcap" % (folder, part), "wb") as f:
            f.write(data[:24] + b"".join(frames))
    return len(parts[0])


# ---- what is tried ----

def test_sandbox(s):
    for name, pid in s.pids().items():
        with open("/proc/%d/status" % pid) as f:
            st = dict(l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)
        check(st["NoNewPrivs"] == "1", name + " may gain privileges")
        check(int(st["CapEff"], 16) == 0 and int(st["CapPrm"], 16) == 0,
              name + " has capabilities")
        check(st["Uid"].split()[0] != "0", name + " is root")
        if s.status()["sandbox"]:
            check(st["Seccomp"] == "2", name + " has no seccomp filter")
        else:
            skip("seccomp of the %s: sanitizers" % name)
        fds = []
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                fds.append(os.readlink("/proc/%d/fd/%s" % (pid, fd)))
            except OSError:
                pass
        files = [f for f in fds if f.startswith("/") and
                 not f.startswith("/dev/null") and f != s.log]
        if name != "judge":
            check(not [f for f in files if not f.startswith("/dev/")],
                  "%s holds files: %s" % (name, files))
        else:
            check(all(f.startswith(s.dir) or f.startswith("/dev/")
                      for f in files), "judge holds files: %s" % files)


def test_first_week(s):
    """What history does not know yet, which status says in the first week."""
    def told():
        return subprocess.run([SENSOR, "status", "--socket", s.dir + "/sock"], stdout=subprocess.PIPE, text=True).stdout
    check("no server is known yet" in told(), "before the first session")
    send("sw0", capture("B-starttls-smtp.client.pcap"))
    check(until(lambda: "1 by one" in told() or "by some sessions" in told()), "what is known: " + told())


def test_alerts(s):
    send("sw0", capture(ATTACK))
    check(until(lambda: s.count(FINDING) >= 2), "alerts while it happens")
    check(until(lambda: FINDING in open(s.eve).read()), "alerts in the feed")
    check(not fired(s, 1000601) and not fired(s, 1000602) and
          not fired(s, 1000603), "the sensor has nothing to say of itself")
    st = s.status()
    check(sum(w["packets"] for w in st["workers"]) > 0, "packets are counted")
    check(sum(w["kernel_dropped"] for w in st["workers"]) == 0, "no drops")
    got = subprocess.run([SENSOR, "status", "--socket", s.dir + "/sock",
                          "--prometheus"], stdout=subprocess.PIPE, text=True)
    check("stripwire_alerts_total{severity=" in got.stdout and
          got.returncode == 0, "status for Prometheus")
    got = subprocess.run([SENSOR, "status", "--socket", s.dir + "/sock"],
                         stdout=subprocess.PIPE, text=True)
    check("worker" in got.stdout and got.returncode == 0, "status for people")
    check("memory by table" in got.stdout and "judged_flows" in got.stdout,
          "memory by table: " + got.stdout)
    check("history: " in got.stdout and "filter:" not in got.stdout,
          "what is known so far")
    check(all(w["memory"]["connections"]["bytes"] > 0 and
              w["resident_bytes"] > 1 << 20
              for w in st["workers"] if w["flows"]), "memory as JSON")
    check_memory(st)


def check_memory(st):
    """no table above its cap, and no process much larger than its tables: what
    is left is program, libraries, stacks and what malloc() loses"""
    for who in (*st["workers"], st["judge"], st["verifier"],
                st["supervisor"]):
        for name, t in who["memory"].items():
            check(t["bytes"] <= t["max_bytes"] or not t["max_bytes"] or
                  name == "database", "%s within its cap: %s" % (name, t))
            check(t["entries"] <= t["max_entries"] or not t["max_entries"],
                  "%s within its cap: %s" % (name, t))
        check(who["memory_other_bytes"] < 40 << 20,
              "other than tables: %d" % who["memory_other_bytes"])


def test_incidents(s):
    """of test_alerts' attack, beside the sensor that goes on writing"""
    def incidents(*more):
        return subprocess.run([SENSOR, "incidents", "-d", s.db, "--json", *more],
                              stdout=subprocess.PIPE, text=True).stdout.splitlines()

    check(until(lambda: len(incidents("--open")) == 1), "an incident is open")
    got = subprocess.run([SENSOR, "incidents", "close", "1", "-d", s.db, "--as",
                          "attack"], stderr=subprocess.PIPE, text=True)
    check(got.returncode == 0, "it can be closed: " + got.stderr)
    check(until(lambda: s.status()["judge"]["incidents_open"] == 0),
          "the judge hears of it")
    readdress(capture(ATTACK), s.dir + "/i.pcap", 5000)
    send("sw0", s.dir + "/i.pcap")
    check(until(lambda: len(incidents("--open")) == 1 and len(incidents()) == 2),
          "what comes after is another one")


def deadly(path, word):
    """One frame that kills (or hangs) whoever looks at it: test hooks only."""
    import struct
    ip = bytes([0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0, 10, 7, 7, 7, 10, 7, 7, 8])
    tcp = struct.pack(">HHIIBBHHH", 40000, 25, 1, 1, 0x50, 0x18, 1000, 0, 0)
    body = b"AUTH PLAIN c2VjcmV0 password-" + word + b" " * 60
    ip = ip[:2] + struct.pack(">H", 40 + len(body)) + ip[4:]
    frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + tcp + body
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        f.write(struct.pack("<IIII", 1, 0, len(frame), len(frame)) + frame)


def test_deadly_packet(s):
    if "hooks" not in SENSOR:
        return skip("the packet that kills: needs the program with test hooks")
    deadly(s.dir + "/kill.pcap", b"X-KILL-WORKER")
    deadly(s.dir + "/hang.pcap", b"X-HANG-WORKER")
    dead = s.status()["restarts"]
    for n in (1, 2):
        send("sw0", s.dir + "/kill.pcap")
        check(until(lambda: s.status()["restarts"] == dead + n), "it kills")
        s.pids()
    send("-n", "5", "sw0", s.dir + "/kill.pcap")
    check(until(lambda: sum(w["packets_skipped"]
                            for w in s.status()["workers"]) >= 5),
          "it is skipped from then on")
    check(s.status()["restarts"] == dead + 2, "and kills no more")
    saved = sorted(os.listdir(s.crash))
    check(len(saved) >= 2, "it is saved")
    for name in saved:
        data = open(s.crash + "/" + name, "rb").read()
        check(b"password" not in data and b"c2VjcmV0" not in data,
              "what is saved is masked")
        check(os.stat(s.crash + "/" + name).st_mode & 0o777 == 0o600,
              "nobody else reads it")
    hangs = s.status()["hangs"]
    send("sw0", s.dir + "/hang.pcap")
    check(until(lambda: s.status()["hangs"] == hangs + 1), "a hang is seen")
    s.pids()


def test_judge_hangs(s):
    if "hooks" not in SENSOR:
        return skip("a judge that hangs: needs the program with test hooks")
    pid, hangs = s.pids()["judge"], s.status()["hangs"]
    os.kill(pid, signal.SIGUSR1)  # it turns in a circle
    # it is given a minute by the clock where a busy machine gives it little time
    check(until(lambda: (s.status() or {}).get("hangs", 0) > hangs, 3 * WAIT),
          "a judge that hangs is seen")
    check(until(lambda: s.pids()["judge"] != pid), "and replaced")
    before = s.count(FINDING)
    attack(s)
    check(until(lambda: s.count(FINDING) >= before + 2), "alerts afterwards")


def test_joined_late(s):
    """A connection that a new judge meets in its middle: what comes then is
    found, and said to be not seen whole. Incidents go on."""
    name = "N-S11-imap-login.client.pcap"
    frames = split(name, s.dir, b"1 LOGIN ")
    finding = "plaintext-credentials"
    before = s.count(finding)
    packets = sum(w["packets"] for w in s.status()["workers"])
    opened = s.status()["judge"]["observations"]
    send("sw0", s.dir + "/first.pcap")
    check(until(lambda: sum(w["packets"] for w in s.status()["workers"]) >=
                packets + frames), "the beginning is seen")
    check(until(lambda: s.status()["judge"]["observations"] > opened),
          "and judged")
    incidents = until(lambda: s.rows(
        "select id from incidents where ended = 0 and saved = 1"))
    pid = s.pids()["judge"]
    os.kill(pid, signal.SIGKILL)
    check(until(lambda: s.pids()["judge"] != pid), "a new judge")
    check(until(lambda: s.status()["judge"]["ready"]), "which is ready")
    check(s.status()["judge"]["incidents_open"] >= len(incidents) > 0,
          "open incidents come back")
    send("sw0", s.dir + "/second.pcap")
    check(until(lambda: s.count(finding) > before), "what comes is found")
    late = s.rows("select visibility from alerts where finding = '%s' "
                  "order by id desc limit 1" % finding)
    check(late and late[0][0] & 1, "it joined late: %s" % late)


def fill(path):
    """Leaves no byte of room."""
    size = 1 << 16
    with open(path, "wb", buffering=0) as f:
        while size:
            try:
                if f.write(b"x" * size) == size:
                    continue
            except OSError:
                pass
            size //= 2


def test_full_disk():
    s = Sensor(workers=1, disk="3M")
    try:
        attack(s)
        check(until(lambda: s.count(FINDING) == 2), "stored while there is room")
        fill(s.disk + "/fill")
        fed = in_feed(s)

        def lost():
            attack(s)
            return s.status()["judge"]["alerts_lost"] >= 4
        check(until(lost), "what is not stored is counted")
        check(until(lambda: in_feed(s) >= fed + 4), "detection goes on")
        check(s.said().count("no room on the disk") == 1, "it is said once")
        check(s.intact(), "the database is intact")
        stored = s.count(FINDING)
        os.unlink(s.disk + "/fill")

        def resumed():
            attack(s)
            return s.count(FINDING) > stored
        check(until(resumed), "storing resumes when there is room")
        check(until(lambda: s.count("sensor-alerts-lost") == 1),
              "the loss is an alert")
        check("can be written again" in s.said(), "and is in the log")
        got = subprocess.run([SENSOR, "status", "--socket", s.dir + "/sock"],
                             stdout=subprocess.PIPE, text=True)
        check("alerts not stored" in got.stdout and got.returncode == 1,
              "status says so")
        check(s.stop() == 0, "it ends cleanly")
        check(s.count("sensor-alerts-lost") == 1 and
              fired(s, 1000603) == 1, "it is one alert")
    finally:
        s.end()


def test_loss():
    """More than the buffer holds, while nobody takes it out"""
    s = Sensor(workers=1, buffer="1MiB")
    try:
        send("sw0", capture(ATTACK))
        check(until(lambda: s.count(FINDING) == 2), "it looks")
        check(not fired(s, 1000602), "nothing is lost yet")
        pid = s.pids()["worker 0"]

        def lost():
            os.kill(pid, signal.SIGSTOP)
            send("-r", "50000", "-n", "30", "sw0",
                 capture("B-loss-reorder.client.pcap"))
            os.kill(pid, signal.SIGCONT)
            return until(lambda: fired(s, 1000602), 12)
        check(until(lost), "packets that were lost are an alert")
        check(s.status()["restarts"] == 0, "and nobody died of it")
    finally:
        s.end()


def test_read_only():
    """The judge has to be replaced while its disk is read-only: workers go on,
    and what they say waits for the judge that comes when it is writable."""
    s = Sensor(workers=1, disk="3M")
    try:
        pid = s.pids()["judge"]
        os.kill(s.p.pid, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid))

        def remount(how):
            return subprocess.run(["mount", "-o", "remount," + how, s.disk],
                                  stderr=subprocess.DEVNULL).returncode == 0
        check(until(lambda: remount("ro")), "read-only")
        os.kill(s.p.pid, signal.SIGCONT)
        check(until(lambda: "cannot be written" in s.said()), "it is said")
        worker = s.status()["workers"][0]
        attack(s)
        check(until(lambda: s.status()["workers"][0]["packets"] >
                    worker["packets"]), "packets are looked at")
        time.sleep(2)
        check(s.p.poll() is None, "it lives")
        check(s.said().count("cannot be written") == 1, "it is said once")
        check(remount("rw"), "writable")
        check(until(lambda: s.count(FINDING) == 2),
              "what waited in the queue is judged and stored")
        check(s.status()["workers"][0]["restarts"] == 0, "the worker lived on")
        check(until(lambda: s.count("sensor-restarted") == 1),
              "one alert tells of it")
    finally:
        s.end()


def test_read_only_at_work():
    """The judge's disk turns read-only under it, as after an error of the file system: it may write no more to files that
    it holds open. (mount(8) refuses that while there are such files; chattr(1) does not.)"""
    s = Sensor(workers=1)

    def immutable(how):
        return subprocess.run(["chattr", how, s.db, s.db + "-wal"], stderr=subprocess.DEVNULL).returncode == 0
    try:
        attack(s)
        check(until(lambda: s.count(FINDING) == 2), "stored while it may be")
        judge, fed = s.pids()["judge"], in_feed(s)
        if not shutil.which("chattr") or not immutable("+i"):
            return skip("a disk that turns read-only: no chattr here")

        def lost():
            attack(s)
            return s.status()["judge"]["alerts_lost"] >= 4
        check(until(lost), "what is not stored is counted")
        check(until(lambda: in_feed(s) >= fed + 4), "detection goes on")
        check(s.said().count("the disk is read-only") == 1, "it is said once")
        check(s.count(FINDING) == 2, "what was stored can be read")
        immutable("-i")

        def resumed():
            attack(s)
            return s.count(FINDING) > 2
        check(until(resumed), "storing resumes when it may be written")
        check(until(lambda: s.count("sensor-alerts-lost") == 1), "the loss is an alert")
        check("can be written again" in s.said(), "and is in the log")
        lost = s.status()["judge"]["alerts_lost"]
        check(until(lambda: s.count(FINDING) == in_feed(s) - lost),
              "all others are stored: %d of %d, %d lost" % (s.count(FINDING), in_feed(s), lost))
        check(s.pids()["judge"] == judge, "the same judge")
        check(s.intact(), "the database is intact")
    finally:
        immutable("-i")
        s.end()


def test_verifier_dies(s):
    pid = s.pids()["verifier"]
    os.kill(pid, signal.SIGKILL)
    check(until(lambda: s.status()["verifier_pid"] not in (0, pid)),
          "a new verifier")
    before = s.count("cert-self-signed")
    send("sw0", capture("S8-mitmself-imap.client.pcap"))
    check(until(lambda: s.count("cert-self-signed") > before),
          "which verifies")


def test_shed(s):
    """A judge that stands still: the queue fills, what does not fit is counted,
    and when it goes on alerts come again."""
    subprocess.run([sys.executable, TOP + "/tests/workers.py", s.dir + "/many",
                    *(TOP + "/pcaps/" + n for n in sorted(os.listdir(TOP + "/pcaps"))
                      if n.endswith(".pcap"))], check=True)
    pid = s.pids()["judge"]
    os.kill(pid, signal.SIGSTOP)

    def shed():
        send("-r", "100000", "sw0", s.dir + "/many/many.pcap")
        return sum(w["observations_shed"] for w in s.status()["workers"])

    check(until(lambda: shed() > 2000), "a full queue sheds")
    os.kill(pid, signal.SIGCONT)
    check(until(lambda: all(w["queue_bytes"] == 0 for w in s.status()["workers"])), "the judge catches up")
    readdress(capture(ATTACK), s.dir + "/s.pcap", 5000)
    before = s.count(FINDING)
    send("sw0", s.dir + "/s.pcap")
    check(until(lambda: s.count(FINDING) >= before + 2), "alerts afterwards")
    check(s.pids()["judge"] == pid, "the same judge")

    def kept():
        st = s.status()
        return (st["judge"]["memory"]["judged_flows"]["entries"],
                sum(w["flows_now"] for w in st["workers"]))
    check(until(lambda: kept()[0] <= kept()[1]),
          "connections whose end was shed are not kept: %d of %d" % kept())
    check(until(lambda: "queues to the judge were full" in blind(s)), "that it was blind is an alert: " + blind(s))


def blind(s):
    return str(s.rows("select evidence from alerts where finding = 'sensor-packets-lost'"))


def test_clock_steps(s):
    """The clock is set back by an hour, and forward by two, while connections are open: what was found is found, nothing
    is made up, nothing has to be restarted."""
    global attacks
    if "hooks" not in SENSOR:
        return skip("a clock that steps: needs the program with test hooks")
    name = "N-S11-imap-login.client.pcap"
    finding = "plaintext-credentials"
    frames = split(name, s.dir, b"1 LOGIN ")
    workers = [p for n, p in s.pids().items() if n.startswith("worker")]
    restarts, known = s.status()["restarts"], {r[0] for r in s.rows("select distinct finding from alerts")}
    for steps in ((signal.SIGUSR1,), (signal.SIGUSR2, signal.SIGUSR2), (signal.SIGUSR1,)):
        packets, before = sum(w["packets"] for w in s.status()["workers"]), s.count(finding)
        attacks += 1  # a connection that was not seen before
        for part in ("first", "second"):
            readdress("%s/%s.pcap" % (s.dir, part), "%s/%s.step" % (s.dir, part), attacks)
        send("sw0", s.dir + "/first.step")
        check(until(lambda: sum(w["packets"] for w in s.status()["workers"]) >= packets + frames), "a connection is open")
        for step in steps:
            for pid in workers:
                os.kill(pid, step)
            time.sleep(.1)
        send("sw0", s.dir + "/second.step")
        check(until(lambda: s.count(finding) > before), "what comes after the step is found")
        before = s.count(FINDING)
        attack(s)
        check(until(lambda: s.count(FINDING) >= before + 2), "what begins after it too")
        send("sw0", capture("B-starttls-smtp.client.pcap"))
    check(until(lambda: all(w["queue_bytes"] == 0 for w in s.status()["workers"])), "all is judged")
    check({r[0] for r in s.rows("select distinct finding from alerts")} <= known | {finding}, "and nothing made up")
    check(s.status()["restarts"] == restarts, "nothing died of it")


def test_log_unread():
    """Nobody reads what the sensor says: it goes on, and says so when somebody does."""
    folder = tempfile.mkdtemp(prefix="stripwire-live.")
    os.chmod(folder, 0o777)
    got, stderr = os.pipe()
    os.set_blocking(got, False)
    fcntl.fcntl(stderr, 1031, 4096)  # F_SETPIPE_SZ
    p = subprocess.Popen([SENSOR, "run", "-i", "sw1", "-d", folder + "/db", "-r", TOP + "/sensor.rules", "--interceptors",
                          TOP + "/interceptors.list", "--no-system-trust", "--user", "nobody", "--socket", folder + "/sock"],
                         stderr=stderr)

    def ready():
        out = subprocess.run([SENSOR, "status", "--json", "--socket", folder + "/sock"], capture_output=True, text=True)
        return out.stdout and json.loads(out.stdout)["judge"]["ready"]

    def full():
        p.send_signal(signal.SIGHUP)
        return not select.select([], [stderr], [], 0)[1]

    def told():
        p.send_signal(signal.SIGHUP)
        try:
            said.append(os.read(got, 4096))
        except BlockingIOError:
            pass
        return b"lines of the log were lost" in b"".join(said)
    said = []
    try:
        check(until(ready), "it starts")
        check(until(full), "nobody reads")
        for _ in range(30):  # longer than a writer waits
            full()
            time.sleep(.1)
        check(until(ready), "it answers: %s" % p.poll())
        check(until(told), "it says what was lost: %s" % b"".join(said)[-1500:])
        p.send_signal(signal.SIGTERM)
        check(p.wait(WAIT) == 0, "it ends cleanly")
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()
        os.close(got)
        os.close(stderr)
        shutil.rmtree(folder, ignore_errors=True)


def test_end(s):
    readdress(capture(ATTACK), s.dir + "/e.pcap", 3000)
    before = s.count(FINDING)
    send("sw0", s.dir + "/e.pcap")
    check(s.stop() == 0, "it ends cleanly: " + s.said()[-400:])
    check(s.count(FINDING) == before + 2, "all is stored at the end: %d, %d" %
          (before, s.count(FINDING)))
    print("ended within %.2f s" % s.took)
    check(s.took < 2 or os.getloadavg()[0] > os.cpu_count(), "within 2 s")
    check(s.intact(), "the database is intact")
    check(not os.path.exists(s.dir + "/db-wal"), "the log was merged")


def mistakes():
    for args, word in ((["-i", "nosuch0"], "no such interface"),
                       (["-i", "sw1", "-f", "tcp prot 25"], "filter"),
                       (["-i", "sw1", "--user", "nosuchuser"], "no user"),
                       (["-i", "sw1", "-w", "0"], "1 to 64"),
                       ([], "-i")):
        got = subprocess.run(
            [SENSOR, "run", "--socket", "", "-d", "/tmp/sw-none.db", "-r",
             TOP + "/sensor.rules", *args], stderr=subprocess.PIPE, text=True)
        check(got.returncode == 2 and word in got.stderr,
              "%s: %s" % (args, got.stderr))


def own_network():
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        return False
    # file systems that are mounted here are nobody else's, and end with us
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for argv in (("link", "add", "sw0", "type", "veth", "peer", "name",
                  "sw1"), ("link", "set", "sw0", "up", "mtu", "9000"),
                 ("link", "set", "sw1", "up", "mtu", "9000")):
        if subprocess.run(("ip",) + argv, stderr=subprocess.DEVNULL).returncode:
            return False
        # nobody but the tests sends packets here
        for f in glob.glob("/proc/sys/net/ipv6/conf/*/disable_ipv6"):
            open(f, "w").write("1")
    return True


def main():
    if not shutil.which("ip") or not own_network():
        skip("live capture: needs root and network namespaces")
    else:
        s = Sensor()
        try:
            test_sandbox(s)
            test_first_week(s)
            test_alerts(s)
            test_incidents(s)
            test_deadly_packet(s)
            test_verifier_dies(s)
            test_joined_late(s)
            test_judge_hangs(s)
            test_shed(s)
            test_clock_steps(s)
            test_end(s)
            test_full_disk()
            test_read_only()
            test_loss()
            test_read_only_at_work()
            test_log_unread()
            mistakes()
        finally:
            if failed:
                print(s.said()[-3000:])
            s.end()
    return total()


if __name__ == "__main__":
    sys.exit(main())
