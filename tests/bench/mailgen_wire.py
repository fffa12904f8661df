# SPDX-License-Identifier: GPL-3.0-or-later
"""Packets of mailgen.py: addresses, frames with right checksums, segments of a dialogue, and what a
span port does to them."""
import struct
import sys

EPOCH = 1796083200
SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16
# beside TCP's flags: sent by no socket (no options, window and IP id 0); IP id 0; seen twice, the
# second time behind a router; from bit 16 on a TTL of its own
BARE, NOID, TWICE = 256, 512, 1024
C, S = 0, 1                       # direction: client to server, server to client
LINE = 78                         # base64 body line, CRLF included
PCAP_HDR = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)
rec_pack = struct.Struct('<IIII').pack
ip4_pack = struct.Struct('>BBHHHBBH8s').pack
ip6_pack = struct.Struct('>IHBB32s').pack
tcp_pack = struct.Struct('>HHIIHHHH').pack
ts_pack = struct.Struct('>IIII').pack          # NOP NOP TS(10) tsval tsecr + MSS/.. for SYN
frm = int.from_bytes


def csum(total):
    """Internet checksum from a number congruent (mod 65535) to the sum of the 16-bit words."""
    total %= 65535
    return 65535 - total if total else 0


def psum(data):
    """Sum of the 16-bit words of data, mod 65535."""
    n = len(data)
    if not n:
        return 0
    v = frm(data, 'big')
    return (v << 8 if n & 1 else v) % 65535


class Writer:
    """Writes frames; keeps the clock."""

    def __init__(self, path, rate, vlan=None):
        self.f = open(path, 'wb', buffering=1 << 22) if path != '-' else sys.stdout.buffer
        self.f.write(PCAP_HDR)
        self.size = len(PCAP_HDR)
        self.packets = 0
        self.ns = 0
        self.nspb = 8.0 / rate            # nanoseconds a byte
        self.tag = struct.pack('>HH', 0x8100, vlan) if vlan is not None else b''

    def frame(self, head, payload):
        n = len(head) + len(payload)
        pad = b''
        if n < 60:
            pad = bytes(60 - n)
            n = 60
        sec, rest = divmod(int(self.ns), 1000000000)
        self.f.write(rec_pack(EPOCH + sec, rest // 1000, n, n) + head)
        if payload:
            self.f.write(payload)
        if pad:
            self.f.write(pad)
        self.size += n + 16
        self.packets += 1
        self.ns += (n + 24) * self.nspb


class Ids:
    """Addresses and ports; each flow gets a tuple of its own."""

    def __init__(self, rng, p6):
        self.rng, self.p6, self.n = rng, p6, 0

    def next(self, dport, servers=200, net=b'\xc6\x33\x64'):
        n = self.n
        self.n += 1
        rng = self.rng
        host = n // 50000 % 65000 * 251 + rng.randrange(251)
        port = 1025 + n % 50000
        srv = rng.randrange(servers)
        v6 = self.p6 > 0 and rng.random() < self.p6
        if v6:
            src = bytes.fromhex('20010db8000a0000') + (host + 1).to_bytes(8, 'big')
            dst = bytes.fromhex('20010db800250000') + (srv + 1).to_bytes(8, 'big')
        else:
            src = bytes((10,)) + (host + 1).to_bytes(3, 'big')
            dst = net + bytes((srv + 1,))
        return v6, src, dst, port, dport, srv


class Flow:
    """One TCP flow: a list of segments, written one at a time."""
    __slots__ = ('eth', 'v6', 'addr', 'ipbase', 'tcpbase', 'ports', 'isn', 'ipid', 'tsoff',
                 'tsecr', 'segs', 'pos', 'ts', 'mail')

    def __init__(self, ids, tup, rng, use_ts, tag, mail=True):
        v6, src, dst, sport, dport, _ = tup
        self.v6, self.mail, self.ts = v6, mail, use_ts
        et = b'\x86\xdd' if v6 else b'\x08\x00'
        a, b = b'\x02\x00\x00\x00\x00\x01', b'\x02\x00\x00\x00\x00\x02'
        self.eth = (b + a + tag + et, a + b + tag + et)
        self.addr = (src + dst, dst + src)
        asum = psum(src + dst)
        self.tcpbase = asum + 6 + sport + dport
        self.ipbase = asum + 0x4500 + 0x4000 + 0x4006     # ver/ihl, DF, ttl 64 + proto
        self.ports = ((sport, dport), (dport, sport))
        self.isn = (rng.getrandbits(32), rng.getrandbits(32))
        self.ipid = [rng.getrandbits(16), rng.getrandbits(16)]
        self.tsoff = (rng.getrandbits(31), rng.getrandbits(31))
        self.tsecr = [0, 0]
        self.segs = None
        self.pos = 0

    def emit(self, w, seg):
        d, flags, seq, ack, data, dsum = seg
        ttl, bare, more = flags >> 16 or 64, flags & BARE, flags
        flags &= 0xff
        seq = (self.isn[d] + seq) & 0xffffffff
        ack = (self.isn[1 - d] + ack) & 0xffffffff if flags & ACK else 0
        sp, dp = self.ports[d]
        win = 501
        if bare:
            win, opt = 0, b''
        elif flags & SYN:
            win = 64240
            if self.ts:
                tsv = (self.tsoff[d] + int(w.ns // 1000000)) & 0xffffffff
                opt = struct.pack('>HHHBBIIBBBB', 0x0204, 1460, 0x0402, 8, 10, tsv,
                                  self.tsecr[d], 1, 3, 3, 7)
                self.tsecr[1 - d] = tsv
            else:
                opt = b'\x02\x04\x05\xb4\x01\x01\x04\x02'
        elif self.ts:
            tsv = (self.tsoff[d] + int(w.ns // 1000000)) & 0xffffffff
            opt = b'\x01\x01\x08\x0a' + tsv.to_bytes(4, 'big') + self.tsecr[d].to_bytes(4, 'big')
            self.tsecr[1 - d] = tsv
        else:
            opt = b''
        hl = 20 + len(opt)
        tl = hl + len(data)
        off = (hl >> 2) << 12 | flags
        ck = csum(self.tcpbase + seq + ack + off + win + tl + frm(opt, 'big') + dsum)
        tcp = tcp_pack(sp, dp, seq, ack, off, win, ck, 0) + opt
        if self.v6:
            ip = ip6_pack(0x60000000, tl, 6, ttl, self.addr[d])
        else:
            if bare or more & NOID:
                i = 0
            else:
                i = self.ipid[d] = (self.ipid[d] + 1) & 0xffff
            n = tl + 20
            ck = csum(self.ipbase + n + i + (ttl - 64 << 8))
            ip = ip4_pack(0x45, 0, n, i, 0x4000, ttl, 6, ck, self.addr[d])
        w.frame(self.eth[d] + ip + tcp, data)
        if more & TWICE and ttl > 1:
            if self.v6:
                ip = ip[:7] + bytes((ttl - 1,)) + ip[8:]
            else:
                ck = csum(self.ipbase + n + i + (ttl - 65 << 8))
                ip = ip[:8] + bytes((ttl - 1,)) + ip[9:10] + ck.to_bytes(2, 'big') + ip[12:]
            w.frame(self.eth[d] + ip + tcp, data)


def segments(script, mss, rst=False, fin=True):
    """script: [(direction, bytes), ...] -> segments of a whole TCP flow."""
    nxt = [1, 1]
    out = [(C, SYN, 0, 0, b'', 0), (S, SYN | ACK, 0, 1, b'', 0), (C, ACK, 1, 1, b'', 0)]
    add = out.append
    owed = 0                                  # data segments the peer has not acknowledged
    last = None
    for d, data in script:
        if last == d and owed:
            add((1 - d, ACK, nxt[1 - d], nxt[d], b'', 0))
        mv = memoryview(data)
        n = len(mv)
        p = 0
        owed = 0
        ackno = nxt[1 - d]
        seq = nxt[d]
        while p < n:
            e = p + mss
            if e > n:
                e = n
            part = mv[p:e]
            add((d, ACK | PSH if e == n else ACK, seq, ackno, part, psum(part)))
            seq += e - p
            p = e
            owed += 1
            if owed == 2:
                add((1 - d, ACK, ackno, seq, b'', 0))
                owed = 0
        nxt[d] = seq
        last = d
    if rst:
        add((S, RST | ACK, nxt[S], nxt[C], b'', 0))
    elif fin:
        add((C, FIN | ACK, nxt[C], nxt[S], b'', 0))
        add((S, FIN | ACK, nxt[S], nxt[C] + 1, b'', 0))
        add((C, ACK, nxt[C] + 1, nxt[S] + 1, b'', 0))
    return out


def displace(segs, i, by):
    """Move segment i at most `by` places later, as a receiver would live it: no reply overtakes
    the missing data, and the acknowledgements in between stay at its first byte."""
    d, flags, seq = segs[i][:3]
    if not segs[i][4]:
        return
    j = i
    while j - i < by and j + 2 < len(segs):
        n = segs[j + 1]
        if n[0] != d:
            if n[4] or n[1] & (FIN | RST):
                break
            if n[3] > seq:
                segs[j + 1] = (n[0], n[1], n[2], seq) + n[4:]
        elif n[1] & FIN:
            break
        j += 1
    if j > i and segs[j][0] != d:             # the last acknowledgement then covers it again
        segs[j] = segs[j][:3] + (seq,) + segs[j][4:]
    segs.insert(j, segs.pop(i))


def disturb(segs, rng, a):
    """Reorder, duplicate, lose, skew and drop segments, the handshake excepted."""
    i = 3
    rnd = rng.random
    while i < len(segs) - 1:
        r = rnd()
        if r < a.loss:
            displace(segs, i, rng.randint(3, 12))
        elif r < a.loss + a.reorder:
            displace(segs, i, rng.randint(1, 3))
        elif r < a.loss + a.reorder + a.dup:
            segs.insert(min(i + rng.randint(1, 4), len(segs) - 1), segs[i])
            i += 1
        elif r < a.loss + a.reorder + a.dup + a.skew:
            d = segs[i][0]
            for k in range(i + 1, min(i + 7, len(segs) - 3)):
                if segs[k][0] != d:
                    if not segs[k][4]:
                        segs.insert(i, segs.pop(k))
                        i += 1
                    break
        elif r < a.loss + a.reorder + a.dup + a.skew + a.drop:
            segs.pop(i)
            continue
        i += 1
    return segs
