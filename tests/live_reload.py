#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live sensor reads anew all that its operator writes, at SIGHUP.

	live_reload.py [--reloads N] [--rate N]

Each kind of file is changed and has to count from then on; each is broken, and
what was before has to stay in force and the mistake to be said with its place
in log and `status`. What rules saw before a reload counts after it. Under load
packets and alerts are counted: none may be missing, none too many. Waits for
what is expected, so that load spoils nothing. Skipped, visibly, without root
and network namespaces.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.argv, args = sys.argv[:1], sys.argv[1:]
import live  # noqa: E402
from live import TOP, SENSOR, SEND, check, skip, until  # noqa: E402
sys.path.insert(0, TOP + "/tests/tools")
from make_capture import Capture  # noqa: E402

CONF = """
rules: {dir}/rules.d
thresholds: {dir}/threshold.config
classification: {dir}/classification.config
incidents:
  alerts: 0
variables:
  WATCHED: %s
"""
QUEUE_HIGH, QUEUE_LOW = 1 << 20, 1 << 17  # bytes; a queue has 8 MiB
NOBODY, CLIENT = "192.0.2.1", "10.1.0.0/16"
ANY = "alert smtp any any -> any any "
MAIN = ANY + """(msg:"left"; smtp.command; content:"QUIT"; sid:1;)
include more.inc
include %s/sensor.rules
alert smtp $WATCHED any -> any any (msg:"watched"; smtp.command; content:"MAIL"; sid:2;)
""" + ANY + """(msg:"graded"; smtp.command; content:"RCPT"; classtype:odd; sid:3;)
""" + ANY + """(msg:"suppressed"; smtp.helo; content:"client"; severity:high; sid:4;)
"""
MAIN = MAIN.replace("%s", TOP)
MORE = ANY + '(msg:"included"; smtp.helo; content:"%s"; sid:5;)\n'
STATE = ANY + """(msg:"x"; smtp.mail_from; content:"first@"; flowbits:set,first; xbits:set,seen,track ip_pair,expire 86400; noalert; sid:20;)
""" + ANY + """(msg:"flowbit"; smtp.command; content:"NOOP"; flowbits:isset,first; sid:21;)
""" + ANY + """(msg:"xbit"; smtp.command; content:"NOOP"; xbits:isset,seen,track ip_pair; sid:22;)
""" + ANY + """(msg:"tenth"; smtp.command; content:"NOOP"; threshold:type threshold, track by_rule, count 10, seconds 86400; sid:23;)
""" + ANY + """(msg:"both buffers"; smtp.helo; content:"client"; smtp.rcpt_to; content:"last@"; sid:24;)
"""
# enough of them for one search, whose tables are made inside the sandbox
STATE += "".join(ANY + '(msg:"x"; smtp.rcpt_to; content:"nobody%d@"; sid:%d;)\n' % (n, 100 + n) for n in range(20))
STATE += ANY + '(msg:"pattern"; smtp.rcpt_to; content:"b@"; pcre:"/^<?b@ex[a-m]+ple\\.net/"; sid:8;)\n'
CLASSES = "config classification: odd,Something odd,%d\n"
SUPPRESS = "suppress gen_id 1, sig_id 4\n"
GRADE = "severity gen_id 1, sig_id 4, track by_src, ip 10.1.0.0/16, new_severity low\n"

clients = 0


class Sensor(live.Sensor):
    def __init__(self, workers=2):
        super().__init__(workers=workers, conf=CONF % NOBODY, rules=self.policy, buffer="64MiB")

    def policy(self):
        """its files, before it starts"""
        os.mkdir(self.dir + "/rules.d")
        self.put("rules.d/main.rules", MAIN)
        self.put("rules.d/state.rules", STATE)
        self.put("rules.d/more.inc", MORE % "nothing")
        self.put("threshold.config", "# none\n")
        self.put("classification.config", CLASSES % 4)
        self.put("list", "Some Product\tSome Product\tgateway\n")
        self.put("ca.pem", open(TOP + "/pcaps/ca-root.pem").read())
        self.lists = (self.dir + "/list", self.dir + "/ca.pem")

    def put(self, name, text):
        path = self.dir + "/" + name
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def conf(self, watched=NOBODY, **changes):
        """the configuration as at the start, but for that"""
        text = self.first_conf.replace("WATCHED: " + NOBODY, "WATCHED: " + watched)
        for key, value in changes.items():
            text = re.sub("^( *%s:) .*" % key, r"\1 " + value, text, flags=re.M)
        self.put("conf", text)

    def reload(self):
        return self.status()["reload"]

    def hup(self):
        """SIGHUP, and what became of it: True if it was taken"""
        before = self.reload()
        self.p.send_signal(signal.SIGHUP)
        after = until(lambda: (lambda r: r if r["loaded"] + r["failed"] > before["loaded"] + before["failed"] else
                               None)(self.reload()))
        return bool(after) and after["loaded"] > before["loaded"]

    def alerts(self, sid):
        return self.rows("select count(*) from alerts where sid = %d" % sid)[0][0]


def play(s, *lines, client=None):
    """a capture of that dialogue; a client that was not seen before"""
    global clients
    clients += 1
    c = Capture(False)
    c.play(["conn 25 client=%d" % (client or clients % 200 + 1), "S: 220 mx.example.net ESMTP",
            "C: EHLO client.example.org", "S: 250-mx.example.net", "S: 250 SIZE", *lines])
    c.write(s.dir + "/play.pcap")
    return s.dir + "/play.pcap"


def say(*commands):
    return [x for c in commands for x in ("C: " + c, "S: 250 ok")]


def session(s):
    """one of all kinds; how often each rule fired"""
    before = {sid: s.alerts(sid) for sid in range(1, 10)}
    live.send("sw0", play(s, *say("MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>", "QUIT"), "fin S"))
    check(until(lambda: s.alerts(1) > before[1]), "a session is judged")
    return {sid: s.alerts(sid) - n for sid, n in before.items()}


# ---- each file ----

def test_files(s):
    rules = s.reload()["rules"]
    got = session(s)
    check(got == {1: 1, 2: 0, 3: 1, 4: 1, 5: 0, 6: 0, 7: 0, 8: 1, 9: 0}, "at the start: %s" % got)

    s.put("rules.d/extra.rules", ANY + '(msg:"more"; smtp.command; content:"QUIT"; sid:6;)\n')
    check(s.hup() and s.reload()["rules"] == rules + 1, "a folder gains a file")
    check(session(s)[6] == 1, "whose rules count")
    os.unlink(s.dir + "/rules.d/extra.rules")
    check(s.hup() and s.reload()["rules"] == rules, "and loses it")
    check(session(s)[6] == 0, "whose rules count no more")

    s.put("rules.d/more.inc", MORE % "client")
    check(s.hup() and session(s)[5] == 1, "what is included changes")

    s.put("threshold.config", SUPPRESS)
    check(s.hup() and session(s)[4] == 0, "threshold.config changes")
    s.put("threshold.config", GRADE)
    check(s.hup() and session(s)[4] == 1, "and again")

    def severity(sid):
        return s.rows("select severity from alerts where sid = %d order by id desc limit 1" % sid)[0][0]
    check(severity(4) == 1, "a network has its own severity")
    check(severity(3) == 0, "a class of priority 4")
    s.put("classification.config", CLASSES % 1)
    check(s.hup(), "classification changes")
    session(s)
    check(severity(3) == 3, "and with it the severity")

    s.conf(watched=CLIENT)
    check(s.hup() and session(s)[2] == 1, "a variable changes")
    s.conf()
    check(s.hup() and session(s)[2] == 0, "and back")


def test_paths(s):
    """The configuration names other files; what waits for a restart is told."""
    os.mkdir(s.dir + "/other.d")
    s.put("other.d/a.rules", MAIN.replace("include more.inc", "") + STATE +
          ANY + '(msg:"other"; smtp.command; content:"QUIT"; sid:7;)\n')
    s.conf(rules=s.dir + "/other.d", buffer="16MiB")
    check(s.hup() and session(s)[7] == 1, "rules from another folder")
    check(s.reload()["restart_needed"] == ["run.buffer"], "what waits for a restart: %s" % s.reload())
    check("run.buffer: changed, which counts after a restart" in s.said(), "which the log says")
    s.conf()
    check(s.hup() and session(s)[7] == 0 and s.reload()["restart_needed"] == [], "and back")


def test_trust(s):
    """Intercepting products and the trust store go to a new verifier."""
    s.put("rules.d/certs.rules",
          ANY + '(msg:"none"; finding:cert-untrusted; confidence:>0; sid:6;)\n' +
          ANY + '(msg:"product"; finding:cert-interceptor; confidence:>0; sid:7;)\n' +
          ANY + '(msg:"hello"; tls.sni; content:"."; sid:9;)\n')

    def verdicts():
        before = [s.alerts(n) for n in (6, 7, 9)]
        live.readdress(live.capture("B-starttls-smtp.client.pcap"), s.dir + "/tls.pcap", 7000 + sum(before))
        live.send("sw0", s.dir + "/tls.pcap")
        until(lambda: s.alerts(9) > before[2])
        time.sleep(1.5)
        return [s.alerts(n) > m for n, m in zip((6, 7), before)]

    pid = s.status()["verifier_pid"]
    check(s.hup() and s.status()["verifier_pid"] != pid, "a reload brings a new verifier")
    check(verdicts() == [False, False], "a trusted authority")
    root, others = open(s.dir + "/ca.pem").read(), open(TOP + "/tests/scenes/certs.pem").read()
    products = open(s.dir + "/list").read()
    s.put("ca.pem", others)
    check(s.hup() and verdicts()[0], "is trusted no more")
    s.put("list", products + "CN=Lab Issuing\tSome Gateway\tgateway\n")
    check(s.hup() and verdicts()[1], "is known as a product's")
    s.put("ca.pem", root)
    s.put("list", products)
    check(s.hup() and verdicts() == [False, False], "and back")
    os.unlink(s.dir + "/rules.d/certs.rules")
    check(s.hup(), "no rules about certificates")


# ---- mistakes ----

def test_mistakes(s):
    """Each file broken in turn; twice at once. Nothing changes, and it is said."""
    good = {n: open(s.dir + "/" + n).read() for n in
            ("conf", "rules.d/main.rules", "rules.d/more.inc", "threshold.config", "classification.config", "list",
             "ca.pem")}
    want = session(s)
    broken = {
        "conf": ("user_names: nonsense\n", "conf:"),
        "rules.d/main.rules": (ANY + "(msgg:\"x\"; sid:99;)\n", r"rules.d/main.rules:\d+:32: unknown keyword 'msgg'"),
        "rules.d/more.inc": ("alert nonsense\n", r"rules.d/more.inc:2:\d+: "),
        "threshold.config": ("suppress gen_id\n", r"threshold.config:\d+:\d+: "),
        "classification.config": ("config classification\n", r"classification.config:2:\d+: "),
        "list": ("x\ty\tz\n", r"list:2:\d+: "),
        "ca.pem": (None, "ca.pem: no certificate in it"),
    }
    for name, (text, word) in broken.items():
        s.put(name, good[name] + text if text else "nothing\n")
        check(not s.hup(), "%s does not load" % name)
        r = s.reload()
        check(r["last_failed"] and any(re.search(word, m) for m in r["mistakes"]), "%s: status says where: %s" % (name, r))
        check(re.search(word, s.said()), name + ": the log says where")
        got = subprocess.run([SENSOR, "status", "--socket", s.dir + "/sock"], stdout=subprocess.PIPE, text=True)
        check(got.returncode == 1 and "NOT RELOADED" in got.stdout and re.search(word, got.stdout),
              name + ": status for people")
        check(session(s) == want, name + ": what was before is in force")
        if name in ("rules.d/main.rules", "ca.pem"):
            pid = s.pids()["judge"]
            os.kill(pid, signal.SIGKILL)
            check(until(lambda: s.pids()["judge"] != pid and s.status()["judge"]["ready"]), "a new judge")
            check(session(s) == want, name + ": also for a judge that is replaced")
        s.put(name, good[name])
    s.put("rules.d/more.inc", "alert nonsense\n")
    s.put("threshold.config", "suppress gen_id\n")
    os.unlink(s.dir + "/list")
    check(not s.hup(), "several at once")
    all_of = " ".join(s.reload()["mistakes"])
    check(all(w in all_of for w in ("more.inc:1:", "threshold.config:1:", "/list: No such file")),
          "all of them are told: " + all_of)
    for name in good:
        s.put(name, good[name])
    os.mkfifo(s.dir + "/rules.d/pipe.rules")
    check(not s.hup() and "it is no regular file" in s.reload()["mistakes"][0], "a pipe is not waited for")
    os.unlink(s.dir + "/rules.d/pipe.rules")
    check(s.hup() and not s.reload()["last_failed"], "mended")


# ---- what was seen before ----

def test_state(s):
    """The first half of a session, a reload, the second half."""
    path = play(s, "C: MAIL FROM:<first@example.org>", "S: 250 ok", "C: NOOP", "S: 250 ok", "C: RCPT TO:<last@example.net>",
                "S: 250 ok", "C: QUIT", "S: 221 bye", "fin S")
    frames = halves(path, s.dir, b"NOOP")
    before = {sid: s.alerts(sid) for sid in range(1, 30)}
    packets = sum(w["packets"] for w in s.status()["workers"])
    live.send("sw0", s.dir + "/first.pcap")
    until(lambda: sum(w["packets"] for w in s.status()["workers"]) >= packets + frames)
    until(lambda: all(w["queue_bytes"] == 0 for w in s.status()["workers"]))
    s.put("rules.d/main.rules", MAIN + "# changed\n")
    check(s.hup(), "between the halves of a session")
    live.send("sw0", s.dir + "/second.pcap")
    check(until(lambda: s.alerts(1) > before[1]), "the second half is judged")
    for sid, what in ((21, "flowbits"), (22, "xbits"), (24, "a buffer that held")):
        check(s.alerts(sid) == before[sid] + 1, what + " outlive a reload")
    left = 9  # one NOOP came above
    for n in range(left):
        check(s.alerts(23) == before[23], "threshold: not yet, %d" % n)
        done = s.alerts(1)
        live.send("sw0", play(s, *say("NOOP", "QUIT"), "fin S"))
        until(lambda: s.alerts(1) > done)
        check(s.hup(), "and a reload")
    check(s.alerts(23) == before[23] + 1, "what a threshold counted outlives reloads")


def halves(path, folder, word):
    """A capture in two at the first frame with word; frames of the first part"""
    import struct
    data = open(path, "rb").read()
    at, parts, found = 24, ([], []), 0
    while at < len(data):
        end = at + 16 + struct.unpack("<I", data[at + 8:at + 12])[0]
        found |= word in data[at:end]
        parts[found].append(data[at:end])
        at = end
    for part, frames in zip(("first", "second"), parts):
        with open("%s/%s.pcap" % (folder, part), "wb") as f:
            f.write(data[:24] + b"".join(frames))
    return len(parts[0])


# ---- under load ----

def memory(s):
    """MiB of supervisor and judge"""
    def rss(pid):
        with open("/proc/%d/statm" % pid) as f:
            return int(f.read().split()[1]) * 4096 / 1048576
    return rss(s.p.pid), rss(s.status()["judge"]["pid"])


class Load:
    """Sessions without end at a rate: each round those of other clients, or
    always the same frames again. Waits when the judge has no turn, so that the
    queues shed nothing on a machine that does much else."""
    def __init__(self, s, rate, new=True):
        self.sessions, path = 20, s.dir + "/load.pcap"
        c = Capture(False)
        for n in range(self.sessions):
            c.play(["conn 25 client=%d" % (n + 1), "S: 220 mx.example.net ESMTP", "C: EHLO client.example.org",
                    "S: 250-mx.example.net", "S: 250 SIZE", *say("MAIL FROM:<first@example.org>", "NOOP",
                                                                 "RCPT TO:<last@example.net>", "QUIT"), "fin S", "wait 1ms"])
        c.write(path)
        self.frames = len(c.frames)
        self.p = subprocess.Popen([SEND, *(["-c"] if new else []), "-r", str(rate), "-n", "60000", "sw0", path],
                                  stdout=subprocess.PIPE, text=True)
        self.over = False
        self.pace = threading.Thread(target=self.wait_for_judge, args=(s,))
        self.pace.start()

    def wait_for_judge(self, s):
        going = True
        while not self.over:
            st = s.status()
            behind = max((w["queue_bytes"] for w in st["workers"]), default=0) if st else QUEUE_HIGH + 1
            if going and behind > QUEUE_HIGH or not going and behind < QUEUE_LOW:
                self.p.send_signal(signal.SIGSTOP if going else signal.SIGCONT)
                going = not going
            time.sleep(.02)
        self.p.send_signal(signal.SIGCONT)

    def end(self):
        """packets and sessions that were sent: whole rounds"""
        self.over = True
        self.pace.join()
        self.p.send_signal(signal.SIGTERM)
        sent = int(self.p.communicate()[0].split()[0])
        return sent, sent // self.frames * self.sessions


def reloads(s, times):
    """Reloads with another bundle each time; memory at ten times on the way."""
    shown, start = [], time.monotonic()
    for n in range(times):
        if n % max(times // 10, 1) == 0:
            shown.append(memory(s))
        s.put("rules.d/extra.rules", ANY + '(msg:"%d"; smtp.command; content:"VRFY"; sid:%d;)\n' % (n, 1000 + n))
        s.put("rules.d/more.inc", MORE % ("client%d" % n))
        check(s.hup(), "reload %d" % n)
    shown.append(memory(s))
    return shown, time.monotonic() - start


def test_load(s, times, rate):
    """Packets and alerts, counted, while all of it is read again and again."""
    before = {sid: s.alerts(sid) for sid in range(1, 30)}
    st = s.status()
    load = Load(s, rate)
    _, took = reloads(s, times)
    sent, sessions = load.end()
    last = -1
    while s.alerts(1) - before[1] < sessions and s.alerts(1) != last:
        last = s.alerts(1)
        until(lambda: s.alerts(1) != last)
    time.sleep(1.5)  # nothing too many either
    now = s.status()
    got = sum(w["packets"] for w in now["workers"]) - sum(w["packets"] for w in st["workers"])
    check(got == sent, "packets: %d of %d" % (got, sent))
    for name in ("kernel_dropped", "observations_shed", "holes"):
        check(sum(w[name] for w in now["workers"]) == 0, name)
    fired = {sid: s.alerts(sid) - before[sid] for sid in (1, 3, 21, 22, 23, 24)}
    check(all(fired[sid] == sessions for sid in (1, 3, 21, 22, 24)), "one alert of each rule for each of %d sessions: %s"
          % (sessions, fired))
    check(abs(fired[23] * 10 - sessions) < 10, "a threshold went on counting: %s" % fired)
    check(now["judge"]["alerts_lost"] == 0 and now["restarts"] == st["restarts"] and
          now["judge"]["pid"] == st["judge"]["pid"], "nothing was lost, nothing died")
    check(now["reload"]["loaded"] == st["reload"]["loaded"] + times and not now["reload"]["last_failed"],
          "all were taken")
    print("%d reloads in %.1f s under %d packets, %d sessions: %s alerts" % (times, took, got, fired[1], fired))


def test_memory(s, times, rate):
    """Packets that teach nothing new, so that what grows grows by reloads."""
    load = Load(s, rate, new=False)
    shown, took = reloads(s, times)
    sent, _ = load.end()
    print("%d reloads in %.1f s under %d packets; MiB of supervisor, judge: %s" %
          (times, took, sent, ", ".join("%.1f %.1f" % m for m in shown)))
    half = shown[len(shown) // 2:]
    for i, who in enumerate(("supervisor", "judge")):
        check(half[-1][i] <= half[0][i] * 1.05 + 4, "memory of the %s: %s" % (who, [round(m[i], 1) for m in shown]))
    os.unlink(s.dir + "/rules.d/extra.rules")
    s.put("rules.d/more.inc", MORE % "client")
    check(s.hup(), "as before")


def test_moved_away(s):
    """Log and feed are begun anew, also with a mistake in the rules; names of
    users are kept as the configuration says."""
    os.rename(s.eve, s.eve + ".1")
    s.put("rules.d/main.rules", "nonsense\n")
    check(not s.hup(), "a mistake")
    s.put("rules.d/main.rules", MAIN)
    session(s)
    check(until(lambda: os.path.exists(s.eve) and os.path.getsize(s.eve) > 0), "the feed goes on in a new file")
    s.conf()
    with open(s.dir + "/conf", "a") as f:
        f.write("user_names: none\n")
    s.put("rules.d/login.rules", "alert imap any any -> any any (finding:plaintext-credentials; confidence:>0; sid:40;)\n")
    check(s.hup(), "user_names changes")
    live.attack(s, "N-S11-imap-login.client.pcap")
    check(until(lambda: s.alerts(40)), "a login")
    check({r[0] for r in s.rows("select user from alerts where sid = 40")} == {""}, "its name is not stored")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--reloads", type=int, default=30)
    p.add_argument("--rate", type=int, default=5000)
    a = p.parse_args(args)
    if not live.shutil.which("ip") or not live.own_network():
        skip("live capture: needs root and network namespaces")
        return live.total()
    s = Sensor()
    try:
        test_files(s)
        test_paths(s)
        test_trust(s)
        test_mistakes(s)
        test_state(s)
        test_load(s, a.reloads, a.rate)
        test_memory(s, a.reloads, a.rate)
        test_moved_away(s)
        check(s.stop() == 0 and s.intact(), "it ends cleanly")
    finally:
        if live.failed:
            print(s.said()[-6000:])
        s.end()
    return live.total()


if __name__ == "__main__":
    sys.exit(main())
