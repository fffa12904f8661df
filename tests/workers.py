#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes inputs for workers.sh out of captures: many pairs of hosts at the same
time, seen by a tap that loses, repeats, delays, or whose clock steps.

    workers.py FOLDER CAPTURE...
    workers.py --names FOLDER        thousands of small ones
    workers.py --later CAPTURE TO    a day later
    workers.py --moved CAPTURE TO    other hosts
    workers.py --halves CAPTURE A B  one direction in each
"""
import os
import random
import struct
import sys

COPIES = 6  # of each capture, with clients of their own


def read(path):
    data = open(path, 'rb').read()
    at = 24
    while at < len(data):
        sec, usec, cap, wire = struct.unpack('<IIII', data[at:at + 16])
        yield sec * 1000000 + usec, bytearray(data[at + 16:at + 16 + cap]), wire
        at += 16 + cap


def readdress(frame, n):
    """Other addresses for every copy: the last byte but one moves by 16 n.
    Checksums are left to be wrong, as a span port leaves them."""
    if frame[12:14] != b'\x08\0':
        return
    for at in (26, 30):
        frame[at + 2] = (frame[at + 2] + 16 * n) & 255


def world(paths):
    out = []
    for i, path in enumerate(paths):
        frames = list(read(path))
        if not frames:
            continue
        start = frames[0][0]
        for n in range(COPIES):
            for t, f, wire in frames:
                f = bytearray(f)
                readdress(f, n)
                # all in two minutes, in steps of 1 ms: many times are equal
                out.append(((t - start) // 1000 * 1000 + i * 3000000, f, wire))
    out.sort(key=lambda x: x[0])
    return out


def write(path, frames):
    with open(path, 'wb') as o:
        o.write(struct.pack('<IHHIIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for t, f, wire in frames:
            t += 1700000000 * 1000000
            o.write(struct.pack('<IIII', t // 1000000, t % 1000000, len(f), max(wire, len(f))) + f)


def lossy(frames, rnd):
    return [x for x in frames if rnd.random() > .02]


def repeated(frames, rnd):
    return [x for x in frames for _ in range(1 + (rnd.random() < .05))]


def shuffled(frames, rnd):
    out = [(t + rnd.randrange(0, 40000), f, w) for t, f, w in frames]
    order = sorted(range(len(out)), key=lambda i: out[i][0])
    times = sorted(t for t, _, _ in frames)
    return [(times[k], out[i][1], out[i][2]) for k, i in enumerate(order)]


def stepped(frames, rnd):
    """The clock jumps ten minutes forward and later back, and trembles."""
    n = len(frames)
    return [(t + (600000000 if n // 3 < k < 2 * n // 3 else 0) - rnd.randrange(0, 3000) + 3000, f, w)
            for k, (t, f, w) in enumerate(frames)]


def cut(frames, rnd):
    return [(t, f[:96], w) for t, f, w in frames]


def names(folder):
    """More files than a queue holds the names of, and no TCP in them."""
    frame = bytes.fromhex('02000000000202000000000108004500001e0001000040110000'
                          '0a0000010a00000203e80035000a00006162')
    os.makedirs(folder)
    for i in range(6000):
        write('%s/%04d.pcap' % (folder, i), [(i * 1000000, frame, len(frame))])


def later(path, to):
    with open(to, 'wb') as o:
        o.write(open(path, 'rb').read(24))
        for t, f, wire in read(path):
            t += 86400 * 1000000
            o.write(struct.pack('<IIII', t // 1000000, t % 1000000, len(f), wire) + f)


def moved(path, to):
    with open(to, 'wb') as o:
        o.write(open(path, 'rb').read(24))
        for t, f, wire in read(path):
            for at in {b'\x08\0': (28, 32), b'\x86\xdd': (29, 45)}.get(bytes(f[12:14]), ()):
                f[at] = (f[at] + 5) & 255
            o.write(struct.pack('<IIII', t // 1000000, t % 1000000, len(f), wire) + f)


def halves(path, a, b):
    head = open(path, 'rb').read(24)
    with open(a, 'wb') as up, open(b, 'wb') as down:
        up.write(head)
        down.write(head)
        for t, f, wire in read(path):
            to = up if f[26:30] < f[30:34] else down
            to.write(struct.pack('<IIII', t // 1000000, t % 1000000, len(f), wire) + f)


def main(folder, paths):
    os.makedirs(folder)
    frames = world(paths)
    write(folder + '/many.pcap', frames)
    for i, how in enumerate((lossy, repeated, shuffled, stepped, cut)):
        write('%s/%s.pcap' % (folder, how.__name__), how(frames, random.Random(i)))


if sys.argv[1] == '--names':
    names(sys.argv[2])
elif sys.argv[1] == '--later':
    later(*sys.argv[2:])
elif sys.argv[1] == '--moved':
    moved(*sys.argv[2:])
elif sys.argv[1] == '--halves':
    halves(*sys.argv[2:])
else:
    main(sys.argv[1], sys.argv[2:])
