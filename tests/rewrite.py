#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rewrites a pcap (little-endian, microseconds, Ethernet) in forms that must
give the same alerts, or at least no others.

    rewrite.py FORM IN OUT
    rewrite.py split IN FOLDER       three files, named against their order
    rewrite.py --all FOLDER IN...    every form of frames: FOLDER/NAME.FORM

Forms of files: swapped nano pcapng pcapng-two. The forms of frames are the
functions of FORMS below.
"""
import os
import struct
import sys

MAIL = {25, 110, 143, 465, 587, 993, 995, 4190, 2525}


def packets(path):
    data = open(path, 'rb').read()
    magic, _, _, _, _, snap, link = struct.unpack('<IHHiIII', data[:24])
    assert magic == 0xa1b2c3d4, 'not a little-endian microsecond pcap'
    at = 24
    while at + 16 <= len(data):
        sec, usec, cap, wire = struct.unpack('<IIII', data[at:at + 16])
        yield link, snap, sec, usec, wire, data[at + 16:at + 16 + cap]
        at += 16 + cap


# ---- forms of files ----

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


# ---- one frame, taken apart ----

class Frame:
    """time in microseconds; ip is the packet without Ethernet padding, None
    for what is not IP. TCP fields where tcp is set (its offset in ip)."""

    def __init__(self, time, data):
        self.time, self.eth, self.type = time, data[:12], data[12:14]
        self.ip = self.tcp = None
        rest = data[14:]
        if self.type == b'\x08\0' and rest[0] >> 4 == 4:
            total = struct.unpack('>H', rest[2:4])[0]
            self.ip, self.hdr, self.proto = rest[:total], (rest[0] & 15) * 4, rest[9]
            self.v6 = False
        elif self.type == b'\x86\xdd':
            total = 40 + struct.unpack('>H', rest[4:6])[0]
            self.ip, self.hdr, self.proto = rest[:total], 40, rest[6]
            self.v6 = True
        self.data = data if self.ip is None else data[:14] + self.ip
        if self.ip is not None and self.proto == 6 and len(self.ip) >= self.hdr + 20:
            t = self.tcp = self.hdr
            self.sport, self.dport, self.seq = struct.unpack('>HHI', self.ip[t:t + 8])
            self.flags = self.ip[t + 13]
            self.payload = self.ip[t + (self.ip[t + 12] >> 4) * 4:]
            self.to_server = self.dport in MAIL
            ends = (self.ip[12:20] if not self.v6 else self.ip[8:40])
            half = len(ends) // 2
            a, b = (ends[:half], self.sport), (ends[half:], self.dport)
            self.source, self.flow = a, (min(a, b), max(a, b))

    def with_ip(self, ip, time=0):
        return Frame(self.time + time, self.eth + self.type + ip)


def frames(path):
    return [Frame(sec * 10**6 + usec, f) for link, _, sec, usec, _, f in packets(path)]


def checksum(p):
    s = sum(struct.unpack(f'>{len(p) // 2}H', p))
    s = (s >> 16) + (s & 0xffff)
    return 0xffff ^ ((s >> 16) + (s & 0xffff))


def ip4(proto, payload, field=0, ident=7, src=b'\xc0\0\2\1', dst=b'\xc0\0\2\2'):
    h = struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), ident, field, 33, proto, 0, src, dst)
    return h[:10] + struct.pack('>H', checksum(h)) + h[12:] + payload


def ip6(proto, payload):
    ends = b'\x20\1\x0d\xb8' + b'\0' * 11 + b'\1' + b'\x20\1\x0d\xb8' + b'\0' * 11 + b'\2'
    return struct.pack('>IHBB', 0x60000000, len(payload), proto, 33) + ends + payload


def udp(port, payload):
    return struct.pack('>HHHH', 50000, port, 8 + len(payload), 0) + payload


# ---- forms of frames: each yields (time, wire length, bytes) ----

OUTER = b'\2\0\0\0\0\x01\2\0\0\0\0\x02'
ETH4, ETH6 = OUTER + b'\x08\0', OUTER + b'\x86\xdd'


def each(wrap, link=1, others=False):
    """A form that wraps every IP packet; others: what is not IP stays."""
    def form(fs):
        for f in fs:
            if f.ip is not None or others:
                out = wrap(f)
                yield f.time, len(out), out
    form.link = link
    return form


def several(make, link=1):
    """A form that makes of all frames a list of others."""
    def form(fs):
        for f in make(fs):
            yield f.time, len(f.data), f.data
    form.link = link
    return form


def gre(f, flags, fields, kind, inner):
    return ETH4 + ip4(47, struct.pack('>HH', flags, kind) + fields + inner)


def vxlan(f, port=4789, vni=123):
    return ETH4 + ip4(17, udp(port, struct.pack('>II', 8 << 24, vni << 8) + f.data))


def vlan_each_way(f):
    return f.eth + struct.pack('>HH', 0x8100, 101 if f.tcp and f.to_server else 100) + f.data[12:]


def vxlan_each_way(f):
    return vxlan(f, vni=6 if f.tcp and f.to_server else 5)


def geneve(f):
    return ETH4 + ip4(17, udp(6081, b'\2\0\x65\x58\0\0\x7b\0\1\2\3\1\0\0\0\0' + f.data))


def pppoe(f):
    ppp = (b'\0\x57' if f.v6 else b'\0\x21') + f.ip
    return f.eth + b'\x88\x64\x11\0\0\1' + struct.pack('>H', len(ppp)) + ppp


def ipip(f):
    return ETH4 + ip4(41 if f.v6 else 4, f.ip)


def nested(f):
    """VXLAN, in it GRE with IP in IP."""
    inner = ip4(47, b'\0\0\x08\0' + ip4(41 if f.v6 else 4, f.ip))
    return ETH4 + ip4(17, udp(4789, b'\x08\0\0\0\0\0\x7b\0' + ETH4 + inner))


def outer_fragments(fs):
    """VXLAN over a path whose MTU did not allow for it."""
    for n, f in enumerate(fs):
        if f.ip is None:
            continue
        body = udp(4789, b'\x08\0\0\0\0\0\x7b\0' + f.data)
        cut = len(body) // 16 * 8
        for part in (ip4(17, body[:cut], 0x2000, n & 0xffff), ip4(17, body[cut:], cut // 8, n & 0xffff)):
            yield f.time, len(part) + 14, ETH4 + part


outer_fragments.link = 1


def snaplen(fs):
    for f in fs:
        yield f.time, len(f.data), f.data[:96]


snaplen.link = 1


def total_zero(f):
    if f.ip is None or f.v6:
        return f.data
    h = f.ip[:2] + b'\0\0' + f.ip[4:10] + b'\0\0' + f.ip[12:f.hdr]
    return f.data[:14] + h[:10] + struct.pack('>H', checksum(h)) + h[12:] + f.ip[f.hdr:]


def joinable(a, b):
    """Would receive offload join b to a?"""
    if a.tcp is None or b.tcp is None or not a.payload or not b.payload:
        return False
    same = a.v6 == b.v6 and a.source == b.source and a.flow == b.flow and a.flags | 8 == b.flags | 8 == 0x18
    ttl = 7 if a.v6 else 8
    return same and a.ip[ttl] == b.ip[ttl] and (a.seq + len(a.payload)) & 0xffffffff == b.seq and \
        len(a.ip) + len(b.payload) < 65000


def unfinished_sum(ip, f):
    """What Linux leaves in a segment that it joined: the pseudo-header's sum."""
    ends = ip[8:40] if f.v6 else ip[12:20]
    s = 0xffff ^ checksum(ends + struct.pack('>II', len(ip) - f.hdr, 6))
    return ip[:f.tcp + 16] + struct.pack('>H', s) + ip[f.tcp + 18:]


def super_frames(fs):
    held = None
    for f in fs:
        if held is not None and joinable(held, f):
            ip = held.ip + f.payload
            size = struct.pack('>H', len(ip) - (40 if f.v6 else 0))
            ip = ip[:4] + size + ip[6:] if f.v6 else ip[:2] + size + ip[4:10] + b'\0\0' + ip[12:]
            if not f.v6:
                ip = ip[:10] + struct.pack('>H', checksum(ip[:f.hdr])) + ip[12:]
            held = held.with_ip(unfinished_sum(ip, f))
            continue
        if held is not None:
            yield held
        held = f
    if held is not None:
        yield held


def bad_sums(to_server):
    def make(fs):
        for f in fs:
            if f.tcp is not None and f.to_server == to_server:
                at = f.tcp + 16
                f = f.with_ip(f.ip[:at] + b'\x13\x37' + f.ip[at + 2:])
            yield f
    return make


def twice(fs):
    for f in fs:
        yield f
        yield Frame(f.time + 2, f.data)


def fragment(f, off, data, more, n):
    if not f.v6:
        field = struct.unpack('>H', f.ip[6:8])[0] & 0x4000 | (0x2000 if more else 0) | off // 8
        h = f.ip[:2] + struct.pack('>H', f.hdr + len(data)) + f.ip[4:6] + struct.pack('>H', field)
        h += f.ip[8:10] + b'\0\0' + f.ip[12:f.hdr]
        return f.with_ip(h[:10] + struct.pack('>H', checksum(h)) + h[12:] + data)
    frag = struct.pack('>BBHI', f.proto, 0, off | more, n)
    return f.with_ip(f.ip[:4] + struct.pack('>H', 8 + len(data)) + b'\x2c' + f.ip[7:40] + frag + data)


def fragments(order, empty=False, again=False):
    """Each packet in three (two where it is too short)."""
    def make(fs):
        for n, f in enumerate(fs):
            if f.tcp is None:
                yield f
                continue
            body = f.ip[f.hdr:]
            step = max(8, len(body) // 24 * 8)
            cuts = [(0, body[:step], 1), (step, body[step:2 * step], 1), (2 * step, body[2 * step:], 0)]
            if not cuts[2][1]:
                cuts = [cuts[0], (step, body[step:], 0)]
            if again:
                cuts.insert(1, cuts[0])
            if empty:
                cuts.insert(1, (step, b'', 1))
            for off, data, more in order(cuts):
                yield fragment(f, off, data, more, n)
    return make


def synack_first(fs):
    out = list(fs)
    for i, f in enumerate(out):
        if f.tcp is None or f.flags & 0x12 != 0x12:
            continue
        g = next(g for g in out[i - 1::-1] if g.tcp is not None and g.flow == f.flow)
        if i > 0 and g is not f and g.flags & 0x12 == 2:
            j = out.index(g)
            f.time, g.time = g.time, f.time
            out[i], out[j] = g, f
    return out


def mid_stream(first):
    """Each flow without its first packets."""
    def make(fs):
        seen = {}
        for f in fs:
            if f.tcp is not None:
                if f.flags & 0x16 == 2:
                    seen[f.flow] = 0
                seen[f.flow] = seen.get(f.flow, 0) + 1
                if seen[f.flow] <= first:
                    continue
            yield f
    return make


def one_way(to_server):
    return lambda fs: (f for f in fs if f.tcp is None or f.to_server == to_server)


def loopback(order):
    return lambda f: struct.pack(order + 'I', 24 if f.v6 else 2) + f.ip


FORMS = {
    'vlan': each(lambda f: f.eth + b'\x81\0\0\x64' + f.data[12:], others=True),
    'vlan-each-way': each(vlan_each_way),
    'qinq': each(lambda f: f.eth + b'\x88\xa8\0\x0a\x81\0\0\x64' + f.data[12:], others=True),
    'mpls': each(lambda f: f.eth + b'\x88\x47\0\1\0\x40\0\2\1\x40' + f.ip),
    'pseudowire': each(lambda f: OUTER + b'\x88\x47\0\1\1\x40\0\0\0\0' + f.data, others=True),
    'pppoe': each(pppoe),
    'gre': each(lambda f: gre(f, 0, b'', 0x86dd if f.v6 else 0x800, f.ip)),
    'gre-key': each(lambda f: gre(f, 0xb000, b'\0\0\0\0\0\0\0\7\0\0\0\1', 0x86dd if f.v6 else 0x800, f.ip)),
    'nvgre': each(lambda f: gre(f, 0x2000, b'\0\x12\x34\0', 0x6558, f.data), others=True),
    'erspan1': each(lambda f: gre(f, 0, b'', 0x88be, f.data), others=True),
    'erspan2': each(lambda f: gre(f, 0x1000, b'\0\0\0\1\x10\x64\0\5\0\0\0\x09', 0x88be, f.data), others=True),
    'erspan3': each(lambda f: gre(f, 0x1000, b'\0\0\0\1\x20\x64\0\5\0\0\0\x09\0\0\0\0', 0x22eb, f.data), others=True),
    'ipip': each(ipip),
    'ip-in-ip6': each(lambda f: ETH6 + ip6(41 if f.v6 else 4, f.ip)),
    'vxlan': each(vxlan, others=True),
    'vxlan-8472': each(lambda f: vxlan(f, 8472), others=True),
    'vxlan-each-way': each(vxlan_each_way),
    'vxlan-ip6': each(lambda f: ETH6 + ip6(17, udp(4789, b'\x08\0\0\0\0\0\x7b\0' + f.data)), others=True),
    'geneve': each(geneve, others=True),
    'nested': each(nested),
    'sll': each(lambda f: b'\0\0\0\1\0\6' + f.eth[6:] + b'\0\0' + f.data[12:], link=113, others=True),
    'sll2': each(lambda f: f.type + b'\0\0\0\0\0\2\0\1\0\6' + f.eth[6:] + b'\0\0' + f.data[14:], link=276, others=True),
    'raw': each(lambda f: f.ip, link=101),
    'null': each(loopback('<'), link=0),
    'null-swapped': each(loopback('>'), link=0),
    'total-zero': each(total_zero, others=True),
    'super': several(super_frames),
    'super-zero': None,
    'bad-sums-client': several(bad_sums(True)),
    'bad-sums-server': several(bad_sums(False)),
    'twice': several(twice),
    'fragments': several(fragments(lambda c: c)),
    'fragments-back': several(fragments(lambda c: c[::-1])),
    'fragments-again': several(fragments(lambda c: c, again=True)),
    'fragments-empty': several(fragments(lambda c: c, empty=True)),
    'fragments-outside': outer_fragments,
    'fragments-vxlan': None,
    'synack-first': several(synack_first),
    'snaplen': snaplen,
    'no-handshake': several(mid_stream(3)),
    'mid-stream': several(mid_stream(6)),
    'only-client': several(one_way(True)),
    'only-server': several(one_way(False)),
}


def chain(make, form):
    """A form of what another one made."""
    def both(fs):
        return form(list(make(fs)))
    both.link = form.link
    return both


FORMS['super-zero'] = chain(super_frames, FORMS['total-zero'])
FORMS['fragments-vxlan'] = chain(fragments(lambda c: c[::-1]), FORMS['vxlan'])


def write(form, fs, dst):
    with open(dst, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, form.link))
        for time, wire, data in form(fs):
            f.write(struct.pack('<IIII', time // 10**6, time % 10**6, len(data), wire) + data)


def one_file(form, src, dst):
    with open(dst, 'wb') as f:
        if form in ('swapped', 'nano'):
            pcap(src, f, '>' if form == 'swapped' else '<', form == 'nano')
        else:
            pcapng(src, f, form == 'pcapng-two')


def main(args):
    if len(args) > 2 and args[0] == '--all':
        for src in args[2:]:
            name = os.path.basename(src).removesuffix('.pcap')
            for form in FORMS:
                write(FORMS[form], frames(src), f'{args[1]}/{name}.{form}')
    elif len(args) != 3:
        sys.exit(__doc__)
    elif args[0] == 'split':
        split(*args[1:])
    elif args[0] in ('swapped', 'nano', 'pcapng', 'pcapng-two'):
        one_file(*args)
    elif args[0] in FORMS:
        write(FORMS[args[0]], frames(args[1]), args[2])
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    main(sys.argv[1:])
