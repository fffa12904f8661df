#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of captures are nowhere but in the captures.

    secrets.py [-v] [--binary FILE] [--memory FILE] [CAPTURE...]     (default: pcaps/*.pcap)

Dialogues with a password of their own for each mechanism of each protocol are made into captures, whole, in segments
of one byte, and behind holes. From all captures, these and the given ones, the passwords are taken by other means than
the program's. They are then looked for, in clear, in base64 at each alignment and in hex, in the database, in EVE, in
the statistics, in what -v prints, in the text, the JSON and the packets of `show` for every alert, and in the memory of
a process that has read everything. A user name has to be found in the same places: the search itself is tested too.

A process that is aborted in the middle of a capture leaves no core, and its memory is nobody's to read.
"""
import argparse
import base64
import glob
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(HERE, 'tools')]
from make_capture import Capture  # noqa: E402
from rewrite import frames  # noqa: E402

CONTROL = 'control.user.kq3v'
PART = 8  # bytes of a password that are not to be found by themselves either


def b64(text):
    return base64.b64encode(text.encode('latin-1')).decode()


class Maker:
    """Passwords nobody has used before, and the dialogues that hold them."""

    def __init__(self):
        self.secrets, self.dialogs = [], []

    def new(self):
        n = len(self.secrets)
        self.secrets.append('Pw' + hashlib.sha256(b'%d' % n).hexdigest()[:16].translate(
            str.maketrans('0123456789', 'ghijkmnpqr')))
        return self.secrets[-1]

    def kept(self, text):
        """A proof or a token that is not to be found either."""
        self.secrets.append(text)
        return text

    def plain(self):
        return b64(f'\0{CONTROL}\0{self.new()}')

    def oauth(self):
        return b64(f'user={CONTROL}\x01auth=Bearer {self.new()}\x01\x01')

    def bearer(self):
        return b64(f'n,a={CONTROL},\x01host=x\x01auth=Bearer {self.new()}\x01\x01')

    def cram(self):
        return b64(f'{CONTROL} {self.kept(hashlib.md5(self.new().encode()).hexdigest())}')

    def digest(self):
        proof = self.kept(hashlib.md5(self.new().encode()).hexdigest())
        return b64(f'username="{CONTROL}",realm="x",nonce="n",response={proof}')

    def ntlm(self):
        proof = self.kept(hashlib.sha1(self.new().encode()).hexdigest()[:24])
        head = b'NTLMSSP\0\3\0\0\0' + b'\x18\0\x18\0\x40\0\0\0' * 3 + b'\4\0\4\0\x58\0\0\0' + b'\0' * 20
        return base64.b64encode(head + proof.encode() + b'user').decode()

    def add(self, port, *steps):
        self.dialogs.append([f'conn {port}'] + list(steps))


def mechanisms(m):
    """(mechanism, what the client says: first without being asked)"""
    return [('PLAIN', [m.plain()]), ('LOGIN', [b64(CONTROL), b64(m.new())]), ('XOAUTH2', [m.oauth()]),
            ('OAUTHBEARER', [m.bearer()]), ('CRAM-MD5', [m.cram()]), ('DIGEST-MD5', [m.digest()]),
            ('NTLM', [b64('NTLMSSP\0\1'), m.ntlm()]), ('X-OWN', [b64(m.new())]), ('PLAIN', [m.new()])]


def smtp(m, port=25):
    head = ['S: 220 mx.example.net ESMTP', 'C: EHLO a.example', 'S: 250-mx.example.net', 'S: 250 AUTH PLAIN LOGIN']
    for mech, says in mechanisms(m):
        asked = sum((['S: 334 ', f'C: {s}'] for s in says), [])
        m.add(port, *head, f'C: AUTH {mech}', *asked, 'S: 235 ok', 'C: QUIT', 'S: 221 bye', 'fin S')
    for mech, says in mechanisms(m):
        asked = sum((['S: 334 ', f'C: {s}'] for s in says[1:]), [])
        m.add(port, *head, f'C: AUTH {mech} {says[0]}', *asked, 'S: 535 no', 'fin S')
    m.add(port, *head, f'C: {m.new()}', 'S: 500 unknown', f'C: AUTH {m.new()}', 'S: 504 no', 'fin S')
    m.add(port, *head, f'C: AUTH PLAIN {m.plain()}')
    m.add(port, *head, f'C| AUTH PLAIN {m.plain()}')
    m.add(port, *head, 'C: STARTTLS', f'C: AUTH PLAIN {m.plain()}', 'S: 220 go', 'tls 12', 'fin C')
    m.add(port, *head, 'C: STARTTLS', 'S: 220 go', f'C: AUTH PLAIN {m.plain()}', 'S: 235 ok', 'fin S')
    m.add(port, *head, 'C: AUTH LOGIN', 'S: 334 ', 'lose C 12', 'S: 334 ', f'C: {b64(m.new())}', 'S: 235 ok')
    m.add(port, *head, 'C: MAIL FROM:<a@a.example>', 'S: 250 ok', 'C: DATA', 'S: 354 go',
          f'C: password: {m.new()}', 'C: .', 'S: 250 ok', 'C: QUIT', 'S: 221 bye', 'fin S')
    m.add(port, *head, f'C: XCLIENT LOGIN={m.new()}', 'S: 500 no', 'fin S')


def imap(m):
    head = ['S: * OK IMAP4rev1 ready']
    tail = ['S: a1 OK', 'C: a9 LOGOUT', 'S: * BYE', 'S: a9 OK', 'fin S']
    for mech, says in mechanisms(m):
        asked = sum((['S: +', f'C: {s}'] for s in says), [])
        m.add(143, *head, f'C: a1 AUTHENTICATE {mech}', *asked, *tail)
    m.add(143, *head, f'C: a1 AUTHENTICATE PLAIN {m.plain()}', *tail)
    m.add(143, *head, f'C: a1 LOGIN {CONTROL} {m.new()}', *tail)
    m.add(143, *head, f'C: a1 LOGIN "{CONTROL}" "{m.new()}"', *tail)
    for plus in ('', '+'):
        word = m.new()
        wait = [] if plus else ['S: + go']
        m.add(143, *head, f'C: a1 LOGIN {CONTROL} {{{len(word)}{plus}}}', *wait, f'C: {word}', *tail)
    m.add(143, *head, f'C: a1 {m.new()}', 'S: a1 BAD what', f'C: {m.new()}', 'S: * BAD what', 'fin S')
    m.add(143, *head, f'C: a1 LOGIN {CONTROL} {{300}}', 'S: + go', f'C: {m.new()}')
    m.add(143, *head, 'C: a1 STARTTLS', f'C: a2 LOGIN x {m.new()}', 'S: a1 OK', 'tls 12', 'fin C')


def pop3(m):
    head = ['S: +OK ready']
    tail = ['S: +OK', 'C: QUIT', 'S: +OK', 'fin S']
    for mech, says in mechanisms(m):
        asked = sum((['S: + ', f'C: {s}'] for s in says), [])
        m.add(110, *head, f'C: AUTH {mech}', *asked, *tail)
    m.add(110, *head, f'C: USER {CONTROL}', 'S: +OK', f'C: PASS {m.new()} {m.new()}', *tail)
    m.add(110, *head, f'C: USER {CONTROL}', 'S: +OK', f'C: PASS {m.new()}', 'S: -ERR no', 'fin S')
    digest = m.kept(hashlib.md5(m.new().encode()).hexdigest())
    m.add(110, *head, f'C: APOP {CONTROL} {digest}', *tail)
    word = m.new()
    m.add(110, *head, f'C: {word}', f'S: -ERR unknown command {word}', 'fin S')
    m.add(110, *head, 'C: STLS', f'C: PASS {m.new()}', 'S: +OK', 'tls 12', 'fin C')


def sieve(m):
    head = ['S: "IMPLEMENTATION" "x"', 'S: "SASL" "PLAIN"', 'S: OK']
    tail = ['S: OK', 'C: LOGOUT', 'S: OK', 'fin S']
    for mech, says in mechanisms(m):
        asked = sum((['S: ""', f'C: "{s}"'] for s in says), [])
        m.add(4190, *head, f'C: AUTHENTICATE "{mech}"', *asked, *tail)
    m.add(4190, *head, f'C: AUTHENTICATE "PLAIN" "{m.plain()}"', *tail)
    text = m.plain()
    m.add(4190, *head, f'C: AUTHENTICATE "PLAIN" {{{len(text)}+}}', f'C: {text}', *tail)


def generate(folder):
    """Captures with known passwords. Returns (paths, passwords)."""
    m = Maker()
    for make in (smtp, lambda x: smtp(x, 587), imap, pop3, sieve):
        make(m)
    paths = []
    for way in ('whole', 'bytes', 'lf'):
        c = Capture(False)
        c.bytes, c.eol = way == 'bytes', b'\n' if way == 'lf' else b'\r\n'
        for i, dialog in enumerate(m.dialogs):
            c.play([f'{dialog[0]} client={i % 200 + 20}'] + dialog[1:] + ['wait 1m'])
        paths.append(os.path.join(folder, way + '.pcap'))
        c.write(paths[-1])
    return paths, m.secrets


# ---- the passwords of other captures

def streams(path):
    """What each client said, in the order of its numbers."""
    sent = {}
    for f in frames(path):
        if f.tcp is not None and f.to_server and f.payload:
            sent.setdefault((f.flow, f.source), {})[f.seq] = f.payload
    for parts in sent.values():
        yield b''.join(parts[seq] for seq in sorted(parts)).decode('latin-1')


def decoded(text):
    try:
        return base64.b64decode(text, validate=True).decode('latin-1')
    except ValueError:
        return ''


def passwords(text):
    for line in re.findall(r'(?mi)^PASS (.+?)\r?$', text):
        yield line
    for line in re.findall(r'(?mi)^\S+ LOGIN \S+ "?(.+?)"?\r?$', text):
        yield line
    for line in re.findall(r'(?mi)^APOP \S+ (\w+)\r?$', text):
        yield line
    for line in re.findall(r'(?m)(?:^|["\s])([A-Za-z0-9+/]{12,}={0,2})"?\r?$', text):
        plain = decoded(line)
        if plain.count('\0') == 2:
            yield plain.split('\0')[2]
        elif re.search('Bearer [^\1]+', plain):
            yield re.search('Bearer ([^\1]+)', plain)[1]
        elif re.fullmatch(r'\S+ [0-9a-f]{32}', plain):
            yield plain[-32:]
    for line in re.findall(r'(?mi)^AUTH LOGIN.*\r?\n(?:.+\r?\n)??(\S+)\r?\n(?=QUIT|MAIL|RSET|EHLO)', text):
        yield decoded(line)


# ---- looking

def forms(secret):
    """All ways in which a password would be recognised."""
    raw = secret.encode('latin-1')
    out = {raw, raw.hex().encode(), raw.hex().upper().encode()}
    if len(raw) >= 2 * PART:
        out |= {raw[:PART], raw[-PART:]}
    for shift in range(3):
        text = base64.b64encode(b'\0' * shift + raw).rstrip(b'=')
        first = (shift * 4 + 2) // 3
        last = len(text) if (len(raw) + shift) % 3 == 0 else len(text) - 1
        out.add(text[first:last])
    return {f for f in out if len(f) >= 5}


class Search:
    def __init__(self, secrets, verbose):
        self.forms = sorted({f for s in secrets for f in forms(s)})
        self.pattern = re.compile(b'|'.join(re.escape(f) for f in self.forms))
        self.passed = self.failed = 0
        self.verbose = verbose

    def result(self, ok, name, why=''):
        self.passed, self.failed = self.passed + ok, self.failed + (not ok)
        if not ok or self.verbose:
            print('ok  ' if ok else 'FAIL', name, '' if ok else why)

    def clean(self, name, data, control=True):
        hits = sorted({h.decode('latin-1') for h in self.pattern.findall(data)})
        self.result(not hits, name, f'{len(data)} bytes {hits[:3]}')
        if control:
            self.result(CONTROL.encode() in data, name + ', control', 'a user name is not there')


def run(*words, env=None):
    p = subprocess.run(words, capture_output=True, timeout=600, env=env)
    return p.stdout + p.stderr


def show_all(args, tmp, db):
    text = packets = b''
    ids = [json.loads(line)['id'] for line in
           run(args.binary, 'alerts', '-d', db, '--json').splitlines() if line.startswith(b'{')]
    for n in ids:
        path = os.path.join(tmp, 'evidence.pcap')
        text += run(args.binary, 'show', '-d', db, str(n)) + run(args.binary, 'show', '-d', db, '--json', str(n))
        run(args.binary, 'show', '-d', db, '--pcap', path, str(n))
        packets += open(path, 'rb').read() if os.path.exists(path) else b''
    return ids, text, packets


def every_buffer(path):
    """Rules that fire on whatever a buffer holds, for all buffers there are, and on any line."""
    names = [''] + re.findall(r'^    \[BUF_\w+\] = \{"([\w.]+)",', open('rules/rule_buffer.c').read(), re.M)
    with open(path, 'w') as f:
        for sid, name in enumerate(names, 1):
            f.write(f'alert tcp any any <> any any (msg:"all of {name or "lines"}"; {name + "; " if name else ""}'
                    f'pcre:"/./s"; sid:{sid};)\n')
    return len(names)


def content(args, search, tmp, captures):
    """No rule can log a password, nor tell by matching that it is there: what rules see is what their alerts show."""
    rules, db, eve, stats = (os.path.join(tmp, n) for n in ('all.rules', 'c.db', 'c.eve', 'c.stats'))
    count = every_buffer(rules)
    said = run(args.binary, 'read', '-v', '-d', db, '--eve', eve, '--stats', stats, '-r', rules, '--no-system-trust',
               *captures)
    search.clean('content rules, what -v says', said, False)
    search.clean('content rules, database', b''.join(open(f, 'rb').read() for f in glob.glob(db + '*')))
    events = open(eve, 'rb').read()
    search.clean('content rules, EVE', events)
    fired = {json.loads(line)['alert']['signature_id'] for line in events.splitlines()}
    search.result(len(fired) >= count - 5, 'content rules fired', f'{len(fired)} of {count}')
    ids = [json.loads(line)['id'] for line in
           run(args.binary, 'alerts', '-d', db, '--json').splitlines() if line.startswith(b'{')]
    search.result(len(ids) > 1000, 'content rules, alerts to show', len(ids))
    search.clean('content rules, show', b''.join(run(args.binary, 'show', '-d', db, str(n)) for n in ids[::97]), False)
    probe = os.path.join(tmp, 'probe.rules')  # rules that ask for the very passwords
    asked = [f for f in search.forms if re.fullmatch(rb'[\w+/=.-]{6,}', f)]
    with open(probe, 'wb') as f:
        for sid, form in enumerate(asked, 1):
            f.write(b'alert tcp any any <> any any (msg:"probe"; content:"%s"; sid:%d;)\n' % (form, sid))
    out = run(args.binary, 'rules', 'test', '--json', '-q', probe, *captures)
    hits = [r['sid'] for line in out.splitlines() if line.startswith(b'{') for r in json.loads(line)['rules']]
    search.result(b'"count":' in out and not hits, f'{len(asked)} rules that ask for passwords', hits[:5] or out[-200:])
    return rules


NAMED = [  # where names stand besides logins; what servers say in words of their own is not understood
    ['conn 25', 'S: 220 mx.example.net ESMTP', 'C: EHLO a.example', 'S: 250 mx.example.net', f'C: VRFY {CONTROL}', 'S: 502 no',
     f'C: EXPN {CONTROL}', 'S: 502 no', f'C: MAIL FROM:<{CONTROL}@a.example>', 'S: 250 ok', f'C: MAIL FROM:<{CONTROL}>',
     'S: 250 ok', f'C: RCPT TO:<{CONTROL}@b.example>', f'S: 550 5.1.1 <{CONTROL}@b.example>: no', f'C: RCPT TO:<{CONTROL}>',
     f'S: 550 5.1.1 <{CONTROL}>: no', 'C: QUIT', 'S: 221 bye', 'fin S'],
    ['conn 143', 'S: * OK IMAP4rev1 ready', f'C: a1 LOGIN {CONTROL} pw', f'S: a1 OK Logged in as {CONTROL}',
     f'C: a2 SELECT user.{CONTROL}.INBOX', 'S: a2 OK', f'C: a3 SETACL INBOX {CONTROL} lr', 'S: a3 OK', 'C: a9 LOGOUT',
     'S: * BYE', 'S: a9 OK', 'fin S'],
    ['conn 143', f'S: * PREAUTH server logged in as {CONTROL}', 'C: a9 LOGOUT', 'S: * BYE', 'S: a9 OK', 'fin S'],
    ['conn 143', 'S: * OK ready', 'C: a1 LOGIN a b', f'S: a1 NO [REFERRAL imap://{CONTROL}@h.example/] there', 'fin S'],
    ['conn 110', 'S: +OK ready', f'C: USER {CONTROL}', f'S: +OK {CONTROL} is known', 'C: PASS pw',
     f'S: -ERR no such user {CONTROL}', f'C: XTND XMIT {CONTROL}', 'S: -ERR', 'fin S']]


def names(args, tmp, rules, captures):
    """user_names: hashed and none hold for what rules on buffers show, too, and one user has one pseudonym."""
    c, conf, path = Capture(False), os.path.join(tmp, 'names.conf'), os.path.join(tmp, 'named.pcap')
    for i, dialog in enumerate(NAMED):
        c.play([f'{dialog[0]} client={i + 20}'] + dialog[1:] + ['wait 1m'])
    c.write(path)
    search = Search({CONTROL}, args.verbose)
    for how in 'hashed', 'none', 'clear':
        db, eve = (os.path.join(tmp, f'{how}.{n}') for n in ('db', 'eve'))
        with open(conf, 'w') as f:
            f.write(f'user_names: {how}\n')
        said = run(args.binary, 'read', '-v', '-c', conf, '-d', db, '--eve', eve, '-r', rules, '--no-system-trust', path,
                   *captures)
        events = open(eve, 'rb').read()
        said += b''.join(run(args.binary, 'show', '-d', db, str(n)) for n in range(1, 100))
        data = {'what is said': said, 'EVE': events, 'database': b''.join(open(f, 'rb').read() for f in glob.glob(db + '*'))}
        if how == 'clear':
            search.result(CONTROL.encode() in events, 'names clear: there', 'the search finds nothing')
            continue
        for what, text in data.items():
            search.clean(f'names {how}, {what}', text, False)
        if how == 'hashed':
            found = set(re.findall(rb'user-[0-9a-f]{12}', events))
            search.result(0 < len(found) < 12, 'names hashed: one user, one pseudonym', sorted(found))
    return search


def memory(args, search, tmp, captures, *options):
    needles = os.path.join(tmp, 'needles')
    with open(needles, 'w') as f:
        f.writelines(n.hex() + '\n' for n in search.forms + [CONTROL.encode()])
    env = dict(os.environ, MALLOC_PERTURB_='165', GLIBC_TUNABLES='glibc.malloc.tcache_count=0')
    out = run(args.memory, *options, needles, *captures, env=env).decode()
    found = re.findall(r'(?m)^(\d+) \S+ \S+ \S+ \S+ \S+ \S+ *(\S*)', out)
    where = {search.forms[int(n)].decode('latin-1'): m for n, m in found if int(n) < len(search.forms)}
    search.result(f'{len(search.forms) + 1} strings' in out, f'memory {options[:1]}, all strings looked for', out[-300:])
    search.result(any(int(n) == len(search.forms) for n, _ in found), 'memory, control', 'a user name is not there')
    search.result(not where, 'memory', f'{len(where)} strings: {list(where.items())[:4]}')


def core_of(words, folder, meanwhile=None):
    """Aborts the command; did the kernel write a core? The folder is its own, and cores are allowed."""
    os.makedirs(folder)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    p = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard)))
    if meanwhile is not None:
        meanwhile(p.pid)
    os.kill(p.pid, signal.SIGABRT)
    status = os.waitpid(p.pid, 0)[1]
    return os.WTERMSIG(status) == signal.SIGABRT, os.WCOREDUMP(status) or len(glob.glob(folder + '/core*')) > 0


def is_closed(pid):
    """No limit for cores, and the memory is left out of them; who is not root may not even look."""
    limits = open(f'/proc/{pid}/limits').read()
    try:
        flags = open(f'/proc/{pid}/smaps').read()
    except PermissionError:
        flags = ' dd '
    return re.search(r'Max core file size +0 +0 ', limits) is not None and ' dd ' in flags


def no_core(args, search, tmp, capture):
    fifo, seen = os.path.join(tmp, 'fifo'), []
    os.mkfifo(fifo)

    def feed(pid):
        with open(fifo, 'wb') as f:  # waits for the reader
            f.write(open(capture, 'rb').read()[:150000])
            f.flush()
            seen.append(is_closed(pid))
            os.kill(pid, signal.SIGABRT)

    words = [os.path.abspath(args.binary), 'read', '--no-db', '-q', '-r', os.path.abspath('sensor.rules'), fifo]
    aborted, core = core_of(words, os.path.join(tmp, 'cwd'), feed)
    search.result(seen == [True], 'no limit for cores, memory left out of them')
    search.result(aborted and not core, 'no core')
    aborted, core = core_of(['sleep', '600'], os.path.join(tmp, 'control'))
    if not core:
        print('SKIP no core, control: this system writes none for anybody')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('captures', nargs='*')
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    p.add_argument('--memory', default=os.path.join(HERE, '..', 'build/release/tools/memory'))
    args = p.parse_args()
    os.chdir(os.path.join(HERE, '..'))
    given = args.captures or sorted(glob.glob('pcaps/*.pcap'))
    with tempfile.TemporaryDirectory() as tmp:
        made, secrets = generate(tmp)
        own = {s for path in given for text in streams(path) for s in passwords(text) if len(s) >= 5}
        search = Search(set(secrets) | own, args.verbose)
        search.result(len(own) > 0 or bool(args.captures), 'the captures hold passwords', len(own))
        db, eve, stats = (os.path.join(tmp, n) for n in ('a.db', 'a.eve', 'a.stats'))
        said = run(args.binary, 'read', '-v', '-d', db, '--eve', eve, '--stats', stats, '-r', 'sensor.rules',
                   '--no-system-trust', *made, *given)
        search.clean('what -v says', said, False)
        search.clean('database', b''.join(open(f, 'rb').read() for f in glob.glob(db + '*')))
        search.clean('EVE', open(eve, 'rb').read())
        search.clean('statistics', open(stats, 'rb').read(), False)
        ids, text, packets = show_all(args, tmp, db)
        search.result(len(ids) > len(given), 'alerts to show', len(ids))
        search.clean('show', text)
        search.clean('packets of the evidence', packets, False)
        whole = b''.join(open(f, 'rb').read() for f in made + given)
        search.result(len(set(search.pattern.findall(whole))) > len(secrets), 'the captures themselves', 'not there')
        memory(args, search, tmp, made + given)
        rules = content(args, search, tmp, made + given)
        memory(args, search, tmp, made + given, '-r', rules)
        hidden = names(args, tmp, rules, made)
        no_core(args, search, tmp, made[0])
    passed, failed = search.passed + hidden.passed, search.failed + hidden.failed
    print(f'{passed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
