#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a capture of things that should not be to standard output: a client
whose one line has BYTES bytes and no end, a client at 0.0.255.255, and segments
with a data offset of 0.

    endless.py BYTES
"""
import struct
import sys

from rewrite import checksum

CLIENT, SERVER = b'\x0a\1\0\2', b'\x0a\2\0\x19'
out = sys.stdout.buffer
clock = 1795320000 * 10**6


def segment(src, dst, ports, seq, ack, flags, data=b'', offset=5):
    global clock
    clock += 100
    h = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 40 + len(data), 7, 0x4000, 60, 6, 0, src, dst)
    h = h[:10] + struct.pack('>H', checksum(h)) + h[12:]
    tcp = struct.pack('>HHIIBBHHH', *ports, seq & 0xffffffff, ack & 0xffffffff, offset << 4, flags, 65535, 0, 0)
    out.write(struct.pack('<IIII', clock // 10**6, clock % 10**6, len(h) + 20 + len(data), len(h) + 20 + len(data)))
    out.write(h + tcp + data)


def session(client, port, length, offset=5):
    c, s = (client, SERVER, (port, 25)), (SERVER, client, (25, port))
    segment(*c, 1000, 0, 2, offset=offset)
    segment(*s, 5000, 1001, 0x12, offset=offset)
    segment(*c, 1001, 5001, 0x10, offset=offset)
    segment(*s, 5001, 1001, 0x18, b'220 mx.example.net ESMTP\r\n', offset)
    seq, piece = 1001, b'x' * 60000
    while length > 0:
        segment(*c, seq, 5027, 0x10, piece[:length], offset)
        seq, length = seq + min(length, len(piece)), length - len(piece)
        segment(*s, 5027, seq, 0x10, offset=offset)
    segment(*c, seq, 5027, 0x11, offset=offset)
    segment(*s, 5027, seq + 1, 0x11, offset=offset)


out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101))
session(b'\0\0\xff\xff', 40000, 100)
session(CLIENT, 40001, 100, offset=0)
session(CLIENT, 40002, int(sys.argv[1]))
