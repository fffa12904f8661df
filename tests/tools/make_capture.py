#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures from dialogues: what a scene says is turned into TCP segments.

A step is one line. Lines of one speaker that follow each other share a segment, as servers send a list.

    conn PORT [client=N] [server=N] [after=TIME] [cport=N] [ttl=N] [stack=NAME] [sttl=N]   a connection opens (N: last byte of the
                         address; client=NET.N: of another network, client=far.N: outside where others are inside; ttl: the
                         client's, sttl: the server's; stack: whose TCP options the SYN/ACK has, STACKS below)
    S: text, C: text     a line of server or client; \\xNN, \\t are escapes, CRLF is added (LF alone after `lf`)
    S| text, C| text     the same without an end of line
    --                   ends a segment early
    hello [12|13|10] [sni=NAME] [psk] [scsv] [alpn=NAME]   ClientHello that offers this version; scsv: less than it can
    flight [12|13|10] [cert=NAME+...] [suite=HEX] [sentinel] [size=N] [swapped] [psk] [scts=N] [staple[=NAME]]
                         the server's part of the handshake; for 1.3: size of what is encrypted, other order of the extensions,
                         resumed; for 1.2: time stamps in the ServerHello, a stapled response
    finish, app          the rest of the handshake; a record of data from each side
    tls ...              hello, flight, finish, app
    sslv2                a ClientHello in the old form
    alert S|C CODE       a TLS alert in clear
    fin S|C              closes in an orderly way, begun by this side
    rst S|C              an ordinary reset (exact number, with ACK)
    forge S|C            a reset in the name of this side, with a foreign TTL and id; both sides go on
    lose S|C BYTES       bytes that the capture lacks, though they were acknowledged
    again S|C            the last segment of this side once more
    wait TIME            30s, 5m, 2h, 1d
    only S|C             the capture holds one direction from here on
    midstream            no handshake of the next connection
    snap N               frames are cut to N bytes
    bytes                every byte a segment of its own
    lf                   lines end in LF alone
"""
import base64
import os
import re
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
START = 1795341600.0  # 2026-11-22 10:00 UTC
MSS = 1440


def duration(text):
    units = {'ms': .001, 's': 1, 'm': 60, 'h': 3600, 'd': 86400}
    m = re.fullmatch(r'([\d.]+)(ms|s|m|h|d)', text)
    return float(m.group(1)) * units[m.group(2)]


def certificates(path=os.path.join(HERE, '..', 'scenes', 'certs.pem')):
    text = open(path).read()
    found = re.findall(r'# (\w+)\n-----BEGIN [A-Z ]+-----\n(.*?)-----END',
                       text, re.S)
    return {name: base64.b64decode(body) for name, body in found}


# ---- TLS, enough of it for a listener

def u8(b):
    return bytes([len(b)]) + b


def u16(b):
    return struct.pack('>H', len(b)) + b


def u24(b):
    return struct.pack('>I', len(b))[1:] + b


VERSIONS = {'ssl3': 0x0300, '10': 0x0301, '11': 0x0302, '12': 0x0303,
            '13': 0x0304}


def record(kind, body, version=0x0303):
    return struct.pack('>BH', kind, version) + u16(body)


def message(kind, body):
    return bytes([kind]) + u24(body)


def extension(number, body):
    return struct.pack('>H', number) + u16(body)


# MSS and window scale, with what stands between them
STACKS = {'linux': b'\x02\x04\x05\xb4\x01\x01\x04\x02\x01\x03\x03\x07', 'bsd': b'\x02\x04\x05\xb4\x01\x03\x03\x06\x04\x02\x00\x00',
          'windows': b'\x02\x04\x05\xa0\x01\x03\x03\x08\x01\x01\x04\x02', 'none': b''}


def client_hello(offer, sni, flags=(), alpn=None):
    v = VERSIONS[offer]
    psk = 'psk' in flags or 'ticket' in flags
    suites = b'\xc0\x2f\xc0\x30\x00\x9c\x00\x2f' + (b'\x56\x00' if 'scsv' in flags else b'')
    exts = b''
    if v == 0x0304:
        suites = b'\x13\x01\x13\x02' + suites
        exts += extension(43, u8(b'\x03\x04\x03\x03'))
        exts += extension(51, u16(b'\x00\x1d' + u16(b'k' * 32)))
    if sni:
        exts += extension(0, u16(b'\x00' + u16(sni.encode())))
    exts += extension(10, u16(b'\x00\x1d\x00\x17'))
    if alpn:
        exts += extension(16, u16(u8(alpn.encode())))
    if psk:
        exts += extension(41, u16(u16(b't' * 64) + b'age!') + u16(u8(b'b' * 32)))
    body = struct.pack('>H', min(v, 0x0303)) + b'C' * 32 + u8(b'')
    body += u16(suites) + u8(b'\x00') + u16(exts)
    return record(22, message(1, body), 0x0301)


def sslv2_hello():
    body = b'\x01\x03\x01' + struct.pack('>HHH', 6, 0, 16)
    body += b'\x00\x00\x2f\x00\x00\x35' + b'C' * 16
    return struct.pack('>H', 0x8000 | len(body)) + body


def server_flight(chosen, chain, suite, flags, size, scts, staple):
    v = VERSIONS[chosen]
    rnd = b'S' * 24 + (b'DOWNGRD\x01' if 'sentinel' in flags else b'S' * 8)
    suite = suite or (b'\x13\x01' if v == 0x0304 else b'\xc0\x2f')
    body = struct.pack('>H', min(v, 0x0303)) + rnd + u8(b'i' * 32)
    body += suite + b'\x00'
    if v == 0x0304:
        exts = [extension(43, b'\x03\x04'), extension(51, b'\x00\x1d' + u16(b'K' * 32))]
        if 'swapped' in flags:
            exts.reverse()
        if 'psk' in flags:
            exts.append(extension(41, b'\0\0'))
            size = min(size, 100)
        body += u16(b''.join(exts))
        return (record(22, message(2, body)) + record(20, b'\x01') +
                record(23, b'e' * size))
    body += u16(extension(0xff01, b'\x00') + (extension(18, u16(u16(b't' * 119) * scts)) if scts else b'') +
                (extension(5, b'') if staple else b''))
    flight = message(2, body) + message(11, u24(b''.join(u24(c) for c in chain)))
    if staple:
        flight += message(22, b'\x01' + u24(staple))
    flight += message(12, b'\x03\x00\x17' + u8(b'\x04' * 65) +
                      b'\x04\x03' + u16(b's' * 70)) + message(14, b'')
    return record(22, flight, min(v, 0x0303))


# ---- TCP and below

def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Side:
    def __init__(self, addr, port, ttl, isn):
        self.addr, self.port, self.ttl, self.seq = addr, port, ttl, isn
        self.ip_id = isn & 0xfff
        self.last = None


class Capture:
    def __init__(self, v6=False):
        self.v6, self.now, self.frames = v6, START, []
        self.snap, self.only, self.bytes = 65535, None, False
        self.eol, self.midstream = b'\r\n', False
        self.side, self.conns, self.isn = {}, 0, 0
        self.certs = certificates()

    def address(self, who, text):
        net, _, n = text.rpartition('.')
        n = int(n)
        if net == 'far':
            return b'\xfd' + b'\0' * 14 + bytes([n]) if self.v6 else bytes([198, 51, 100, n])
        if self.v6:
            head = b'\x20\x01\x0d\xb8' + bytes([int(net or 0), 1 if who == 'C' else 2])
            return head + b'\0' * 9 + bytes([n])
        return bytes([10, 1 if who == 'C' else 2, int(net or 0), n])

    def frame(self, src, dst, tcp, ttl):
        if self.v6:
            pseudo = src.addr + dst.addr + struct.pack('>II', len(tcp), 6)
            head = struct.pack('>IHBB', 6 << 28, len(tcp), 6, ttl)
            head += src.addr + dst.addr
        else:
            pseudo = src.addr + dst.addr + struct.pack('>HH', 6, len(tcp))
            head = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), src.ip_id,
                               0x4000, ttl, 6, 0) + src.addr + dst.addr
            head = head[:10] + struct.pack('>H', checksum(head)) + head[12:]
        tcp = tcp[:16] + struct.pack('>H', checksum(pseudo + tcp)) + tcp[18:]
        kind = b'\x86\xdd' if self.v6 else b'\x08\x00'
        return b'\x02\0\0\0\0\2\x02\0\0\0\0\1' + kind + head + tcp

    def packet(self, who, flags, data=b'', seq=None, ttl=None, options=b''):
        a = self.side[who]
        b = self.side['S' if who == 'C' else 'C']
        a.ip_id = (a.ip_id + 1) & 0xffff
        self.now += .002 if who == 'C' else .004
        if self.only not in (None, who):
            return
        ack = b.seq if flags & 0x10 else 0
        tcp = struct.pack('>HHIIBBHHH', a.port, b.port,
                          (a.seq if seq is None else seq) & 0xffffffff,
                          ack & 0xffffffff, 0x50 + (len(options) << 2), flags, 64000, 0, 0) + options + data
        self.frames.append((self.now,
                            self.frame(a, b, tcp, ttl or a.ttl)))

    def send(self, who, data):
        step = 1 if self.bytes else MSS
        for i in range(0, len(data), step):
            piece = data[i:i + step]
            self.side[who].last = (self.side[who].seq, piece)
            self.packet(who, 0x18, piece)
            self.side[who].seq += len(piece)
        self.packet('S' if who == 'C' else 'C', 0x10)

    def write(self, path):
        with open(path, 'wb') as f:
            f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0,
                                self.snap, 1))
            for t, frame in self.frames:
                cut = frame[:self.snap]
                f.write(struct.pack('<IIII', int(t), int(t % 1 * 1e6),
                                    len(cut), len(frame)) + cut)

    # ---- steps

    def do_conn(self, port, **o):
        self.now += duration(o.get('after', '2s'))
        self.conns += 1
        c, s = o.get('client', '7'), o.get('server', '25')
        cport = int(o.get('cport', 40000 + self.conns))
        self.side = {
            'C': Side(self.address('C', c), cport, int(o.get('ttl', 64)),
                      self.isn + 1000 + 70001 * cport + 999983 * self.conns),
            'S': Side(self.address('S', s), int(port), int(o.get('sttl', 55)),
                      2 * self.isn + 9000 + 31337 * cport + 1299709 * self.conns)}
        options = STACKS[o.get('stack', 'none')]
        if not self.midstream:
            self.packet('C', 0x02)
            self.side['C'].seq += 1
            self.packet('S', 0x12, options=options)
            self.side['S'].seq += 1
            self.packet('C', 0x10)
        self.midstream = False

    def do_hello(self, offer='12', *flags, sni=None, alpn=None):
        self.send('C', client_hello(offer, sni, flags, alpn))

    def do_flight(self, chosen='12', *flags, cert='good', suite=None, size=900, scts=0, staple=None):
        later = b'\x30\x03\x0a\x01\x03'  # "try later": no word on the certificate
        self.send('S', server_flight(
            chosen, [self.certs[c] for c in cert.split('+')], bytes.fromhex(suite) if suite else None, flags,
            int(size), int(scts), self.certs[staple] if staple else later if 'staple' in flags else None))
        self.tls13 = chosen == '13'

    def do_finish(self):
        if self.tls13:
            self.send('C', record(20, b'\x01') + record(23, b'f' * 53))
            return
        self.send('C', record(22, message(16, u8(b'\x04' * 65))) +
                  record(20, b'\x01') + record(22, b'\x99' * 40))
        self.send('S', record(20, b'\x01') + record(22, b'\x98' * 40))

    def do_app(self):
        self.send('C', record(23, b'c' * 60))
        self.send('S', record(23, b's' * 200))

    def do_tls(self, version='12', *flags, sni=None, alpn=None, **o):
        self.do_hello(version, *flags, sni=sni, alpn=alpn)
        self.do_flight(version, *flags, **o)
        self.do_finish()
        self.do_app()

    def do_sslv2(self):
        self.send('C', sslv2_hello())

    def do_alert(self, who, code):
        self.send(who, record(21, bytes([2, int(code)])))

    def do_fin(self, who):
        other = 'S' if who == 'C' else 'C'
        for side in (who, other):
            self.packet(side, 0x11)
            self.side[side].seq += 1
        self.packet(who, 0x10)

    def do_rst(self, who):
        self.packet(who, 0x14)

    def do_forge(self, who):
        a = self.side[who]
        kept, a.ip_id = a.ip_id, 0x7a00
        self.packet(who, 0x04, ttl=a.ttl - 7)
        a.ip_id = kept

    def do_lose(self, who, n):
        self.side[who].seq += int(n)
        self.packet('S' if who == 'C' else 'C', 0x10)

    def do_again(self, who):
        seq, piece = self.side[who].last
        self.packet(who, 0x18, piece, seq)

    def do_wait(self, time):
        self.now += duration(time)

    def do_only(self, who):
        self.only = who

    def do_midstream(self):
        self.midstream = True

    def do_snap(self, n):
        self.snap, self.bytes = int(n), False

    def do_bytes(self):
        self.bytes = True

    def do_lf(self):
        self.eol = b'\n'

    def play(self, steps):
        pending, who = b'', None
        for step in steps:
            m = re.match(r'([SC])([:|]) ?(.*)$', step, re.S)
            if pending and (not m or m.group(1) != who):
                self.send(who, pending)
                pending = b''
            if m:
                who = m.group(1)
                text = re.sub(r'\\x(..)|\\t', lambda e: chr(int(e[1], 16))
                              if e[1] else '\t', m.group(3))
                pending += text.encode('latin-1')
                pending += self.eol if m.group(2) == ':' else b''
                continue
            words = step.split()
            if words[0] == '--':
                continue
            args = [w for w in words[1:] if '=' not in w]
            opts = dict(w.split('=', 1) for w in words[1:] if '=' in w)
            getattr(self, 'do_' + words[0])(*args, **opts)
        if pending:
            self.send(who, pending)
