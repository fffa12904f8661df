# SPDX-License-Identifier: GPL-3.0-or-later
"""A real host behind a router, and a player on the other side who makes every packet by hand.

    player --- tap --- router --- host
      TUN device     namespace    namespace with real sockets

The player's packets enter the router through a TUN device. The tap sees them before the router does: what a router drops
(TTL 1, a wrong header checksum, source routes) the tap has seen and the host has not. Needs root and Linux namespaces;
everything is gone when the process ends.
"""
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import subprocess
import time

import packets
from packets import Seen

CLONE_NEWNET = 0x40000000
ADDR = {False: ('10.99.1.2', '10.99.2.2'), True: ('fd00:99:1::2', 'fd00:99:2::2')}  # player, host
PORT = 25
QUIET = .004  # seconds without a packet: the host has answered
SETTLE = .3  # at the end: what the host still has to say
GREETING, REPLY, BYE = b'220 host\r\n', b'250 ok\r\n', b'221 bye\r\n'
COMMAND, QUIT = b'NOOP\r\n', b'QUIT\r\n'

libc = ctypes.CDLL(None, use_errno=True)


def check(r):
    if r != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def run(text):
    for line in text.strip().splitlines():
        subprocess.run(line.split(), check=True, stdout=subprocess.DEVNULL)


class Lab:
    def __init__(self):
        self.router = self.new_namespace()
        self.tun = self.open_tun()
        host = self.new_namespace()
        run('ip link add eth0 type veth peer name eth1')
        self.push_link('eth1', self.router)
        self.enter(self.router)
        self.configure_router()
        self.enter(host)
        self.configure_host()
        self.listeners = {v6: self.listen(v6) for v6 in (False, True)}
        self.host = host

    def new_namespace(self):
        check(libc.unshare(CLONE_NEWNET))
        return os.open('/proc/self/ns/net', os.O_RDONLY)

    def enter(self, ns):
        check(libc.setns(ns, CLONE_NEWNET))

    def push_link(self, name, ns):
        """A link is moved by the id of a process that lives in the other namespace."""
        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            self.enter(ns)
            os.write(tell, b'.')
            time.sleep(60)
            os._exit(0)
        os.read(ready, 1)
        run(f'ip link set {name} netns {child}')
        os.kill(child, 9)
        os.waitpid(child, 0)

    def open_tun(self):
        fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH', b'wire', 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
        return fd

    def configure_router(self):
        run('''
            sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
            sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
            ip link set lo up
            ip addr add 10.99.1.1/24 dev wire
            ip -6 addr add fd00:99:1::1/64 dev wire nodad
            ip link set wire up
            ip addr add 10.99.2.1/24 dev eth1
            ip -6 addr add fd00:99:2::1/64 dev eth1 nodad
            ip link set eth1 address 02:00:00:00:00:01 up
            ip neigh replace 10.99.2.2 lladdr 02:00:00:00:00:02 dev eth1 nud permanent
            ip -6 neigh replace fd00:99:2::2 lladdr 02:00:00:00:00:02 dev eth1 nud permanent''')

    def configure_host(self):
        run('''
            sysctl -qw net.ipv4.tcp_no_metrics_save=1 net.ipv4.tcp_fastopen=3 net.ipv4.tcp_fin_timeout=2
            ip link set lo up
            ip addr add 10.99.2.2/24 dev eth0
            ip -6 addr add fd00:99:2::2/64 dev eth0 nodad
            ip link set eth0 address 02:00:00:00:00:02 up
            ip neigh replace 10.99.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
            ip -6 neigh replace fd00:99:2::1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
            ip route add default via 10.99.2.1
            ip -6 route add default via fd00:99:2::1''')

    def listen(self, v6):
        s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
        if v6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((ADDR[v6][1], PORT))
        s.listen(64)
        s.setblocking(False)
        return s


class App:
    """A program on the real host: a server that greets and answers each line, or a client that gives a command after each
    line. What it reads is the truth."""

    def __init__(self, sock, server):
        self.sock, self.server = sock, server
        self.read, self.wrote, self.end, self.lines = b'', b'', 'open', 0
        self.connected = server
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server:
            self.write(GREETING)

    def write(self, data):
        try:
            n = self.sock.send(data)
            self.wrote += data[:n]
        except BlockingIOError:
            pass
        except OSError:
            self.end = 'reset'

    def poll(self):
        while self.end == 'open':
            try:
                got = self.sock.recv(65536)
            except BlockingIOError:
                break
            except OSError as e:
                if e.errno == errno.ENOTCONN:
                    break
                self.end = 'refused' if e.errno == errno.ECONNREFUSED else 'reset'
                break
            if not got:
                self.end = 'closed'
            self.read += got
        lines = self.read.count(b'\n')
        while self.lines < lines and self.end != 'reset':
            self.lines += 1
            self.write(REPLY if self.server else COMMAND)

    def finish(self):
        self.poll()
        if self.end in ('open', 'closed') and self.connected_now():
            self.write(BYE if self.server else QUIT)
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def connected_now(self):
        try:
            self.sock.getpeername()
            return True
        except OSError:
            return False

    def truth(self):
        return {'read': self.read.decode('latin-1'), 'wrote': self.wrote.decode('latin-1'), 'end': self.end}


class Wire:
    """One case: the player's side of a connection. Numbers count from where the player is: `off` and `ack_off` move them."""

    def __init__(self, lab, v6, port, server):
        self.lab, self.v6, self.server = lab, v6, server  # server: the real host is the server
        self.me, self.host = ADDR[v6]
        self.port = port
        self.isn = 0x10000000 + port * 7919
        self.next, self.rcv = self.isn, 0
        self.ident = port & 0xffff
        self.frames, self.apps, self.seen = [], [], []
        self.ts = None
        self.ts_ecr = 0
        self.ttl = 64
        self.cookie = None
        self.win = 64000
        if not server:
            s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET)
            s.setblocking(False)
            s.bind((self.host, port))
            try:
                s.connect((self.me, PORT))
            except BlockingIOError:
                pass
            self.apps.append(App(s, False))
            self.poll()

    def ends(self):
        mine, theirs = (self.port, PORT) if self.server else (PORT, self.port)
        return (self.me, mine), (self.host, theirs)

    # ---- what the host does

    def note(self, raw):
        p = Seen(raw)
        if not p.tcp or p.dport != self.ends()[0][1]:
            return
        self.seen.append(p)
        ts = p.option(8)
        if ts:
            self.ts_ecr = struct.unpack('>I', ts[:4])[0]
        if p.option(34):
            self.cookie = p.option(34)
        if p.flags & 2:
            self.rcv = p.seq + 1 & 0xffffffff
        elif p.seq == self.rcv:
            self.rcv = p.seq + len(p.data) + (p.flags & 1) & 0xffffffff

    def poll(self, quiet=QUIET):
        until = time.time() + quiet
        while time.time() < until:
            ready = select.select([self.lab.tun], [], [], .001)[0]
            if ready:
                raw = os.read(self.lab.tun, 65536)
                self.frames.append((time.time(), raw))
                self.note(raw)
                until = time.time() + quiet
            self.poll_apps()

    def poll_apps(self):
        if self.server:
            try:
                self.apps.append(App(self.lab.listeners[self.v6].accept()[0], True))
            except BlockingIOError:
                pass
        for a in self.apps:
            a.poll()

    # ---- what the player does

    def put(self, raw):
        self.frames.append((time.time(), raw))
        try:
            os.write(self.lab.tun, raw)
        except OSError:
            pass  # no packet at all to a kernel; the tap saw it
        self.poll()

    def segment(self, flags='PA', data=b'', off=0, ack_off=0, seq=None, ack=None, urg=0, opts=None, win=None, csum='good',
                offset=None, reserved=0, ts=None):
        a, b = self.ends()
        opts = b'' if opts is None else opts
        if self.ts is not None and ts is not False and 'S' not in flags:
            self.ts += 1
            opts = packets.timestamps(self.ts if ts is None else ts, self.ts_ecr) + opts
        ack = (self.rcv + ack_off if ack is None else ack) if 'A' in flags else 0
        return packets.tcp(a, b, self.next + off if seq is None else seq, ack, flags, data, self.win if win is None else win,
                           urg, opts, csum, offset, reserved)

    def datagram(self, body, ext=None, ttl=None, ident=None, **ip):
        self.ident = self.ident + 1 & 0xffff
        ttl = self.ttl if ttl is None else ttl
        if not self.v6:
            return packets.ip4(self.me, self.host, body, ttl, self.ident if ident is None else ident, **ip)
        first, chain = ext or (packets.TCP, b'')
        return packets.ip6(self.me, self.host, chain + body, ttl, first, **ip)

    def send(self, flags='PA', data=b'', ip=None, ext=None, ttl=None, **o):
        """A segment that moves nobody's numbers."""
        self.put(self.datagram(self.segment(flags, data, **o), ext, ttl, **(ip or {})))

    def say(self, data, **o):
        """Data that the player means, which are then acknowledged where the host answers."""
        self.send('PA', data, **o)
        self.next += len(data)
        self.ack()

    def ack(self):
        if any(p.data for p in self.seen[-3:]):
            self.send('A')

    def fragments(self, body, cuts, order=None, change=None, ident=None, gap=0):
        """cuts: list of (from, to[, last]) in bytes of the TCP segment; change: index -> bytes to send instead."""
        self.ident = self.ident + 1 & 0xffff
        ident = self.ident if ident is None else ident
        for i in order or range(len(cuts)):
            start, end = cuts[i][:2]
            more = not (cuts[i][2] if len(cuts[i]) > 2 else end >= len(body))
            piece = (change or {}).get(i, body[start:end])
            if self.v6:
                self.put(packets.ip6(self.me, self.host, packets.fragment_header(packets.TCP, start, more, ident) + piece,
                                     self.ttl, packets.FRAGMENT))
            else:
                self.put(packets.ip4(self.me, self.host, piece, self.ttl, ident, start, more))
            time.sleep(gap)

    def wait(self, seconds):
        self.poll(seconds)

    def syn(self, data=b'', opts=None, isn=None, flags='S', **o):
        if isn is not None:
            self.next = isn
        opts = packets.MSS + packets.NOP + packets.wscale(7) if opts is None else opts
        if self.ts is not None:
            opts += packets.timestamps(self.ts, self.ts_ecr)
        self.send(flags, data, opts=opts, **o)
        self.next += 1

    def open(self, **o):
        """An ordinary handshake, and what is said first."""
        self.syn(**o) if self.server else self.syn(flags='SA', **o)
        if self.server:
            self.send('A')
            self.poll(.02)
            self.send('A')
        else:
            self.say(GREETING)

    def finish(self):
        self.poll(SETTLE)
        for a in self.apps:
            a.finish()
        self.poll(.05)
        self.send('A')
        for a in self.apps:
            a.poll()

    def clean(self):
        """No packet of this case must reach the next."""
        for a in self.apps:
            a.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            a.sock.close()
        until = time.time() + .01
        while time.time() < until:
            if select.select([self.lab.tun], [], [], .005)[0]:
                os.read(self.lab.tun, 65536)

    def truth(self):
        return [a.truth() for a in self.apps]
