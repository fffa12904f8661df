# SPDX-License-Identifier: GPL-3.0-or-later
"""A world in which nobody attacks: servers with their ways, clients with their habits, and what they say to each
other. benign.py lets it live for weeks.

Each server keeps its way for as long as it lives, but for what servers lawfully do: greylisting, maintenance windows,
a renewed certificate, STARTTLS that was not there before. No password is ever sent in clear: that would be a finding.
"""
import base64
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench"))
from mailgen_tls import fresh, tls_material  # noqa: E402
from mailgen_wire import C, S  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
HOUR, DAY = 3600, 86400
# what the servers are, and how many of a hundred are so
WAYS = (('never', 18), ('always', 22), ('only587', 14), ('two-faced', 6), ('greylisting', 12), ('new', 8),
        ('helo-only', 4), ('mailbox', 12), ('old-mailbox', 4))
OUTAGES = ('refuses', 'silent', '421', '454', '454')
SOFTWARE = (
    (b'ESMTP Postfix', (b'PIPELINING', b'SIZE 52428800', b'ETRN', b'STARTTLS', b'ENHANCEDSTATUSCODES', b'8BITMIME', b'DSN',
                        b'SMTPUTF8')),
    (b'ESMTP Exim 4.96', (b'SIZE 52428800', b'8BITMIME', b'PIPELINING', b'PIPECONNECT', b'CHUNKING', b'STARTTLS', b'HELP')),
    (b'Microsoft ESMTP MAIL Service ready', (b'SIZE 37748736', b'PIPELINING', b'DSN', b'ENHANCEDSTATUSCODES', b'STARTTLS',
                                             b'8BITMIME', b'BINARYMIME', b'CHUNKING', b'X-EXPS GSSAPI NTLM')),
    (b'ESMTP Sendmail 8.17', (b'ENHANCEDSTATUSCODES', b'PIPELINING', b'8BITMIME', b'SIZE', b'DSN', b'STARTTLS',
                              b'DELIVERBY', b'HELP')),
)
GOOD = [n for n in range(40) if n % 9 != 8 and n % 8 != 7]      # neither self-signed nor expired
SPOILT = [n for n in range(40) if n not in GOOD]                # everyday on port 25


class Client:
    """HABITS: uses TLS where it is offered; never does; several programs behind one address; speaks no EHLO."""
    HABITS = ('tls',) * 12 + ('clear', 'clear', 'several', 'helo')

    def __init__(self, n, inside, rng):
        self.inside = inside
        self.v6 = not inside and rng.random() < .15
        host = n + 1
        if self.v6:
            self.addr = bytes.fromhex('20010db8000a') + (host // 40).to_bytes(2, 'big') + host.to_bytes(8, 'big')
        elif inside:
            self.addr = bytes((10, 1)) + host.to_bytes(2, 'big')
        else:
            self.addr = bytes((100, 64 + host // 2500, host // 10 % 250, host % 250 + 1))
        self.name = (b'pc%d.corp.example' if inside else b'out%d.sender.example') % host
        self.habit = rng.choice(self.HABITS)
        self.ttl = 64 if inside else rng.choice((64, 128)) - rng.randrange(5, 20)
        self.rtt = rng.uniform(.0005, .003) if inside else rng.uniform(.01, .12)
        self.port = rng.randrange(1025, 60000)

    def next_port(self):
        self.port = 1025 + (self.port - 1024) % 60000
        return self.port

    def wants_tls(self, rng):
        return self.habit == 'tls' or (self.habit == 'several' and rng.random() < .5)


class Server:
    def __init__(self, n, way, weeks, rng):
        self.way, self.n = way, n
        self.v4 = bytes((192, 0, 2 + n // 250, n % 250 + 1))
        self.v6 = bytes.fromhex('20010db800250000') + (n + 1).to_bytes(8, 'big')
        self.name = b'mail%d.receiver%d.example' % (n, n % 7)
        self.ttl = rng.choice((64, 64, 128, 255)) - rng.randrange(3, 14)
        self.banner, self.words = (b'SMTP', ()) if way == 'helo-only' else rng.choice(SOFTWARE)
        self.tls13 = rng.random() < .5
        self.chains = [rng.choice(SPOILT if way == 'always' and rng.random() < .2 else GOOD)]
        self.renewed = rng.uniform(.2, 3) * weeks * 7 * DAY
        if self.chains[0] in GOOD:
            self.chains.append(rng.choice(GOOD))
        self.since = rng.uniform(.2, .8) * weeks * 7 * DAY if way == 'new' else 0
        self.night = rng.randrange(7), rng.uniform(0, 6) * HOUR, rng.choice(OUTAGES)
        self.met, self.served = set(), 0
        self.ports = {'mailbox': (143, 110, 4190, 993, 995, 465, 24), 'old-mailbox': (143, 110, 24),
                      'only587': (25, 587, 587)}.get(way, (25, 25, 25, 25, 587) if way == 'always' else (25,))

    def outage(self, t):
        """What is wrong at this time: every week an hour of maintenance, at night."""
        day, start, kind = self.night
        return kind if int(t // DAY) % 7 == day and start <= t % DAY < start + HOUR else None

    def offers(self, client, port, t):
        """Whether this session is offered STARTTLS."""
        self.served += 1
        if self.way == 'only587':
            return port == 587
        if self.way == 'two-faced':
            return not client.inside
        if self.way == 'new':
            return t >= self.since
        return self.way not in ('never', 'helo-only', 'old-mailbox')

    def chain(self, t, port):
        if port != 25 and self.chains[0] in SPOILT:
            return GOOD[self.n % len(GOOD)]
        return self.chains[t > self.renewed and len(self.chains) > 1]


class Talk:
    """Dialogues: lists of (who, bytes, seconds before they are said)."""

    def __init__(self, rng, tls_cache):
        self.rng = rng
        self.tls = tls_material(tls_cache)
        self.noise = rng.randbytes(1 << 16)
        self.text = base64.encodebytes(rng.randbytes(6000)).replace(b'\n', b'\r\n')

    # ---- TLS

    def record(self, n):
        p = self.rng.randrange(len(self.noise) - n)
        return b'\x17\x03\x03' + n.to_bytes(2, 'big') + self.noise[p:p + n]

    def inside_tls(self, turns, longest=4000):
        out = []
        for _ in range(turns):
            out += [(C, self.record(self.rng.randrange(30, 90)), 0), (S, self.record(self.rng.randrange(40, longest)), 0)]
        return out

    def handshake(self, server, t, port):
        rng = self.rng
        version = '13' if server.tls13 and rng.random() < .8 else '12'
        return [(d, x, 0) for d, x in fresh(self.tls[version][server.chain(t, port)], rng)]

    def over_tls(self, server, t, port, idle=False):
        s = self.handshake(server, t, port) + self.inside_tls(self.rng.randrange(3, 7))
        if idle:                                   # IMAP IDLE, for up to two hours
            for _ in range(self.rng.randrange(5)):
                s.append((S, self.record(40), self.rng.uniform(60, 29 * 60)))
        return s + [(C, b'\x15\x03\x03\x00\x13' + self.noise[:19], 0)]

    # ---- SMTP

    def message(self):
        n = self.rng.randrange(100, len(self.text))
        return (b'From: a@sender.example\r\nTo: b@receiver.example\r\nSubject: report\r\n\r\n'
                + self.text[:n].rsplit(b'\r\n', 1)[0] + b'\r\n.\r\n')

    def ehlo(self, server, client, offered):
        words = [w for w in server.words if offered or w != b'STARTTLS']
        lines = [server.name] + words
        reply = b''.join(b'250-%s\r\n' % x for x in lines[:-1]) + b'250 %s\r\n' % lines[-1]
        return [(C, b'EHLO %s\r\n' % client.name, 0), (S, reply, 0)]

    def greeting(self, server):
        return [(S, b'220 %s %s\r\n' % (server.name, server.banner), 0)]

    def deliver(self, server, client):
        rng = self.rng
        mail, rcpt = b'MAIL FROM:<a@sender.example>\r\n', b'RCPT TO:<b%d@receiver.example>\r\n' % rng.randrange(99)
        if server.way == 'greylisting' and client not in server.met:
            server.met.add(client)
            return [(C, mail, 0), (S, b'250 2.1.0 Ok\r\n', 0), (C, rcpt, 0),
                    (S, b'450 4.2.0 Greylisted, try again later\r\n', 0)]
        if b'PIPELINING' in server.words and rng.random() < .4:
            s = [(C, mail + rcpt + b'DATA\r\n', 0), (S, b'250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n', 0)]
        else:
            s = [(C, mail, 0), (S, b'250 2.1.0 Ok\r\n', 0), (C, rcpt, 0), (S, b'250 2.1.5 Ok\r\n', 0),
                 (C, b'DATA\r\n', 0), (S, b'354 End with a dot\r\n', 0)]
        return s + [(C, self.message(), 0), (S, b'250 2.0.0 Ok: queued\r\n', 0)]

    QUIT = [(C, b'QUIT\r\n', 0), (S, b'221 2.0.0 Bye\r\n', 0)]

    def smtp(self, server, client, port, t, outage):
        rng = self.rng
        if outage == '421':
            return [(S, b'421 4.3.2 %s down for maintenance\r\n' % server.name, 0)]
        s = self.greeting(server)
        if server.way == 'helo-only':
            s += [(C, b'EHLO %s\r\n' % client.name, 0), (S, b'502 5.5.2 Command not recognized\r\n', 0)]
        if server.way == 'helo-only' or (client.habit == 'helo' and port == 25):
            s += [(C, b'HELO %s\r\n' % client.name, 0), (S, b'250 %s\r\n' % server.name, 0)]
            return s + self.deliver(server, client) + self.QUIT
        offered = server.offers(client, port, t)
        s += self.ehlo(server, client, offered)
        r = rng.random()
        if r < .03:
            return s + self.QUIT                   # a monitoring probe
        if r < .05:
            return s + [(C, b'MAIL FROM:<x@spam.example>\r\n', 0), (S, b'550 5.7.1 Rejected\r\n', 0)] + self.QUIT
        if offered and (port == 587 or client.wants_tls(rng)):
            s.append((C, b'STARTTLS\r\n', 0))
            if outage == '454':
                return s + [(S, b'454 4.7.0 TLS not available due to local problem\r\n', 0)] + self.QUIT
            s.append((S, b'220 2.0.0 Ready to start TLS\r\n', 0))
            return s if r < .06 else s + self.over_tls(server, t, port)      # or looks whether it is there
        return s + (self.deliver(server, client) if port == 25 else []) + self.QUIT

    def lmtp(self, server, client):
        s = [(S, b'220 %s LMTP Dovecot ready\r\n' % server.name, 0), (C, b'LHLO %s\r\n' % client.name, 0),
             (S, b'250-%s\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 PIPELINING\r\n' % server.name, 0),
             (C, b'MAIL FROM:<a@sender.example>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\nDATA\r\n', 0),
             (S, b'250 2.1.0 OK\r\n250 2.1.5 OK\r\n250 2.1.5 OK\r\n354 OK\r\n', 0), (C, self.message(), 0),
             (S, b'250 2.0.0 <b> Saved\r\n250 2.0.0 <c> Saved\r\n', 0)]
        return s + self.QUIT

    # ---- mailboxes

    def imap(self, server, offered, t, outage):
        rng = self.rng
        if outage == '421':
            return [(S, b'* BYE down for maintenance\r\n', 0)]
        words = b'IMAP4rev1 SASL-IR ID IDLE LITERAL+ ' + (b'STARTTLS LOGINDISABLED' if offered else b'AUTH=SCRAM-SHA-256 AUTH=CRAM-MD5')
        s = [(S, b'* OK [CAPABILITY %s] %s ready\r\n' % (words, server.name), 0)]
        if rng.random() < .5:
            s += [(C, b'a0 CAPABILITY\r\n', 0), (S, b'* CAPABILITY %s\r\na0 OK done\r\n' % words, 0)]
        bye = [(C, b'a9 LOGOUT\r\n', 0), (S, b'* BYE logging out\r\na9 OK done\r\n', 0)]
        if offered:
            s.append((C, b'a1 STARTTLS\r\n', 0))
            if outage == '454':
                return s + [(S, b'a1 NO [UNAVAILABLE] TLS not available\r\n', 0)] + bye
            return s + [(S, b'a1 OK Begin TLS negotiation now\r\n', 0)] + self.over_tls(server, t, 143, True)
        s += [(C, b'a1 AUTHENTICATE SCRAM-SHA-256 biwsbj11c2VyLHI9clE=\r\n', 0), (S, b'+ cj1yUSxzPVc9PSxpPTQwOTY=\r\n', 0),
              (C, b'Yz1iaXdzLHI9clEscD1kSA==\r\n', 0), (S, b'+ dj02cnJpVFI=\r\n', 0), (C, b'\r\n', 0),
              (S, b'a1 OK [CAPABILITY IMAP4rev1 SORT IDLE] Logged in\r\n', 0), (C, b'a2 SELECT INBOX\r\n', 0),
              (S, b'* FLAGS (\\Seen)\r\n* 4 EXISTS\r\n* 0 RECENT\r\na2 OK [READ-WRITE] done\r\n', 0)]
        return s + bye

    def pop3(self, server, offered, t, outage):
        if outage == '421':
            return [(S, b'-ERR [SYS/TEMP] down for maintenance\r\n', 0)]
        s = [(S, b'+OK %s POP3 ready\r\n' % server.name, 0), (C, b'CAPA\r\n', 0),
             (S, b'+OK\r\nCAPA\r\nTOP\r\nUIDL\r\n%sSASL SCRAM-SHA-256\r\n.\r\n' % (b'STLS\r\n' if offered else b''), 0)]
        bye = [(C, b'QUIT\r\n', 0), (S, b'+OK bye\r\n', 0)]
        if offered:
            s.append((C, b'STLS\r\n', 0))
            if outage == '454':
                return s + [(S, b'-ERR [SYS/TEMP] TLS not available\r\n', 0)] + bye
            return s + [(S, b'+OK Begin TLS\r\n', 0)] + self.over_tls(server, t, 110)
        s += [(C, b'AUTH SCRAM-SHA-256 biwsbj11c2VyLHI9clE=\r\n', 0), (S, b'+ cj1yUSxzPVc9PSxpPTQwOTY=\r\n', 0),
              (C, b'Yz1iaXdzLHI9clEscD1kSA==\r\n', 0), (S, b'+ dj02cnJpVFI=\r\n', 0), (C, b'\r\n', 0),
              (S, b'+OK Logged in\r\n', 0), (C, b'STAT\r\n', 0), (S, b'+OK 0 0\r\n', 0)]
        return s + bye

    def sieve(self, server, t, outage):
        if outage == '421':
            return [(S, b'BYE "down for maintenance"\r\n', 0)]
        s = [(S, b'"IMPLEMENTATION" "Pigeonhole"\r\n"SIEVE" "fileinto reject"\r\n"SASL" ""\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\n'
              b'OK "%s ready."\r\n' % server.name, 0), (C, b'STARTTLS\r\n', 0)]
        if outage == '454':
            return s + [(S, b'NO (TRYLATER) "TLS not available"\r\n', 0), (C, b'LOGOUT\r\n', 0), (S, b'OK "bye"\r\n', 0)]
        return s + [(S, b'OK "Begin TLS"\r\n', 0)] + self.over_tls(server, t, 4190)

    @staticmethod
    def may_end_any_way(script):
        """Where the odd ends of connections, which speak of a mailbox, are not odd themselves: inside TLS, after QUIT."""
        return script[-1][1].startswith((b'\x15', b'221 '))

    def session(self, server, client, port, t):
        """None: nobody answers, or the port is closed."""
        outage = server.outage(t)
        if outage in ('refuses', 'silent'):
            return None
        if port in (465, 993, 995):
            return self.over_tls(server, t, port, port == 993)
        if port == 24:
            return self.lmtp(server, client)
        if port in (25, 587):
            return self.smtp(server, client, port, t, outage)
        if port == 4190:
            return self.sieve(server, t, outage)
        say = self.imap if port == 143 else self.pop3
        return say(server, server.offers(client, port, t), t, outage)
