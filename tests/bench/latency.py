#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time from a packet to its alert under full load: workload a is written into a pipe as fast as
`stripwire read -` takes it, and its alerts come back through another. An alert names the frame
that raised it (pcap_cnt); it is held against the moment at which that frame's last byte was written.
What lies in the pipe (64 KiB) and the batch of the feed are in it.

    latency.py [--bytes 100M] [--json FILE]
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


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--bytes', default='100M')
    p.add_argument('--json', default='latency.json')
    a = p.parse_args()
    data = open(w.workload('a', w.size(a.bytes)), 'rb').read()
    ends, log, late = frames(data), [], []
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        cmd = w.command(f'{tmp}/db', ['-'], '--eve', '-')
        run = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        begin = time.monotonic()
        writer = threading.Thread(target=write, args=(os.dup(run.stdin.fileno()), data, log))
        run.stdin.close()
        writer.start()
        for line in run.stdout:
            now, frame = time.monotonic(), json.loads(line).get('pcap_cnt')
            if frame:
                late.append((frame, now))
        writer.join()
        run.wait()
    took = time.monotonic() - begin
    offsets = [o for o, _ in log]
    ms = sorted(max(0.0, now - log[min(len(log) - 1, bisect.bisect_left(offsets, ends[frame - 1]))][1]) * 1e3
                for frame, now in late)
    out = {'alerts': len(ms), 'packets_a_second': len(ends) / took, 'median_ms': percentile(ms, 0.5),
           'p99_ms': percentile(ms, 0.99), 'worst_ms': ms[-1]}
    print('{alerts} alerts at {packets_a_second:.0f} packets/s: median {median_ms:.2f} ms, 99 % {p99_ms:.2f} ms, '
          'worst {worst_ms:.2f} ms'.format(**out))
    with open(a.json, 'w') as f:
        json.dump(out, f, indent=1)


main()
