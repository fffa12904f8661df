#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transports of the feeds against real receivers, which break and come back,
while the sender is killed with -9 and started anew.

    transports.py [--count N] [--breaks N] [--kills N] [--sensor] [--only WORD]
                  [--figures]

Each received message is compared with what was sent, byte by byte.
"""
import argparse
import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

from feed_sender import SEND, Sensor, Transport
from receivers import ROOT, Kafka, Rsyslog, SyslogNg, Unix, bound, free_port, wait_for

CLONE_NEWNET = 0x40000000
passed = failed = 0


def check(ok, name, detail=''):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f'FAIL {name}: {detail}', flush=True)


NUMBER = re.compile(rb'\{"n":(\d+),')
HEADER = re.compile(rb'<\d+>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d) \S+ stripwire \d+ \S+ - $')


def judge(lines, body):
    """Numbers that arrived whole, how often more than once, and what is none
    of our messages. A receiver that was killed may have left the beginning of
    a message, which then stands before another one."""
    have, twice, odd = set(), 0, []
    for line in lines:
        found = list(NUMBER.finditer(line))
        start = found[-1].start() if found else len(line)
        n = int(found[-1][1]) if found else -1
        head, whole = line[:start], found and line[start:] == body(n)
        cut = max(head.rfind(b'<'), 0)
        if HEADER.match(head[cut:]):
            head = head[:cut]
        if whole and beginning(head, body):
            twice += n in have
            have.add(n)
        elif not beginning(line, body):
            odd.append(line[:300])
    return have, twice, odd


def beginning(part, body):
    """Of a message, with or without a header, or nothing."""
    found = NUMBER.search(part)
    if found is None:
        return len(part) < 120
    return body(int(found[1])).startswith(part[found.start():])


# ---- certificates ----

def openssl(*argv):
    subprocess.run(['openssl', *argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def authority(d, name):
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650',
            '-subj', f'/CN={name}', '-keyout', f'{d}/{name}.key', '-out', f'{d}/{name}.pem')


def certificate(d, name, san, ca='ca', expired=False):
    with open(f'{d}/{name}.ext', 'w') as f:
        f.write(f'subjectAltName={san}\n')
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}',
            '-keyout', f'{d}/{name}.key', '-out', f'{d}/{name}.csr')
    work = f'{d}/{name}.d'
    os.mkdir(work)
    open(f'{work}/index', 'w').close()
    with open(f'{work}/cnf', 'w') as f:
        f.write(f'[ca]\ndefault_ca=x\n[x]\ndatabase={work}/index\nnew_certs_dir={work}\nrand_serial=yes\n'
                f'default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n')
    start, end = ('20200101000000Z', '20210101000000Z') if expired else ('20240101000000Z', '20491231000000Z')
    openssl('ca', '-batch', '-notext', '-config', f'{work}/cnf', '-cert', f'{d}/{ca}.pem', '-keyfile', f'{d}/{ca}.key',
            '-startdate', start, '-enddate', end, '-extfile', f'{d}/{name}.ext', '-in', f'{d}/{name}.csr', '-out', f'{d}/{name}.pem')


def certificates(d):
    os.mkdir(d)
    authority(d, 'ca')
    authority(d, 'stranger')
    certificate(d, 'server', 'DNS:localhost,IP:127.0.0.1')
    certificate(d, 'expired', 'DNS:localhost,IP:127.0.0.1', expired=True)
    certificate(d, 'other', 'DNS:siem.example.org,DNS:log.example.org')
    certificate(d, 'client', 'DNS:sensor.example.org')
    certificate(d, 'intruder', 'DNS:sensor.example.org', ca='stranger')
    with open(f'{d}/password', 'w') as f:
        f.write('geheim\n')
    openssl('ec', '-in', f'{d}/client.key', '-aes128', '-passout', 'pass:geheim', '-out', f'{d}/locked.key')
    return d


# ---- what is said of mistakes and refusals ----

def send(kind, *args, seconds=30):
    """feedsend's lines, the last one as an object."""
    r = subprocess.run([SEND, kind, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
    *said, last = r.stdout.decode().splitlines()
    return said, json.loads(last)


def says(name, pattern, kind, *args, ends=False):
    """ends: what is wrong does so after a while."""
    said, r = send(kind, 'tries=1', *args)
    text = ' | '.join(said)
    check(r['done'] == ends and re.search(pattern, text), name, f'{text!r} instead of {pattern!r}')
    check(all(len(s) <= 299 for s in said) and 'geheim' not in text, f'{name}: a sentence without secrets', text)


class Tls:
    """openssl s_server: a certificate, or options of its own."""
    def __init__(self, certs, name, *more):
        self.port = free_port()
        self.p = subprocess.Popen(['openssl', 's_server', '-quiet', '-accept', f'127.0.0.1:{self.port}', '-cert', f'{certs}/{name}.pem',
                                   '-key', f'{certs}/{name}.key', *more],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: bound(self.port, False), 20, 's_server does not begin')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()


class Stub:
    """Accepts; `talk` has each connection."""
    def __init__(self, talk):
        self.s = socket.socket()
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.s.bind(('127.0.0.1', 0))
        self.s.listen(20)
        self.port, self.talk, self.held = self.s.getsockname()[1], talk, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.s.accept()
            except OSError:
                return
            self.held.append(c)
            threading.Thread(target=self.talk, args=(c,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for c in [self.s, *self.held]:
            c.close()


def tls_mistakes(certs):
    ca, at = f'ca_file={certs}/ca.pem', 'host=127.0.0.1'
    for version in ['-tls1_2', '-tls1_3']:
        with Tls(certs, 'server', version) as s:
            port = f'port={s.port}'
            _, r = send('tls', at, port, ca)
            check(r['done'], f'TLS by address {version}', r)
            _, r = send('tls', 'host=localhost', port, ca)
            check(r['done'], f'TLS by name {version}', r)
            says('a stranger\'s authority', r'issued by ca, leads to no authority in .*stranger\.pem: put', 'tls', at, port,
                 f'ca_file={certs}/stranger.pem')
            says('no authority of the system', r'leads to no authority in the system\'s store', 'tls', at, port)
            says('wrong name', r'is for localhost, 127\.0\.0\.1, not for siem\.example\.net: set server_name', 'tls', at, port, ca,
                 'peer_name=siem.example.net')
        with Tls(certs, 'expired', version) as s:
            says('expired', r'the certificate of 127\.0\.0\.1:\d+ expired on 2021-01-01 00:00 UTC: renew', 'tls', at, f'port={s.port}', ca)
        with Tls(certs, 'other', version) as s:
            says('an address that is not in it', r'is for siem\.example\.org, log\.example\.org, not for 127\.0\.0\.1', 'tls', at,
                 f'port={s.port}', ca)
            _, r = send('tls', at, f'port={s.port}', ca, 'peer_name=log.example.org')
            check(r['done'], 'peer_name', r)
        with Tls(certs, 'server', version, '-CAfile', f'{certs}/ca.pem', '-Verify', '3', '-verify_return_error') as s:
            port = f'port={s.port}'
            says('no client certificate', r'wants a client certificate .*: set cert_file and key_file', 'tls', at, port, ca)
            says('a stranger\'s client certificate', r'refused the client certificate .*intruder\.pem', 'tls', at, port, ca,
                 f'cert_file={certs}/intruder.pem', f'key_file={certs}/intruder.key')
            _, r = send('tls', at, port, ca, f'cert_file={certs}/client.pem', f'key_file={certs}/client.key')
            check(r['done'], f'client certificate {version}', r)
    with Tls(certs, 'server', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0') as s:
        says('old TLS', r'has no TLS 1\.2 or 1\.3', 'tls', at, f'port={s.port}', ca)
    tls_files(certs, at, ca)


def tls_files(certs, at, ca):
    own = f'cert_file={certs}/client.pem'
    says('key of another', r'key_file .*server\.key is not the key', 'tls', at, 'port=1', ca, own, f'key_file={certs}/server.key')
    says('key with a passphrase', r'has a passphrase', 'tls', at, 'port=1', ca, own, f'key_file={certs}/locked.key')
    says('no such ca_file', r'ca_file /nonexistent cannot be read: No such file', 'tls', at, 'port=1', 'ca_file=/nonexistent')
    says('ca_file without a certificate', r'holds no certificate in PEM', 'tls', at, 'port=1', f'ca_file={certs}/client.key')
    says('key alone', r'without cert_file', 'tls', at, 'port=1', ca, f'key_file={certs}/client.key')
    with Stub(lambda c: (c.sendall(b'220 mail ESMTP\r\n'), c.recv(1))) as s:
        says('not TLS', r'does not speak TLS', 'tls', at, f'port={s.port}', ca)
    with Stub(lambda c: time.sleep(60)) as s:
        says('TLS that does not answer', r'does not answer in TLS', 'tls', at, f'port={s.port}', ca, 'timeout_ms=500')


def net_mistakes(folder):
    port = free_port()
    says('refused', r'cannot connect to 127\.0\.0\.1:\d+: Connection refused; is the receiver running', 'tcp', 'host=127.0.0.1', f'port={port}')
    says('no such name', r'the name nosuch\.invalid (is not known|cannot be looked up)', 'tcp', 'host=nosuch.invalid', 'port=514')
    says('no host', r'no address is set', 'udp', 'port=514')
    says('no port', r'no port is set', 'tcp', 'host=127.0.0.1')
    says('no path', r'no path is set', 'unix')
    says('long path', r'at most 107 bytes', 'unix', 'path=/' + 'x' * 200)
    says('no socket', r'cannot connect to .*/nothing: No such file', 'unix', f'path={folder}/nothing')
    said, r = send('udp', 'host=127.0.0.1', f'port={free_port(socket.SOCK_DGRAM)}', 'count=200')
    check('refused a datagram' in ' '.join(said) and r['failed'] >= 100, 'a closed UDP port is told and counted', (said, r))
    said, r = send('udp', 'host=127.0.0.1', f'port={port}', 'count=1', 'size=70000')
    check('does not fit into a datagram' in ' '.join(said) and r['failed'] == 1, 'a message too large for a datagram', (said, r))


# A Kafka broker that knows SASL and says no: Kafka's protocol guide, requests
# ApiVersions (18), SaslHandshake (17), SaslAuthenticate (36).
def refuse_sasl(c):
    def read(n):
        b = b''
        while len(b) < n:
            more = c.recv(n - len(b))
            if not more:
                raise OSError
            b += more
        return b

    def text(s):
        return len(s).to_bytes(2, 'big') + s
    try:
        while True:
            req = read(int.from_bytes(read(4), 'big'))
            api, version, tag = int.from_bytes(req[0:2], 'big'), int.from_bytes(req[2:4], 'big'), req[4:8]
            if api == 18:
                apis = b''.join(k.to_bytes(2, 'big') + bytes(2) + v.to_bytes(2, 'big') for k, v in [(18, 0), (17, 1), (36, 1), (3, 4), (0, 7)])
                body = b'\0\0' if version == 0 else b'\0\x23'
                body += (5).to_bytes(4, 'big') + apis
            elif api == 17:
                body = b'\0\0' + (1).to_bytes(4, 'big') + text(b'PLAIN')
            else:
                body = (58).to_bytes(2, 'big') + text(b'Authentication failed: Invalid username or password') + (0).to_bytes(4, 'big')
                body += bytes(8) if version > 0 else b''
            c.sendall((len(body) + 4).to_bytes(4, 'big') + tag + body)
    except OSError:
        pass


def kafka_mistakes(folder):
    k, topic = 'brokers=127.0.0.1:1', 'topic=events'
    says('an option that is none', r'sasl\.passwrd is no option of librdkafka', 'kafka', k, topic, 'option=sasl.passwrd=geheim')
    says('a wrong value', r'does not accept the value of security\.protocol: ', 'kafka', k, topic, 'option=security.protocol=tls')
    says('an option without a value', r'name=value', 'kafka', k, topic, 'option=linger.ms')
    says('acks', r'acks cannot be set: the feed waits', 'kafka', k, topic, 'option=acks=1')
    says('foreign code', r'cannot be set: a sensor loads no foreign code', 'kafka', k, topic, 'option=plugin.library.paths=x')
    says('no topic', r'no topic is set', 'kafka', k)
    says('a topic that is no name', r'is no name for Kafka', 'kafka', k, 'topic=a/b')
    says('no brokers', r'no brokers are set', 'kafka', topic)
    says('brokers that are not there', r'the brokers 127\.0\.0\.1:1 cannot be reached: .*Connection refused', 'kafka', k, topic)
    says('brokers without a name', r'have a name that is not known|cannot be reached', 'kafka', 'brokers=nosuch.invalid:9092', topic)
    with Stub(refuse_sasl) as s:
        says('refused SASL', r'refuse the feed\'s user: check sasl\.mechanism, sasl\.username and the password .*Invalid username', 'kafka',
             f'brokers=127.0.0.1:{s.port}', topic, 'option=security.protocol=sasl_plaintext', 'option=sasl.mechanism=PLAIN',
             'option=sasl.username=sensor', 'option=sasl.password=geheim')
    r = Kafka(folder + '/mistakes')
    r.start()
    try:
        at = f'brokers={r.brokers}'
        for code, pattern in [(10, r'the topic events at .* takes no message so large'), (44, r'refuses the message by a rule'),
                              (29, r'may not be written by this user')]:
            r.say(f'produce-error {code} 3')
            says(f'a message that is refused ({code})', pattern, 'kafka', at, topic, 'count=2', ends=True)
            r.say(f'produce-error {code} 0')
        for code, pattern in [(56, r'cannot be written by its broker: is the broker.s disk full'), (19, r'fewer replicas in sync')]:
            r.say(f'produce-error {code} 6')
            says(f'a topic that is full ({code})', pattern, 'kafka', at, topic, 'count=2', 'timeout_ms=20000', 'option=retries=2', ends=True)
            r.say(f'produce-error {code} 0')
        r.say('topic-error events 3')
        says('unknown topic', r'the topic events at .* does not exist: create it', 'kafka', at, topic, 'timeout_ms=1500')
        r.say('topic-error events 0')
        said, done = send('kafka', at, topic, 'count=100')
        check(done['done'] and done['arrived'] == 100, 'and afterwards all is well', (said, done))
    finally:
        r.stop()


# ---- a receiver that accepts and never reads ----

def stalled():
    with Stub(lambda c: time.sleep(120)) as s:
        says_stall('tcp', s.port)


def says_stall(kind, port):
    p = subprocess.Popen([SEND, kind, 'host=127.0.0.1', f'port={port}', 'count=200000', 'timeout_ms=700', 'resend=1000'],
                         stdout=subprocess.PIPE)
    lines = [p.stdout.readline().decode().strip()]
    with open(f'/proc/{p.pid}/status') as f:
        peak = int(re.search(r'VmHWM:\s+(\d+)', f.read())[1])
    p.kill()
    p.wait()
    check('accepts the connection but has read nothing for 0 s' in lines[0], 'a receiver that never reads is told', lines)
    check(peak < 40000, 'and costs bounded memory', f'{peak} KiB')


# ---- all arrives ----

class Progress:
    """How many different messages have arrived."""
    def __init__(self, receiver):
        self.receiver, self.have, self.at = receiver, set(), 0

    def count(self):
        lines = self.receiver.lines()
        for line in lines[self.at:]:
            self.have.update(int(n) for n in NUMBER.findall(line))
        self.at = len(lines)
        return len(self.have)


def disturbed(a, name, receiver, sender, breaks=None, loses=False):
    """Breaks the receiver and kills the sender, in turn, each when so much
    more has arrived. The sender may be a.resend / 2 ahead of that: a receiver
    that is killed takes with it what it has not written yet."""
    down, up = breaks or (receiver.kill, receiver.start)
    events = [('break', i) for i in range(a.breaks)] + [('kill', i) for i in range(a.kills)]
    events.sort(key=lambda e: ((e[1] + 0.5) / (a.breaks if e[0] == 'break' else a.kills), e[0]))
    progress, t0 = Progress(receiver), time.monotonic()
    for i, (what, _) in enumerate(events):
        goal = a.count * (i + 1) // (len(events) + 2)
        sender.allow(goal + a.resend // 2)
        least = goal // 2 if loses else goal
        wait_for(lambda: progress.count() >= least, a.patience,
                 lambda: f'{name}: {progress.count()} of {goal} have arrived; {sender.said()[-3:]} {sender.state()}')
        if what == 'break':
            down()
            time.sleep(a.hold)
            up()
        else:
            sender.kill()
            sender.start()
    sender.allow(a.count)
    sender.finish(a.patience, lambda: settle(receiver, a.count, a.quiet))
    return time.monotonic() - t0


def settle(receiver, count, quiet=3):
    """Until all is there, or nothing has come for so many seconds."""
    progress, last, t = Progress(receiver), -1, time.monotonic()
    while progress.count() < count and time.monotonic() - t < quiet:
        if progress.at != last:
            last, t = progress.at, time.monotonic()
        time.sleep(0.05)


def certain(a, name, receiver, sender, breaks=None, loses=False):
    name += ', whole sensor' if a.sensor else ''
    try:
        took = disturbed(a, name, receiver, sender, breaks, loses)
        settle(receiver, a.count)
        have, twice, odd = judge(receiver.lines(), sender.body)
        want = set(range(1, a.count + 1))
        missing = want - have
        if not loses:
            check(not missing, f'{name}: nothing missing', f'{len(missing)} missing, first {sorted(missing)[:5]}; {sender.said()[-6:]}')
        check(not odd, f'{name}: each as it was sent', f'{len(odd)} odd: {odd[:3]}')
        check(have <= want, f'{name}: nothing else', sorted(have - want)[:5])
        if a.figures:
            print(f'{name}: {len(have)} of {a.count} arrived, {len(missing)} missing, {twice} twice, {a.breaks} breaks, {a.kills} kills, '
                  f'{took:.1f} s; {sender.figures()}', flush=True)
    finally:
        sender.end()
        receiver.stop()


def sender(a, folder, kind, **o):
    """A transport alone, or a sensor: the same options, written as each has
    them."""
    if not a.sensor:
        o = {{'socket': 'path'}.get(k, k): v for k, v in o.items()}
        return Transport(folder, kind, a.count, f'resend={a.resend}', *[f'{k}={v}' for k, v in o.items()])
    lines = [f'type: {"unix" if kind == "datagram" else kind}']
    if kind == 'datagram':
        lines += ['socket: datagram']
    if 'host' in o:
        lines += [f'address: "{o.pop("host")}:{o.pop("port")}"']
    return Sensor(folder, f'{kind}-{time.monotonic_ns()}', a.count, *lines, *[f'{k}: "{v}"' for k, v in o.items()])


def wanted(a, name):
    return not a.only or a.only in name


def syslog(a, folder, certs):
    for kind in (Rsyslog, SyslogNg):
        for transport in ('tcp', 'tls'):
            if not wanted(a, f'{kind.program} {transport}'):
                continue
            r = kind(folder, transport, certs, transport == 'tls')
            r.start()
            o = {'host': '127.0.0.1', 'port': r.port}
            if transport == 'tls':
                o.update(ca_file=f'{certs}/ca.pem', cert_file=f'{certs}/client.pem', key_file=f'{certs}/client.key')
            certain(a, f'{r.program} {transport}', r, sender(a, folder, transport, **o))
        if wanted(a, f'{kind.program} udp'):
            udp(a, kind, folder)


def udp(a, kind, folder):
    r = kind(folder, 'udp')
    r.start()
    if a.sensor:
        certain(a, f'{r.program} udp', r, sender(a, folder, 'udp', host='127.0.0.1', port=r.port), loses=True)
        return
    try:  # no break: what fits into the receiver's buffer arrives
        said, done = send('udp', 'host=127.0.0.1', f'port={r.port}', 'count=800')
        settle(r, 800)
        have, twice, odd = judge(r.lines(), Transport.body)
        check(have == set(range(1, 801)) and not odd and not twice, f'{r.program} udp', (len(have), twice, odd[:2], said))
        check(done['sent'] == 800 and done['failed'] == 0, f'{r.program} udp: counted', done)
        r.kill()
        said, done = send('udp', 'host=127.0.0.1', f'port={r.port}', 'count=400')
        check(done['failed'] >= 200 and done['sent'] + done['failed'] == 400, f'{r.program} udp: failures counted', (said, done))
    finally:
        r.stop()


def sockets(a, folder):
    for kind, name in (('unix', 'unix stream'), ('datagram', 'unix datagram')):
        if not wanted(a, name):
            continue
        r = Unix(folder, kind == 'datagram')
        r.start()
        certain(a, name, r, sender(a, folder, kind, path=r.path), loses=kind == 'datagram')


def kafka(a, folder):
    if not wanted(a, 'kafka'):
        return
    r = Kafka(folder)
    r.start()
    certain(a, 'kafka', r, sender(a, folder, 'kafka', brokers=r.brokers, topic=r.topic), breaks=(r.break_all, r.mend_all))


def mistakes(a, folder, certs):
    if not wanted(a, 'mistakes') or a.sensor:
        return
    os.mkdir(folder + '/mistakes')
    tls_mistakes(certs)
    net_mistakes(folder)
    kafka_mistakes(folder)
    stalled()


# ---- the whole sensor ----

def sensor_says(folder, name, pattern, *options, count=1):
    """One line in the log and the same in the feed's row; the rest goes on."""
    s = Sensor(folder, f'says-{name}', count, 'timeout: 2', *options)
    try:
        s.allow(count)
        line = [None]

        def said():
            line[0] = re.search(r'feed siem: (.*); events wait, and it is tried again', s.text())
            return line[0] is not None and re.search(pattern, s.row()[4])
        wait_for(said, 60, lambda: f'{name}: {s.said()[-3:]} {s.row()}')
        text = line[0][1]
        check(re.search(pattern, text), f'sensor: {name}', (text, s.row()))
        check('geheim' not in s.text() and s.row()[0] == 0, f'sensor: {name}: without secrets, nothing passed', s.row())
        peak = json.loads(s.figures())['peak_mib']
        check(s.p.poll() is None and peak < 150, f'sensor: {name}: goes on, bounded', f'{peak} MiB')
    finally:
        s.end()


def sensor_mistakes(certs, folder):
    with Tls(certs, 'other', '-tls1_3') as t:
        sensor_says(folder, 'wrong name', r'is for siem\.example\.org, log\.example\.org, not for 127\.0\.0\.1', 'type: tls',
                    f'address: 127.0.0.1:{t.port}', f'ca_file: {certs}/ca.pem')
    with Stub(refuse_sasl) as t:
        sensor_says(folder, 'refused SASL', r'refuse the feed.s user: check sasl', 'type: kafka', f'brokers: 127.0.0.1:{t.port}',
                    'topic: events', f'sasl_password_file: {certs}/password', 'options:', '  security.protocol: sasl_plaintext',
                    '  sasl.mechanism: PLAIN', '  sasl.username: sensor')
    with Stub(lambda c: time.sleep(120)) as t:
        sensor_says(folder, 'never reads', r'accepts the connection but has read nothing for 2 s|takes nothing any more: is it hanging', 'type: tcp',
                    f'address: 127.0.0.1:{t.port}', count=30000)


def sensor_again(folder):
    """What is sent again after a kill is counted as that."""
    r = Unix(folder, False)
    r.start()
    s = Sensor(folder, 'again', 1000, 'type: unix', f'path: {r.path}')
    try:
        s.allow(1000)
        wait_for(lambda: s.query("SELECT highest FROM feeds WHERE name = 'siem'") == (1000,), 60, lambda: f'highest: {s.row()}')
        s.kill()
        s.start()
        wait_for(lambda: s.row()[1] >= 2000, 60, lambda: f'sent again: {s.row()}')
        check(s.row()[1:3] == (2000, 1000), 'sensor: again after a kill', s.row())
    finally:
        s.end()
        r.stop()


def whole_sensor(a, folder, certs):
    """The rest is the same code in the same program: two of them are enough,
    --sensor does all."""
    if a.only or a.sensor:
        return
    sensor_mistakes(certs, folder)
    again = f'{folder}/killed'
    os.mkdir(again)
    os.chmod(again, 0o755)
    sensor_again(again)
    a = argparse.Namespace(**{**vars(a), 'sensor': True, 'count': 3000, 'breaks': 1, 'kills': 1, 'resend': 1000})
    again = f'{folder}/again'
    os.mkdir(again)
    os.chmod(again, 0o755)
    a.only = 'syslog-ng tls'
    syslog(a, again, certs)
    a.only = 'kafka'
    kafka(a, again)


def alone():
    """A network of our own: loopback, and an interface without traffic."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit(f'no network namespace: {os.strerror(ctypes.get_errno())}; run this as root')
    for cmd in ('link set lo up', 'link add quiet0 type veth peer name quiet1', 'link set quiet0 up'):
        subprocess.run(['ip', *cmd.split()], check=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--count', type=int, default=6000)
    p.add_argument('--breaks', type=int, default=2)
    p.add_argument('--kills', type=int, default=2)
    p.add_argument('--resend', type=int, default=2000, help='messages')
    p.add_argument('--patience', type=int, default=60, help='seconds without what is expected')
    p.add_argument('--quiet', type=int, default=20, help='seconds without anything: the sensor has sent all')
    p.add_argument('--hold', type=float, default=0.3, help='seconds between break and repair')
    p.add_argument('--sensor', action='store_true', help='the whole sensor, not the transport alone')
    p.add_argument('--only', default='')
    p.add_argument('--figures', action='store_true')
    a = p.parse_args()
    subprocess.run([f'{ROOT}/tests/receivers.sh'], check=True)
    alone()
    folder = tempfile.mkdtemp(prefix='transports-')
    os.chmod(folder, 0o755)
    try:
        certs = certificates(folder + '/certs')
        for part in (lambda: mistakes(a, folder, certs), lambda: sockets(a, folder), lambda: syslog(a, folder, certs),
                     lambda: kafka(a, folder), lambda: whole_sensor(a, folder, certs)):
            try:
                part()
            except (TimeoutError, RuntimeError, subprocess.SubprocessError) as e:
                check(False, 'to the end', str(e)[:1000])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f'{passed} passed, {failed} failed')
    sys.exit(failed != 0)


if __name__ == '__main__':
    main()
