#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time from a packet to its alert under full load: workload a is written into a pipe as fast as
`stripwire read -` takes it, and its alerts come back through another.

    all        from the last byte of the frame that an alert names (pcap_cnt), often the first that it
               rests on: what passes until the connection's next packet decides is in it
    own        at most: from the latest frame that was named by it or an alert before. What decided came
               no sooner. What lies in the pipe (64 KiB) and was read ahead (128 KiB), deciding, the
               row, the line
    stall      the longest time that no byte was taken: a commit, or a core that others had

    latency.py [--bytes 100M] [--db FOLDER] [--json FILE]

--db: where the database is, for a disk beside the memory file system.
"""
import argparse
import bisect
import json
import os
import subprocess
import tempfile
import threading
import time

import workloads as w

CHUNK = 16384


def frames(data):
    """Offset behind each frame of a pcap file."""
    at, ends = 24, []
    while at + 16 <= len(data):
        at += 16 + int.from_bytes(data[at + 8:at + 12], 'little')
        ends.append(at)
    return ends


def write(fd, data, log):
    for at in range(0, len(data), CHUNK):
        part = memoryview(data)[at:at + CHUNK]
        while part:
            n = os.write(fd, part)
            part = part[n:]
        log.append((at + CHUNK, time.monotonic()))
    os.close(fd)


def percentile(values, p):
    return values[min(len(values) - 1, int(len(values) * p))]


def spread(values):
    ms = sorted(max(0.0, v) * 1e3 for v in values)
    return {'median_ms': percentile(ms, 0.5), 'p99_ms': percentile(ms, 0.99), 'worst_ms': ms[-1]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--bytes', default='100M')
    p.add_argument('--db', default=w.DIR)
    p.add_argument('--json', default='latency.json')
    a = p.parse_args()
    data = open(w.workload('a', w.size(a.bytes)), 'rb').read()
    ends, log, lines = frames(data), [], []
    with tempfile.TemporaryDirectory(dir=a.db) as tmp:
        cmd = w.command(f'{tmp}/db', ['-'], '--eve', '-')
        run = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        begin = time.monotonic()
        writer = threading.Thread(target=write, args=(os.dup(run.stdin.fileno()), data, log))
        run.stdin.close()
        writer.start()
        for line in run.stdout:
            lines.append((time.monotonic(), line))
        writer.join()
        run.wait()
    took = time.monotonic() - begin
    offsets = [o for o, _ in log]

    def written(frame):
        return log[min(len(log) - 1, bisect.bisect_left(offsets, ends[frame - 1]))][1]

    whole, own, latest = [], [], 1
    for now, line in lines:
        frame = json.loads(line).get('pcap_cnt')
        if frame:
            latest = max(latest, frame)
            whole.append(now - written(frame))
            own.append(now - written(latest))
    stall = max(b - a for (_, a), (_, b) in zip(log, log[1:]))
    out = {'alerts': len(own), 'packets_a_second': len(ends) / took, 'all': spread(whole), 'own': spread(own),
           'stall_ms': stall * 1e3}
    print('{alerts} alerts at {packets_a_second:.0f} packets/s, longest stall {stall_ms:.1f} ms'.format(**out))
    for what in ('all', 'own'):
        print('    {}: median {median_ms:.2f} ms, 99 % {p99_ms:.2f} ms, worst {worst_ms:.2f} ms'.format(what, **out[what]))
    with open(a.json, 'w') as f:
        json.dump(out, f, indent=1)


main()
