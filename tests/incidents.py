#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents as an operator meets them: what is one story, over captures and after a kill, how many alerts an attack on
everybody raises, where it says that the interference sits, and what acknowledging and closing do.

    incidents.py [--sessions 10000] [-v]
"""
import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, 'tools'), HERE]
import make_capture  # noqa: E402

BINARY = os.path.join(HERE, '..', 'stripwire')
PCAPS = os.path.join(HERE, '..', 'pcaps')
passed = failed = 0


def check(name, ok, *seen):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print('FAIL', name, *seen)


def run(*words, status=0, **kw):
    p = subprocess.run([BINARY, *words], capture_output=True, text=True, **kw)
    check(' '.join(words) + f': exit {status}', p.returncode == status, p.returncode, p.stderr.strip()[:300])
    return p


def read(db, *captures, options=()):
    return run('read', '-q', '-d', db, '-r', os.path.join(HERE, '..', 'sensor.rules'), '--no-system-trust', '--trust',
               os.path.join(PCAPS, 'ca-root.pem'), '--eve', db + '.eve', *options, *captures)


def events(db):
    with open(db + '.eve') as f:
        return [json.loads(line) for line in f]


def incidents(db, *options):
    return [json.loads(line) for line in run('incidents', '-d', db, '--json', *options).stdout.splitlines()]


def alerts(db, *options):
    return [json.loads(line) for line in run('alerts', '-d', db, '--json', *options).stdout.splitlines()]


# ---- captures

OFFER = '''S: 220 mx.example.net ESMTP Postfix
C: EHLO out.example.org
S: 250-mx.example.net
S: 250-PIPELINING
S: 250-STARTTLS
S: 250 AUTH PLAIN LOGIN'''
TLS = OFFER + '''
C: STARTTLS
S: 220 2.0.0 Ready to start TLS
tls 12 sni=mx.example.net
fin C'''
LOGIN = '''C: AUTH PLAIN AGFsaWNlAHNlc2FtZS1vcGVu
S: 235 2.7.0 Authentication successful
C: MAIL FROM:<a@example.org>
S: 250 2.1.0 Ok
C: QUIT
S: 221 2.0.0 Bye
fin S'''
STRIPPED = OFFER.replace('S: 250-STARTTLS\n', '') + '\n' + LOGIN
MASKED = OFFER.replace('S: 250-STARTTLS\n', 'S: 250-XXXXXXXA\n') + '\n' + LOGIN
RESET = OFFER + '''
C: STARTTLS
S: 220 2.0.0 Ready to start TLS
hello 12 sni=mx.example.net
forge S
flight 12
rst C'''


def capture(path, *parts):
    """parts: (client, server, dialogue) or a pause."""
    lines = []
    for part in parts:
        if isinstance(part, str):
            lines.append('wait ' + part)
            continue
        client, server, text = part
        name = 'mx.example.net' if server == 25 else f'mx{server}.example.com'
        lines += [f'conn 25 client={client} server={server}'] + text.replace('mx.example.net', name).splitlines()
    c = make_capture.Capture()
    c.play(lines)
    c.write(path)
    return path


# ---- tests

def one_story(folder):
    """DESIGN: offered until then, a forged reset, the same client in clear, a password."""
    db = folder + '/story.db'
    path = capture(folder + '/story.pcap', *[(7, 25, TLS), '1m'] * 12, (7, 25, RESET), '3s', (7, 25, STRIPPED))
    read(db, path)
    got = incidents(db)
    check('one incident', len(got) == 1, got)
    i = got[0]
    steps = [s['finding'] for s in i['detail']['timeline']]
    check('told in order', steps[0] == 'none' and steps[1] == 'rst-injected' and 'plaintext-fallback' in steps and
          'plaintext-credentials' in steps, steps)
    times = [s['first'] for s in i['detail']['timeline']]
    check('by time', times == sorted(times), times)
    check('what was before', 'offered in 12 earlier sessions' in i['detail']['timeline'][0]['text'])
    check('critical', i['severity'] == 'critical' and i['stages'] == 'interfered,unprotected,exposed', i['severity'])
    ev = [e for e in events(db) if e['event_type'] == 'incident']
    check('events', [e['stripwire']['event'] for e in ev][0] == 'opened' and ev[-1]['stripwire']['severity'] == 'critical', ev)
    check('one opening', sum(e['stripwire']['event'] == 'opened' for e in ev) == 1)
    al = [e for e in events(db) if e['event_type'] == 'alert']
    check('alerts name it', all(a['stripwire']['incident_id'] == 1 for a in al if a['stripwire']['severity'] not in ('info', 'low')))
    text = run('incidents', 'show', '1', '-d', db).stdout
    for word in ('incident 1  critical', 'before', 'alice', 'where', 'next', 'stripwire alerts --incident 1'):
        check('shown: ' + word, word in text, text)
    reset = alerts(db, '--finding', 'rst-injected')[0]['id']
    check('and in show', 'incident 1' in run('show', str(reset), '-d', db).stdout)
    check('no password', 'sesame' not in text and b'sesame' not in open(db, 'rb').read())


def over_captures(folder):
    db = folder + '/cut.db'
    one = capture(folder + '/cut1.pcap', *[(7, 25, TLS)] * 12, '1m', (7, 25, STRIPPED))
    two = capture(folder + '/cut2.pcap', '14m', (7, 25, STRIPPED), '1h', (7, 25, STRIPPED))
    many = capture(folder + '/cut4.pcap', '2h', *[(7, 25, STRIPPED)] * 40)
    more = capture(folder + '/cut5.pcap', '3h', *[(7, 25, STRIPPED)] * 40)
    late = capture(folder + '/cut3.pcap', '3d', (7, 25, STRIPPED))
    read(db, one)
    read(db, two)
    got = incidents(db)
    check('goes on in the next capture', len(got) == 1 and got[0]['sessions'] == 3, got)
    before = alerts(db)
    read(db, two)
    check('a capture read again changes nothing', incidents(db) == got and alerts(db) == before)
    read(db, many)
    before = rows(db)
    read(db, more)
    check('each capture shows what it holds', rows(db) > before + 20 and len(incidents(db)) == 1, before, rows(db))
    read(db, late)
    got = incidents(db)
    check('days later another one', len(got) == 2 and got[0]['state'] == 'ended' and got[1]['state'] == 'open', got)
    closed = [e['stripwire'] for e in events(db) if e['event_type'] == 'incident' and e['stripwire']['event'] == 'closed']
    check('and the end is told', len(closed) == 1 and closed[0]['because'] == 'quiet' and closed[0]['incident_id'] == 1, closed)


def after_a_kill(folder):
    """Alerts are stored, then the program dies; the capture is read again."""
    db = folder + '/kill.db'
    path = capture(folder + '/kill.pcap', *[(7, 25, TLS)] * 12, *[(f'{n}.9', 25, STRIPPED) for n in range(3, 53)])
    whole = folder + '/whole.db'
    read(whole, path)
    data = open(path, 'rb').read()
    p = subprocess.Popen([BINARY, 'read', '-q', '-d', db, '-r', os.path.join(HERE, '..', 'sensor.rules'), '--no-system-trust', '-'],
                         stdin=subprocess.PIPE)
    size = len(data) * 7 // 8  # a batch is written when it is a second old and more comes
    for at in range(0, size, size // 400):
        p.stdin.write(data[at:at + size // 400])
        p.stdin.flush()
        time.sleep(.01)
        if rows(db) > 0:
            break
    p.send_signal(signal.SIGKILL)
    p.wait()
    p.stdin.close()
    check('some alerts were stored', rows(db) > 0)
    check('and no incident', incidents(db) == [])
    read(db, path)
    a, b = incidents(db), incidents(whole)
    keys = ('title', 'sessions', 'alerts', 'severity', 'first', 'last')
    check('counted once', [[i[k] for k in keys] for i in a] == [[i[k] for k in keys] for i in b], a, b)
    ids = {x['stripwire'].get('incident_id') for x in alerts(db, '--severity', 'low')}
    check('earlier alerts belong to it', ids == {a[0]['id']}, ids)


def rows(db):
    try:
        with sqlite3.connect(f'file:{db}?mode=ro', uri=True) as c:
            return c.execute('SELECT count(*) FROM alerts').fetchone()[0]
    except sqlite3.Error:
        return 0


def places(folder):
    cases = {
        'near the server, or the server itself: all 4': [(f'{n}.9', 25, MASKED) for n in range(3, 7)],
        'near the client; 2 other clients': [(7, 25, STRIPPED), ('3.9', 25, TLS), ('4.9', 25, TLS)],
        'near the client: it was met at 2 servers': [(7, 25, MASKED), (7, 26, MASKED)],
        'nobody else came': [(7, 25, STRIPPED)],
        'on the path of some clients: 2': [(7, 25, STRIPPED), ('3.9', 25, STRIPPED), ('4.9', 25, TLS)],
    }
    for n, (want, parts) in enumerate(cases.items()):
        db = f'{folder}/place{n}.db'
        history = [(c, s, TLS) for s in (25, 26) for c in (7, '3.9', '4.9', '5.9', '6.9')] * 3
        read(db, capture(f'{folder}/place{n}.pcap', *history, '1h', *parts))
        got = incidents(db)
        check(want, len(got) == 1 and want in got[0]['where'], [i['where'] for i in got])


def volume(folder, sessions):
    db = folder + '/volume.db'
    clients = [f'{a}.{b}' for a in range(3, 23) for b in range(1, 26)]
    parts = [(7, 25, TLS)] * 12 + ['1h'] + [(clients[n % len(clients)], 25, STRIPPED) for n in range(sessions)]
    path = capture(folder + '/volume.pcap', *parts)
    t0 = time.monotonic()
    read(db, path)
    took = time.monotonic() - t0
    got, stored = incidents(db), rows(db)
    check('one incident', len(got) == 1, [(i['title'], i['sessions']) for i in got])
    check('all sessions counted', got[0]['sessions'] == sessions, got[0]['sessions'])
    check('bounded', stored < 400, stored)
    total = sum(v[0] for v in got[0]['detail']['findings'].values())
    check('with counts', total == got[0]['alerts'] and total - got[0]['alerts_folded'] <= stored, total, got[0]['alerts_folded'], stored)
    print(f'{sessions} sessions of {len(clients)} clients: {len(got)} incident, {stored} alerts stored, {got[0]["alerts_folded"]} '
          f'counted ({took:.1f} s)')
    conf = folder + '/all.conf'
    with open(conf, 'w') as f:
        f.write('incidents:\n  alerts: 0\n')
    few = capture(folder + '/few.pcap', *[(7, 25, TLS)] * 12, *[(7, 25, STRIPPED)] * 100)
    read(folder + '/few.db', few)
    read(folder + '/all.db', few, options=('-c', conf))
    check('all of them, if so wished', rows(folder + '/all.db') > 3 * rows(folder + '/few.db') > 0 and
          incidents(folder + '/all.db')[0]['alerts_folded'] == 0, rows(folder + '/all.db'), rows(folder + '/few.db'))


def one(db, number):
    return next(a['stripwire'] for a in alerts(db) if a['id'] == number)


def triage(folder):
    db = folder + '/story.db'  # of one_story()
    first = alerts(db, '--finding', 'rst-injected')[0]['id']
    at = ('-d', db)
    check('which', 'which one' in run('alerts', 'ack', *at, status=2).stderr)
    check('as what', '--as' in run('alerts', 'close', str(first), *at, status=2).stderr)
    check('no such reason', 'not maybe' in run('alerts', 'close', str(first), '--as', 'maybe', *at, status=2).stderr)
    check('no text', '-m' in run('alerts', 'comment', str(first), *at, status=2).stderr)
    check('no ID', 'no ID' in run('incidents', 'ack', 'x', *at, status=2).stderr)
    check('none of that ID', 'no alert 999' in run('alerts', 'ack', str(first), '999', *at, status=1).stderr)
    check('and nothing was changed', 'status' not in one(db, first))
    run('alerts', 'ack', str(first), '-m', 'looking into it', *at)
    check('acknowledged', one(db, first)['status'] == 'acknowledged')
    p = run('alerts', 'close', f'#{first}', '--as', 'not-an-attack', *at)
    check('and how not to hear of it', 'authorized_resetters' in p.stdout, p.stdout)
    check('closed', one(db, first)['closed_as'] == 'not-an-attack')
    check('one less is open', len(alerts(db, '--open')) == len(alerts(db)) - 1)
    run('incidents', 'comment', '1', '-m', 'called the operator of mx', *at)
    run('incidents', 'ack', '1', *at)
    text = run('incidents', 'show', '1', *at).stdout
    check('notes are shown', 'called the operator of mx' in text and 'acknowledged' in text, text)
    p = run('incidents', 'close', '1', '--as', 'attack', '-m', 'a box in the cellar', *at)
    check('an attack needs no advice', p.stdout == '', p.stdout)
    check('its alerts are closed', alerts(db, '--open', '--severity', 'medium') == [] and incidents(db, '--open') == [])
    check('what was closed before stays so', one(db, first)['closed_as'] == 'not-an-attack')
    read(db, capture(folder + '/again.pcap', '15m', (7, 25, STRIPPED)))
    got = incidents(db)
    check('what comes after is another one', len(got) == 2 and got[1]['state'] == 'open', [i['state'] for i in got])
    run('incidents', 'reopen', '1', *at)
    check('reopened', incidents(db)[0]['state'].startswith('open'))
    p = run('incidents', 'close', '2', '--as', 'not-an-attack', *at)
    check('STARTTLS gone: the means that fits', 'stripwire history ack 10.2.0.25:25' in p.stdout, p.stdout)
    check('no such incident', 'no incident 77' in run('incidents', 'show', '77', *at, status=1).stderr)
    check('filters', len(incidents(db, '--host', '10.2.0.25')) == 2 and incidents(db, '--host', '10.2.0.99') == [] and
          len(incidents(db, '--limit', '1')) == 1 and incidents(db, '--since', '2030-01-01') == [])
    run('history', 'ack', '10.2.0.25:25', *at)
    read(db, capture(folder + '/meant.pcap', '20m', (7, 25, STRIPPED)))
    fresh = [e for e in events(db) if e['event_type'] == 'alert' and e['stripwire']['finding'] == 'starttls-stripped']
    check('and then it is not raised', fresh == [], fresh)


def beside_a_writer(folder):
    """A sensor is writing; the operator need not wait for its end."""
    db = folder + '/busy.db'
    path = capture(folder + '/busy.pcap', *[(7, 25, TLS)] * 12, (7, 25, STRIPPED))
    read(db, path)
    p = subprocess.Popen([BINARY, 'read', '-q', '-d', db, '-r', os.path.join(HERE, '..', 'sensor.rules'), '--no-system-trust', '-'],
                         stdin=subprocess.PIPE)
    p.stdin.write(open(path, 'rb').read()[:200])
    p.stdin.flush()
    run('incidents', 'ack', '1', '-d', db)
    check('acknowledged beside a writer', 'acknowledged' in incidents(db)[0]['state'])
    p.stdin.close()
    p.wait()


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--sessions', type=int, default=10000)
    a = p.parse_args()
    with tempfile.TemporaryDirectory(dir='/dev/shm' if os.access('/dev/shm', os.W_OK) else None) as folder:
        one_story(folder)
        over_captures(folder)
        after_a_kill(folder)
        places(folder)
        volume(folder, a.sessions)
        triage(folder)
        beside_a_writer(folder)
    print(f'{passed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
