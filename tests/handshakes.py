#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real TLS handshakes, and what the decoder makes of them.

    handshakes.py [-v] [--only REGEX]

`openssl s_server` and `openssl s_client` shake hands over the loopback interface; what they say to each other is
kept and written as captures: from the first byte on the ports for TLS, and behind STARTTLS and STLS, in segments of
1440 bytes, of one byte and of 7; and with the records themselves cut to 5 bytes, or joined to the longest. Every
capture must show what the case asks for, and all of one case the same.
"""
import argparse
import base64
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, 'tools'))
from make_capture import Capture, record  # noqa: E402

OBSERVE = os.path.join(HERE, '..', 'build', 'release', 'tools', 'observe')

# name: what the server and the client are told (a list for each session), and what must be seen of the last session, in
# this order; '!' in front: must not be seen
CASES = {
    'tls12': ('-tls1_2', ['-tls1_2 -servername mx.test -alpn smtp'],
              ['client-hello .*version=0303 .*sni="mx.test" alpn="smtp"', 'server-hello .*version=0303 suite=c0',
               'cert .*server count=2', 'key-exchange .*ecdh bits=', 'done .*version=0303 .*said=08']),
    'tls13': ('-tls1_3', [''],
              ['client-hello .*version=0304 .*offers_13', 'server-hello .*version=0304 suite=130. group=001d',
               '!cert', '!key-exchange', 'done .*version=0304 .*flight=[0-9]{4}', 'appdata']),
    'ticket': ('-tls1_2', ['-sess_out SESS', '-sess_in SESS'],
               ['client-hello .*ticket=2', 'server-hello .*resumed', '!cert', 'done .*resumed']),
    'session-id': ('-tls1_2 -no_ticket', ['-no_ticket -sess_out SESS', '-no_ticket -sess_in SESS'],
                   ['client-hello .*sid=32', '!ticket=2', 'server-hello .*resumed sid=32', '!cert', 'done .*resumed']),
    'psk': ('-tls1_3', ['-sess_out SESS', '-sess_in SESS'],
            ['client-hello .*psk', 'server-hello .*resumed psk', '!cert', 'done .*resumed']),
    'early-data': ('-tls1_3 -early_data', ['-sess_out SESS', '-sess_in SESS -early_data EARLY'],
                   ['client-hello .*early_data psk', 'server-hello .*resumed psk', 'done .*resumed', '!flight=']),
    'retry': ('-tls1_3 -groups P-384', ['-groups X25519:P-384'],
              ['client-hello .*groups=001d,0018 shares=001d', 'server-hello .*group=0018 .*retry',
               'client-hello .*shares=0018', 'server-hello .*version=0304 suite=130. group=0018 sid', 'done']),
    'client-certificate': ('-tls1_2 -Verify 1', ['-cert CLIENT -key CLIENT'],
                           ['cert .*server count=2', 'cert .*client count=1', 'done .*said=0e']),
    'no-client-certificate': ('-tls1_2 -verify 1', [''],
                              ['cert .*server count=2', 'cert .*client count=0', 'done .*said=0a']),
    'staple': ('-tls1_2 -status_file STAPLE', ['-status'], ['cert .*server count=2', 'done .*said=09']),
    'time-stamps': ('-tls1_2 -serverinfo SCTS', ['-serverinfo 18'],
                    ['client-hello .*exts=[0-9a-f,]*0012', 'server-hello .*scts=2 .*exts=[0-9a-f,]*0012',
                     'cert .*server count=2 .*scts=2']),
    'weak-dh': ('-tls1_2 -cipher ADH-AES128-SHA:@SECLEVEL=0', ['-tls1_2 -cipher ADH-AES128-SHA:@SECLEVEL=0'],
                ['server-hello .*suite=0034', '!cert', 'key-exchange .*dh bits=1024', 'done']),
    'dh': ('-tls1_2', ['-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256'],
           ['server-hello .*suite=009e', 'cert .*server', 'key-exchange .*dh bits=2048', 'done']),
    'anonymous': ('-tls1_2 -cipher aNULL:@SECLEVEL=0', ['-cipher aNULL:@SECLEVEL=0'],
                  ['server-hello .*suite=00', '!cert', 'key-exchange', 'done']),
    'rsa': ('-tls1_2 -cipher AES128-SHA:@SECLEVEL=0', ['-cipher AES128-SHA:@SECLEVEL=0'],
            ['server-hello .*suite=002f', 'cert', '!key-exchange', 'done']),
    'tls10': ('-tls1 -cipher ALL:@SECLEVEL=0', ['-tls1 -cipher ALL:@SECLEVEL=0'],
              ['client-hello .*version=0301', 'server-hello .*version=0301', 'done .*version=0301']),
    'tls11': ('-tls1_1 -cipher ALL:@SECLEVEL=0', ['-tls1_1 -cipher ALL:@SECLEVEL=0'],
              ['server-hello .*version=0302', 'done .*version=0302']),
    'fallback': ('-tls1_2', ['-fallback_scsv'], ['client-hello .*fallback_scsv', 'server-hello', 'done']),
    'sentinel': ('-no_tls1_1', ['-tls1_2'], ['client-hello .*version=0303', 'server-hello .*sentinel=1', 'done']),
    'refused-version': ('-tls1_3', ['-tls1_2'], ['client-hello', '!server-hello', 'alert s2c .*level=2 description=70', '!done']),
    'refused-suites': ('-tls1_2 -cipher AES128-SHA256', ['-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384'],
                       ['client-hello', 'alert s2c .*level=2 description=40', '!done']),
    'refused-certificate': ('-tls1_2', ['-CAfile CLIENT -verify_return_error -verify 3'],
                            ['cert .*server count=2', 'alert c2s .*level=2 description=48', '!done']),
}

PREFIX = {
    143: 'S: * OK IMAP4rev1 ready\nC: a CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: a OK\nC: b STARTTLS\nS: b OK go',
    25: 'S: 220 mx ESMTP\nC: EHLO c\nS: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go',
    110: 'S: +OK ready\nC: CAPA\nS: +OK\nS: STLS\nS: .\nC: STLS\nS: +OK go',
    4190: 'S: "STARTTLS"\nS: OK\nC: STARTTLS\nS: OK',
    993: '', 465: '', 995: '',
}


def run(*cmd, **kw):
    return subprocess.run(cmd, check=True, capture_output=True, text=True, **kw)


def make_files(d):
    """Keys, certificates, a stapled response, time stamps; returns what stands for them in CASES."""
    x = lambda name: os.path.join(d, name)  # noqa: E731
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', x('ca.key'), '-out', x('ca.pem'),
        '-subj', '/CN=Handshake CA', '-days', '2')
    for name in ('mx', 'client'):
        run('openssl', 'req', '-newkey', 'rsa:2048', '-nodes', '-keyout', x(name + '.key'), '-out', x(name + '.csr'),
            '-subj', '/CN=' + name + '.test')
        run('openssl', 'x509', '-req', '-in', x(name + '.csr'), '-CA', x('ca.pem'), '-CAkey', x('ca.key'),
            '-set_serial', '77', '-days', '1', '-out', x(name + '.pem'))
    with open(x('client.pem'), 'a') as f:
        f.write(open(x('client.key')).read())
    open(x('index'), 'w').write('V\t301231000000Z\t\t4D\tunknown\t/CN=mx.test\n')
    run('openssl', 'ocsp', '-index', x('index'), '-rsigner', x('ca.pem'), '-rkey', x('ca.key'), '-CA', x('ca.pem'),
        '-issuer', x('ca.pem'), '-cert', x('mx.pem'), '-respout', x('staple'), '-ndays', '2', '-noverify')
    stamps = b''.join(len(s).to_bytes(2, 'big') + s for s in (b'1' * 119, b'2' * 118))
    body = len(stamps).to_bytes(2, 'big') + stamps
    info = b'\x00\x12' + len(body).to_bytes(2, 'big') + body
    open(x('scts'), 'w').write('-----BEGIN SERVERINFO FOR TLSv1.2-----\n' + base64.encodebytes(info).decode() +
                               '-----END SERVERINFO FOR TLSv1.2-----\n')
    open(x('early'), 'w').write('a1 NOOP\r\n')
    return {'SESS': x('sess'), 'CLIENT': x('client.pem'), 'STAPLE': x('staple'), 'SCTS': x('scts'),
            'EARLY': x('early')}


def words(text, files):
    return [files.get(w, w) for w in text.split()]


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def connect(port):
    for _ in range(6000):
        try:
            return socket.create_connection(('127.0.0.1', port))
        except ConnectionRefusedError:
            time.sleep(.05)
    sys.exit(f'handshakes.py: nobody listens on port {port}')


def relay(listener, port, client):
    """One connection of the client's, passed on to the server. Returns [(side, bytes), ...]."""
    listener.settimeout(300)
    c, _ = listener.accept()
    s = connect(port)
    said, open_ = [], {c, s}
    while open_:
        ready, _, _ = select.select(list(open_), [], [], 300)
        if not ready:
            break
        for from_ in ready:
            try:
                data = from_.recv(65536)
            except ConnectionResetError:
                data = b''
            to = s if from_ is c else c
            if data:
                said.append(('C' if from_ is c else 'S', data))
                to.sendall(data)
                continue
            open_.discard(from_)
            try:
                to.shutdown(socket.SHUT_WR)
            except OSError:
                open_.discard(to)
    c.close()
    s.close()
    client.wait(300)
    return said


def handshake(d, server, clients, files):
    """What the last of the clients and the server say."""
    port = free_port()
    cmd = ['openssl', 's_server', '-quiet', '-accept', f'127.0.0.1:{port}', '-cert', os.path.join(d, 'mx.pem'), '-key',
           os.path.join(d, 'mx.key'), '-cert_chain', os.path.join(d, 'ca.pem')] + words(server, files)
    with open(os.path.join(d, 'err'), 'w') as err:
        srv = subprocess.Popen(cmd, stdin=subprocess.PIPE, stdout=err, stderr=err)
    try:
        connect(port).close()
        with socket.socket() as listener:
            listener.bind(('127.0.0.1', 0))
            listener.listen()
            if os.path.exists(files['SESS']):
                os.remove(files['SESS'])
            for client in clients:
                at = listener.getsockname()[1]
                p = subprocess.Popen(['openssl', 's_client', '-connect', f'127.0.0.1:{at}'] + words(client, files),
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                threading.Thread(target=talk, args=(p, files['SESS'] if 'sess_out' in client else None)).start()
                said = relay(listener, port, p)
        return said
    finally:
        srv.terminate()
        srv.wait()


def talk(client, session):
    """A command and the end, which s_client reads once the handshake is over; the end of input closes. A session that
    is to be resumed must have been given out by then."""
    while session and client.poll() is None and not (os.path.exists(session) and os.path.getsize(session)):
        time.sleep(.02)
    try:
        client.stdin.write(b'a1 NOOP and so on and so on\n')
        client.stdin.close()
    except BrokenPipeError:
        pass


# ---- the same handshake in other records

def records(data):
    while len(data) >= 5:
        n = 5 + int.from_bytes(data[3:5], 'big')
        yield data[0], int.from_bytes(data[1:3], 'big'), data[5:n]
        data = data[n:]


def recut(said, limit):
    """Handshake messages in clear in records of at most so many bytes; limit 0: as many in one as come at once."""
    ccs, out = {'C': False, 'S': False}, []
    tls13 = any(b'\x00\x2b\x00\x02\x03\x04' in data for who, data in said if who == 'S')
    for who, data in merge(said):
        cut, clear, version = b'', b'', 0
        for kind, version, body in list(records(data)) + [(None, 0x0303, b'')]:
            if kind == 22 and (tls13 or not ccs[who]):
                clear, last = clear + body, version
                continue
            step = limit or 16384
            for i in range(0, len(clear), step):
                cut += record(22, clear[i:i + step], last)
            clear = b''
            if kind is not None:
                ccs[who] |= kind == 20
                cut += record(kind, body, version)
        out.append((who, cut))
    return out


def merge(said):
    """Turns, not pieces: the relay reads what is there."""
    out = []
    for who, data in said:
        if out and out[-1][0] == who:
            out[-1] = (who, out[-1][1] + data)
        else:
            out.append((who, data))
    return out


def observed(said, port, step, path):
    c = Capture()
    steps = PREFIX[port].split('\n') if PREFIX[port] else []
    c.play([f'conn {port}'] + steps)
    for who, data in merge(said):
        for i in range(0, len(data), step):
            c.send(who, data[i:i + step])
    c.do_fin('C')
    c.write(path)
    lines = [line for line in run(OBSERVE, '--tls', path).stdout.splitlines() if line.startswith('tls ')]
    # who, how it came to TLS and how many records are the capture's
    lines = [re.sub(r'^tls \S+ \S+ \S+ \S+ tls-(\S+) (\S+)( (smtp|imap|pop3|managesieve|tls-\w+|implicit))*', r'\1 \2', x)
             for x in lines]
    return [re.sub(r'(flight=\d+)/\d+', r'\1', x) for x in lines]


def missing(lines, wanted):
    at, wrong = 0, []
    for w in wanted:
        if w.startswith('!'):
            wrong += [w for x in lines if re.search(w[1:] if '=' in w else '^' + w[1:] + ' ', x)][:1]
            continue
        while at < len(lines) and not re.search('^' + w, lines[at]):
            at += 1
        if at == len(lines):
            wrong.append(w)
        at += 1
    return wrong


WAYS = [('segments', 993, 1440, None), ('starttls-imap', 143, 1440, None), ('starttls-smtp', 25, 1440, None),
        ('stls', 110, 1440, None), ('managesieve', 4190, 1440, None), ('smtps', 465, 1440, None), ('pop3s', 995, 1440, None),
        ('bytes', 993, 1, None), ('sevens', 25, 7, None), ('records-of-5', 993, 1440, 5), ('records-of-5-in-bytes', 143, 1, 5),
        ('records-joined', 25, 1440, 0)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--only', default='')
    args = p.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as d:
        files = make_files(d)
        for name, (server, clients, wanted) in CASES.items():
            if not re.search(args.only, name):
                continue
            said = handshake(d, server, clients, files)
            first = None
            for way, port, step, limit in WAYS:
                lines = observed(said if limit is None else recut(said, limit), port, step, os.path.join(d, 'x.pcap'))
                first = first or lines
                wrong = missing(lines, wanted)
                if lines != first:
                    wrong.append('not the same as in plain segments')
                passed += not wrong
                failed += bool(wrong)
                if wrong:
                    print(f'FAIL {name} {way}: ' + '; '.join(wrong))
                if (wrong or args.verbose) and way == 'segments':
                    print('\n'.join('   ' + x[:230] for x in lines))
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
