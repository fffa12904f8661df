#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrites a pcap (little-endian, microseconds) in every form that must give
the same alerts.

    rewrite.py swapped|nano|pcapng|pcapng-two IN OUT
    rewrite.py split IN FOLDER      three files, named against their order
"""
import struct
import sys


def packets(path):
    data = open(path, 'rb').read()
    magic, _, _, _, _, snap, link = struct.unpack('<IHHiIII', data[:24])
    assert magic == 0xa1b2c3d4, 'not a little-endian microsecond pcap'
    at = 24
    while at + 16 <= len(data):
        sec, usec, cap, wire = struct.unpack('<IIII', data[at:at + 16])
        yield link, snap, sec, usec, wire, data[at + 16:at + 16 + cap]
        at += 16 + cap


def pcap(path, out, order, nano):
    first = True
    for link, snap, sec, usec, wire, frame in packets(path):
        if first:
            magic = 0xa1b23c4d if nano else 0xa1b2c3d4
            out.write(struct.pack(order + 'IHHiIII', magic, 2, 4, 0, 0, snap, link))
            first = False
        out.write(struct.pack(order + 'IIII', sec, usec * (1000 if nano else 1), len(frame), wire) + frame)


def block(kind, body):
    body += b'\0' * (-len(body) % 4)
    n = len(body) + 12
    return struct.pack('<II', kind, n) + body + struct.pack('<I', n)


def option(code, value):
    return struct.pack('<HH', code, len(value)) + value + b'\0' * (-len(value) % 4)


def pcapng(path, out, two):
    """two: a second interface of raw IP with another snap length and nanosecond
    times carries every other packet, without its Ethernet header."""
    out.write(block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)))
    for i, (link, snap, sec, usec, wire, frame) in enumerate(packets(path)):
        if i == 0:
            out.write(block(1, struct.pack('<HHI', link, 0, snap)))
            if two:
                opts = option(9, b'\x09') + option(0, b'')
                out.write(block(1, struct.pack('<HHI', 101, 0, 4096) + opts))
        second = two and i % 2 == 1 and link == 1 and frame[12:14] in (b'\x08\0', b'\x86\xdd')
        if second:
            frame, wire, t = frame[14:], wire - 14, (sec * 10**6 + usec) * 1000
        else:
            t = sec * 10**6 + usec
        out.write(block(6, struct.pack('<IIIII', 1 if second else 0, t >> 32, t & 0xffffffff, len(frame), wire) + frame))


def split(path, folder):
    head, all_packets = open(path, 'rb').read()[:24], list(packets(path))
    third = -(-len(all_packets) // 3)
    for n in range(3):
        with open(f'{folder}/{3 - n}.pcap', 'wb') as f:
            f.write(head)
            for _, _, sec, usec, wire, frame in all_packets[n * third:(n + 1) * third]:
                f.write(struct.pack('<IIII', sec, usec, len(frame), wire) + frame)


form, src, dst = sys.argv[1:]
if form == 'split':
    split(src, dst)
    sys.exit()
with open(dst, 'wb') as f:
    if form == 'swapped':
        pcap(src, f, '>', False)
    elif form == 'nano':
        pcap(src, f, '<', True)
    elif form in ('pcapng', 'pcapng-two'):
        pcapng(src, f, form == 'pcapng-two')
    else:
        sys.exit(__doc__)
