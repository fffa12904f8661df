# SPDX-License-Identifier: GPL-3.0-or-later
"""IP packets by hand, so that every field can be wrong, and captures of them (DLT_RAW)."""
import socket
import struct

FLAGS = {'F': 1, 'S': 2, 'R': 4, 'P': 8, 'A': 16, 'U': 32, 'E': 64, 'C': 128}
TCP = 6
HOP, ROUTING, FRAGMENT, DEST = 0, 43, 44, 60

# TCP options
NOP = b'\1'
MSS = b'\2\4' + struct.pack('>H', 1400)
SACK_OK = b'\4\2'
MD5 = b'\x13\x12' + bytes(16)


def wscale(n):
    return b'\3\3' + bytes([n])


def timestamps(val, ecr=0):
    return NOP * 2 + b'\x08\x0a' + struct.pack('>II', val & 0xffffffff, ecr & 0xffffffff)


def bits_of(flags):
    return sum(FLAGS[f] for f in flags)


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    s = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def pack_addr(a):
    return socket.inet_pton(socket.AF_INET6 if ':' in a else socket.AF_INET, a)


def tcp(src, dst, seq, ack, flags, data=b'', win=64000, urg=0, opts=b'', csum='good', offset=None, reserved=0):
    """src, dst: (address, port). offset: of the data, in words, if the header is to lie."""
    bits = bits_of(flags)
    opts += b'\0' * (-len(opts) % 4)
    words = 5 + len(opts) // 4 if offset is None else offset
    head = struct.pack('>HHIIBBHHH', src[1], dst[1], seq & 0xffffffff, ack & 0xffffffff, words << 4 | reserved, bits,
                       win, 0, urg) + opts
    a, b = pack_addr(src[0]), pack_addr(dst[0])
    pseudo = a + b + struct.pack('>IHH' if len(a) == 16 else '>HH',
                                 *((len(head + data), 0, TCP) if len(a) == 16 else (TCP, len(head + data))))
    s = checksum(pseudo + head + data)
    s = {'good': s, 'bad': s ^ 0x5555, 'zero': 0}[csum]
    return head[:16] + struct.pack('>H', s) + head[18:] + data


def ip4(src, dst, body, ttl=64, ident=1, frag=0, more=False, df=False, opts=b'', csum='good', version=4, words=None,
        length=None, proto=TCP):
    """frag: offset in bytes. length, words: if the header is to lie."""
    opts += b'\0' * (-len(opts) % 4)
    n = 5 + len(opts) // 4 if words is None else words
    field = frag // 8 | (0x2000 if more else 0) | (0x4000 if df else 0)
    head = struct.pack('>BBHHHBBH', version << 4 | n, 0, 20 + len(opts) + len(body) if length is None else length,
                       ident, field, ttl, proto, 0) + pack_addr(src) + pack_addr(dst) + opts
    s = checksum(head) ^ (0x5555 if csum == 'bad' else 0)
    return head[:10] + struct.pack('>H', s) + head[12:] + body


def ip6(src, dst, body, ttl=64, first=TCP, length=None, version=6):
    return struct.pack('>IHBB', version << 28, len(body) if length is None else length, first, ttl) + pack_addr(src) + \
        pack_addr(dst) + body


def extension(following, body=b'\1\4\0\0\0\0'):
    """A hop-by-hop, routing or destination options header of 8 n bytes."""
    return bytes([following, (len(body) + 2) // 8 - 1]) + body


def fragment_header(following, offset, more, ident):
    return struct.pack('>BBHI', following, 0, offset | more, ident)


class Seen:
    """A packet that came from the host: what a player needs to know."""

    def __init__(self, raw):
        self.v6 = raw[0] >> 4 == 6
        size = 40 if self.v6 else (raw[0] & 15) * 4
        self.tcp = (raw[6] if self.v6 else raw[9]) == TCP
        if not self.tcp:
            return
        t = raw[size:]
        self.sport, self.dport, self.seq, self.ack = struct.unpack('>HHII', t[:12])
        self.flags, self.opts, self.data = t[13], t[20:(t[12] >> 4) * 4], t[(t[12] >> 4) * 4:]

    def option(self, kind):
        o = self.opts
        while o and o[0] != 0:
            if o[0] == 1:
                o = o[1:]
                continue
            if o[0] == kind:
                return o[2:o[1]]
            o = o[o[1]:]
        return None


def pcap(packets):
    """packets: (seconds, bytes)."""
    out = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
    for t, raw in packets:
        out += struct.pack('<IIII', int(t), int(t % 1 * 1e6), len(raw), len(raw)) + raw
    return out
