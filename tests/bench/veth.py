#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The highest rate at which `stripwire run` loses nothing, over a veth pair.

	veth.py [--bytes 300M] [--seconds 10] [--workers 2] [--buffers 8,16,32,64]

Workload d (a span of which 5 % of the bytes are mail) is sent from memory with
its own frame sizes, each round with other addresses, by tests/tools/framesend
(sendmmsg of 64 frames, PACKET_QDISC_BYPASS). First as fast as it goes, then at
rates between which the highest without a drop is looked for, then at 1 Gbit/s
with each size of the kernel's buffer. CPU is in percent of one core; what the
kernel does to carry the frames over counts as the sender's. Sender and sensor
share the cores: start it with nice -n -10 on a machine that others use.
"""
import argparse
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.argv, args = sys.argv[:1], sys.argv[1:]
import live  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
STEPS = 5


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        word = f.read().rsplit(")", 1)[1].split()
    return (int(word[11]) + int(word[12])) / TICK


def counts(s):
    st = s.status()
    return {k: sum(w[k] for w in st["workers"])
            for k in ("packets", "kernel_dropped", "observations_shed")}


class Bench:
    def __init__(self, a):
        self.a = a
        self.path = "%s/stripwire-bench-d-%s.pcap" % (a.dir, a.bytes)
        if not os.path.exists(self.path):
            subprocess.run([sys.executable, HERE + "/mailgen.py", "mixed-span",
                            "-o", self.path + ".tmp", "--bytes", a.bytes,
                            "--concurrency", "2000", "--seed", "14"], check=True,
                           stderr=subprocess.DEVNULL)
            os.rename(self.path + ".tmp", self.path)

    def run(self, buffer, rate):
        """frames a second, 0: all it can. Prints a line; returns frames a
        second, bits of a frame, drops"""
        s = live.Sensor(self.a.workers, buffer="%dMiB" % buffer)
        try:
            return self.measure(s, buffer, rate)
        finally:
            s.end()

    def measure(self, s, buffer, rate):
        pids, was = s.pids(), counts(s)
        before = {n: cpu(p) for n, p in pids.items()}
        t = time.monotonic()
        sender = subprocess.Popen(
            [live.SEND, "-c", "-s", str(self.a.seconds), "-r", str(int(rate)),
             "sw0", self.path], stdout=subprocess.PIPE, text=True)
        said = sender.stdout.read().split()
        _, status, ru = os.wait4(sender.pid, 0)
        took = time.monotonic() - t
        after = {n: cpu(p) for n, p in pids.items()}
        live.until(lambda: all(w["queue_bytes"] == 0
                               for w in s.status()["workers"]))
        time.sleep(0.3)
        now = counts(s)
        frames, octets, seconds = int(said[0]), int(said[2]), float(said[4])
        lost = now["kernel_dropped"] - was["kernel_dropped"]
        workers = sum(after[n] - before[n] for n in pids if "worker" in n)
        print("%4d MiB %9.0f /s %7.0f Mbit/s %7d dropped (%.3f %%) %6d shed   "
              "CPU: sender %3.0f %%, workers %3.0f %%, judge %3.0f %%" %
              (buffer, frames / seconds, octets * 8 / seconds / 1e6, lost,
               100 * lost / max(1, frames),
               now["observations_shed"] - was["observations_shed"],
               100 * (ru.ru_utime + ru.ru_stime) / took, 100 * workers / took,
               100 * (after["judge"] - before["judge"]) / took), flush=True)
        return frames / seconds, octets * 8 / frames, lost


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bytes", default="300M")
    p.add_argument("--dir", default="/dev/shm")
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--buffers", default="8,16,32,64")
    a = p.parse_args(args)
    if not live.own_network():
        live.skip("veth: needs root and network namespaces")
        return live.total()
    b = Bench(a)
    buffers = [int(n) for n in a.buffers.split(",")]
    print("buffer of each of %d workers, frames, rate, losses" % a.workers)
    most, bits, lost = b.run(buffers[-1], 0)
    low, high = (most, most) if lost == 0 else (0, most)
    for _ in range(STEPS if lost else 0):
        middle = (low + high) / 2
        got, _, lost = b.run(buffers[-1], middle)
        if lost == 0:
            low = max(low, got)
        else:
            high = middle
    print("highest rate without a drop: %.0f frames/s, %.0f Mbit/s" %
          (low, low * bits / 1e6))
    print("1 Gbit/s is %.0f frames/s of %.0f bytes:" %
          (1e9 / bits, bits / 8))
    for n in buffers:
        b.run(n, 1e9 / bits)
    return live.total()


sys.exit(main())
