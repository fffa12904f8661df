#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What open flows cost: instructions and CPU a packet at 1 k to 1 M of them, and memory a flow.

    growth.py [--flows 1000,10000,100000,1000000] [--rounds 3] [--json FILE]

A packet's cost is that of 900,000 packets of activity on flows drawn at random: the run with them less
the run without. Memory a flow is the resident peak of a run with flows less that of one without:

    half       SYN, SYN/ACK and no more
    greeted    a mail connection that has said its greeting and rests
    active     a plaintext session with one message, 10,000 of them interleaved
"""
import argparse
import json
import statistics
import tempfile

import workloads as w

ACTIVITY = 300000  # three packets each
LOOP = f'{w.TOP}/build/release/tools/pcaploop'


def flows(n, activity, half=0):
    return w.make(f'{w.DIR}/stripwire-growth-{n}-{activity}-{half}.pcap', 'many-concurrent', '--flows', n,
                  '--activity', activity, '--half-open', half, '--seed', 16)


def cpu(path, tmp, conf):
    w.forget(f'{tmp}/db')
    cmd = w.command(f'{tmp}/db', [path])
    cmd[cmd.index('-c') + 1] = conf
    return w.run(cmd)


def curve(n, a, tmp, conf):
    with_, without = flows(n, ACTIVITY), flows(n, 0)
    own, bare, peak = [], [], 0
    for _ in range(a.rounds):
        much = cpu(with_, tmp, conf)
        own.append(much[0] - cpu(without, tmp, conf)[0])
        peak = max(peak, much[2] / 1024)
        bare.append(w.run([LOOP, with_])[0] - w.run([LOOP, without])[0])
    ns = 1e9 / (3 * ACTIVITY)
    return {'flows': n, 'ns_a_packet': statistics.median(own) * ns, 'ns_least': min(own) * ns,
            'bare_ns_a_packet': statistics.median(bare) * ns, 'peak_mib': peak}


def peak(path, tmp, conf):
    return cpu(path, tmp, conf)[2] * 1024


def memory(tmp, conf):
    n = 50000
    none = peak(flows(1, 0), tmp, conf)
    rows = {'half': (n, flows(n, 0, 1)), 'greeted': (n, flows(n, 0)),
            'active': (10000, w.make(f'{w.DIR}/stripwire-growth-active.pcap', 'smtp-plain', '--bytes', 100000000,
                                     '--concurrency', 10000, '--seed', 11, '--body-min', 5000, '--body-max', 5001))}
    return {what: (peak(path, tmp, conf) - none) / count for what, (count, path) in rows.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--flows', default='1000,10000,100000,1000000')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--json', default='growth.json')
    a = p.parse_args()
    with tempfile.TemporaryDirectory(dir=w.DIR) as tmp:
        conf = f'{tmp}/conf'
        with open(conf, 'w') as f:
            f.write('incidents:\n  alerts: 0\nlimits:\n  flows: 2097152\n  sessions: 1048576\n  judged_flows: 1048576\n')
        rows = []
        for n in map(int, a.flows.split(',')):
            rows.append(curve(n, a, tmp, conf))
            print('{flows:8d} flows: {ns_a_packet:6.0f} ns a packet (least {ns_least:.0f}; bare loop {bare_ns_a_packet:.0f}), {peak_mib:.0f} MiB'.format(**rows[-1]), flush=True)
        mem = memory(tmp, w.root()[1])  # default limits: a table for 2 M flows is memory of its own
    print('bytes a flow: ' + ', '.join(f'{k} {v:.0f}' for k, v in mem.items()))
    with open(a.json, 'w') as f:
        json.dump({'growth': rows, 'bytes_a_flow': mem}, f, indent=1)


main()
