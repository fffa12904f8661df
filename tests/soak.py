#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live sensor at full speed for a long time: is its memory flat?

	soak.py [--minutes 40] [--packets 0] [--rate 0] [--workers 2]
	        [--plot docs/soak.svg]

A mix of mail and other traffic (tests/bench/mailgen.py) is sent over a veth
pair again and again, each time from other clients, and now and then an attack.
All processes of the sensor are sampled, with what `stripwire status` says of
their tables; memory counts as flat if the last third of the time has no more
than a tenth, or 8 MiB, above the middle third. Limits are the defaults.
Ends after so many minutes, or packets if that is given. Skipped, visibly,
without root and network namespaces.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

sys.argv, args = sys.argv[:1], sys.argv[1:]
import live  # noqa: E402

TOP = live.TOP
PAGE = os.sysconf("SC_PAGESIZE")
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")


def rss(pid):
    """MiB"""
    try:
        with open("/proc/%d/statm" % pid) as f:
            return int(f.read().split()[1]) * PAGE / (1 << 20)
    except OSError:
        return None


def world(folder):
    """mail and more: 5 % of the bytes are mail; and many short sessions"""
    out = []
    for kind, options in (("mixed-span", ["--bytes", "60M"]),
                          ("small-sessions", ["--sessions", "4000"])):
        path = "%s/%s.pcap" % (folder, kind)
        subprocess.run([sys.executable, TOP + "/tests/bench/mailgen.py", kind,
                        "-o", path, "--concurrency", "500", "--seed", "14",
                        *options], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        out.append(path)
    return out


def plot(path, samples, title):
    """A line for each process over the minutes, as SVG."""
    width, height, left, bottom = 760, 380, 60, 50
    names = list(samples[0][1])
    most = max(max(v.values()) for _, v in samples) * 1.1
    end = samples[-1][0]

    def x(t):
        return left + t / end * (width - left - 140)

    def y(v):
        return height - bottom - v / most * (height - bottom - 40)

    with open(path, "w") as f:
        f.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height='
                '"%d" font-family="sans-serif" font-size="12">\n'
                '<rect width="100%%" height="100%%" fill="white"/>\n'
                '<text x="%d" y="20">%s</text>\n' %
                (width, height, left, title))
        for i in range(6):
            v = most * i / 5
            f.write('<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f"'
                    ' text-anchor="end">%.0f</text>\n' %
                    (left, y(v), width - 140, left - 6, y(v) + 4, v))
            t = end * i / 5
            f.write('<text x="%.1f" y="%d" text-anchor="middle">%.0f</text>\n' %
                    (x(t), height - bottom + 18, t / 60))
        f.write('<text x="%d" y="%d">minutes; resident memory in MiB</text>\n'
                % (left, height - 12))
        for n, name in enumerate(names):
            line = " ".join("%.1f,%.1f" % (x(t), y(v[name]))
                            for t, v in samples if name in v)
            f.write('<polyline points="%s" fill="none" stroke="%s" '
                    'stroke-width="1.5"/>\n<text x="%d" y="%.1f" fill="%s">%s'
                    '</text>\n' % (line, COLOURS[n % 6], width - 132,
                                   60 + 18 * n, COLOURS[n % 6], name))
        f.write("</svg>\n")


def is_flat(values):
    third = len(values) // 3
    middle = statistics.median(values[third:2 * third])
    last = statistics.median(values[2 * third:])
    return last <= max(middle * 1.1, middle + 8), middle, last


def tables_of(st):
    """(process, table) to (entries, cap, bytes), workers together; and what
    is no table"""
    got = {}
    for who, o in [("workers", w) for w in st["workers"]] + [
            (n, st[n]) for n in ("judge", "verifier")]:
        rows = dict(o["memory"])
        rows["other"] = {"entries": 0, "max_entries": 0,
                         "bytes": o["memory_other_bytes"]}
        for table, t in rows.items():
            was = got.get((who, table), (0, 0, 0))
            got[who, table] = tuple(x + t[k] for x, k in zip(
                was, ("entries", "max_entries", "bytes")))
    return got


def print_tables(tables):
    """medians of the thirds"""
    third = max(1, len(tables) // 3)
    parts = tables[:third], tables[third:2 * third], tables[2 * third:]
    print("%-26s %9s %9s   MB in the first, second, last third" %
          ("memory by table", "entries", "of"))
    for key in tables[-1]:
        mb = [statistics.median(t[key][2] for t in p if key in t) / 1e6
              for p in parts if p]
        if max(mb) >= 0.05:
            print("%-26s %9d %9d   %s" % ("%s: %s" % key, *tables[-1][key][:2],
                                          " ".join("%8.1f" % x for x in mb)))


def soak(a, s, files):
    samples, tables, attacks = [], [], 0
    sender = subprocess.Popen(
        [live.SEND, "-c", "-s", str(int(a.minutes * 60)), "-r", str(a.rate),
         "sw0", *files], stdout=subprocess.PIPE, text=True)
    start = time.monotonic()
    before = s.count(live.FINDING)
    while sender.poll() is None:
        time.sleep(a.every)
        pids = s.pids()
        pids["supervisor"] = s.p.pid
        got = {n: rss(p) for n, p in pids.items()}
        if None not in got.values():
            samples.append((time.monotonic() - start, got))
        live.readdress(live.capture(live.ATTACK), s.dir + "/a.pcap", attacks)
        live.send("sw0", s.dir + "/a.pcap")
        attacks += 1
        st = s.status()
        if st:
            tables.append(tables_of(st))
        if a.packets and st and sum(w["packets"] for w in st["workers"]) > a.packets:
            sender.terminate()
    said = sender.stdout.read().strip()
    live.until(lambda: all(w["queue_bytes"] == 0
                           for w in s.status()["workers"]))
    found = s.count(live.FINDING) - before
    print_tables(tables)
    return samples, said, attacks, found


def report(a, s, samples, said, attacks, found):
    st = s.status()
    packets = sum(w["packets"] for w in st["workers"])
    dropped = sum(w["kernel_dropped"] for w in st["workers"])
    shed = sum(w["observations_shed"] for w in st["workers"])
    flows = sum(w["flows"] for w in st["workers"])
    print("sender: %s" % said)
    print("%d packets seen, %d dropped by the kernel (%.3f %%), %d "
          "observations shed, %d connections" % (packets, dropped, 100 * dropped /
                                         max(packets + dropped, 1), shed, flows))
    print("%d attacks sent beside it, %d alerts about them" % (attacks, found))
    for name in samples[0][1]:
        v = [x[name] for _, x in samples if name in x]
        flat, middle, last = is_flat(v)
        print("%-10s %.1f MiB at first, %.1f at last, %.1f at most" %
              (name, v[0], v[-1], max(v)))
        live.check(flat, "%s grows: %.1f, then %.1f MiB" % (name, middle, last))
    live.check(st["restarts"] == 0, "nothing died")
    live.check(found > 0, "the attacks were found")
    if a.plot:
        plot(a.plot, samples, "%.0f million packets in %.0f minutes, %d workers"
             % (packets / 1e6, samples[-1][0] / 60, a.workers))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--minutes", type=float, default=40)
    p.add_argument("--packets", type=int, default=0)
    p.add_argument("--rate", type=int, default=0)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--every", type=float, default=10)
    p.add_argument("--buffer", default="64MiB")
    p.add_argument("--plot", default="")
    a = p.parse_args(args)
    if not shutil.which("ip") or not live.own_network():
        live.skip("soak: needs root and network namespaces")
    else:
        s = live.Sensor(a.workers, buffer=a.buffer)
        try:
            files = world(s.dir)
            report(a, s, *soak(a, s, files))
        finally:
            if live.failed:
                print(s.said()[-3000:])
            s.end()
    return live.total()


sys.exit(main())
