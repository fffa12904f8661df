#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# eve_events.py [PROGRAM]: flow, tls, smtp, imap, pop3 and stats events of the
# captures in pcaps/ beside what a parser of its own reads out of the packets;
# names of users as user_names has them; the same for any number of workers.
import glob
import ipaddress
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections import Counter

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else './stripwire'
TYPES = 'flow,tls,smtp,imap,pop3,stats'
FLAGS = {'syn': 2, 'fin': 1, 'rst': 4, 'psh': 8, 'ack': 16, 'urg': 32}
passed = failed = 0


def check(name, holds, why=''):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds:
        print(f'FAIL {name} {why}')


def events(*words, types=TYPES, inputs=('pcaps',)):
    out = subprocess.run([PROGRAM, 'read', '--no-db', '-q', '--host', 'x', '--eve', '-', '--eve-types', types, *words,
                          *inputs], check=True, text=True, stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in out.splitlines()]


# ---- what the packets say ----

def frames(path):
    data = open(path, 'rb').read()
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    nano = data[:4] in (b'\x4d\x3c\xb2\xa1', b'\xa1\xb2\x3c\x4d')
    assert struct.unpack(order + 'I', data[20:24])[0] == 1, f'{path}: not Ethernet'
    at = 24
    while at < len(data):
        s, sub, held, wire = struct.unpack(order + 'IIII', data[at:at + 16])
        yield s * 10 ** 9 + sub * (1 if nano else 1000), data[at + 16:at + 16 + held], wire
        at += 16 + held


def segment(frame):
    kind, at = struct.unpack('!H', frame[12:14])[0], 14
    if kind == 0x0800 and frame[at + 9] == 6 and not struct.unpack('!H', frame[at + 6:at + 8])[0] & 0x1fff:
        ips = [str(ipaddress.ip_address(frame[at + n:at + n + 4])) for n in (12, 16)]
        tcp = frame[at + (frame[at] & 15) * 4:]
    elif kind == 0x86dd and frame[at + 6] == 6:
        ips = [str(ipaddress.ip_address(frame[at + n:at + n + 16])) for n in (8, 24)]
        tcp = frame[at + 40:]
    else:
        return None
    sport, dport, seq = struct.unpack('!HHI', tcp[:8])
    return (ips[0], sport), (ips[1], dport), seq, tcp[13]


# Connections by four-tuple, those only where one SYN began the one and no
# other is near: who they are is beyond doubt.
def connections(path):
    conns, syns = {}, Counter()
    for time, frame, wire in frames(path):
        seg = segment(frame)
        if not seg:
            continue
        src, dst, seq, flags = seg
        key = tuple(sorted((src, dst)))
        if flags & 0x12 == 2:
            if key not in conns:
                conns[key] = dict(client=src, server=dst, start=time, end=time, isn=[seq, None], pkts=[0, 0],
                                  bytes=[0, 0], flags=[0, 0])
            syns[key] += conns[key]['isn'][0] != seq or syns[key] == 0
        if key not in conns:
            continue
        c = conns[key]
        d = src == c['server']
        if flags & 0x12 == 0x12 and d:
            c['isn'][1] = seq
        c['end'] = max(c['end'], time)
        c['pkts'][d] += 1
        c['bytes'][d] += wire
        c['flags'][d] |= flags & 63
    return {k: c for k, c in conns.items() if syns[k] == 1}


def ns(text):
    m = re.fullmatch(r'(.*)\.(\d{6})\+0000', text)
    import calendar
    import time
    return calendar.timegm(time.strptime(m[1], '%Y-%m-%dT%H:%M:%S')) * 10 ** 9 + int(m[2]) * 1000


def check_flow(e, c):
    f, t, s = e['flow'], e['tcp'], e['stripwire']
    name = f'{e["pcap_filename"]} {e["src_ip"]}:{e["src_port"]}'
    check(name, (e['dest_ip'], e['dest_port']) == c['server'], 'server')
    got = dict(pkts=[f['pkts_toserver'], f['pkts_toclient']], bytes=[f['bytes_toserver'], f['bytes_toclient']],
               flags=[int(t['tcp_flags_ts'], 16), int(t['tcp_flags_tc'], 16)], start=ns(f['start']), end=ns(f['end']),
               isn=[s.get('isn_client'), s.get('isn_server')])
    want = {k: v // 1000 * 1000 if k in ('start', 'end') else v for k, v in c.items() if k in got}
    check(name, got == want, f'{got} for {want}')
    both = int(t['tcp_flags'], 16)
    check(name, both == got['flags'][0] | got['flags'][1], 'tcp_flags')
    check(name, all(t.get(k, False) == bool(both & bit) for k, bit in FLAGS.items()), 'flags by name')
    check(name, f['age'] == (c['end'] - c['start']) // 10 ** 9, f'age {f["age"]}')


all_events = events()
flows = [e for e in all_events if e['event_type'] == 'flow']
beyond_doubt = 0
for path in sorted(glob.glob('pcaps/*.pcap')):
    mine = [e for e in flows if e['pcap_filename'] == path]
    count = Counter(tuple(sorted(((e['src_ip'], e['src_port']), (e['dest_ip'], e['dest_port'])))) for e in mine)
    for key, c in connections(path).items():
        if count[key] != 1:
            continue # not mail; or one that came back to life
        e = next(e for e in mine if tuple(sorted(((e['src_ip'], e['src_port']), (e['dest_ip'], e['dest_port'])))) == key)
        check_flow(e, c)
        beyond_doubt += 1
check('flows compared', beyond_doubt >= 150, beyond_doubt)
check('a flow has one event', max(Counter((e['flow_id'], e['flow']['start']) for e in flows).values()) == 1)

# ---- what they say of each other ----

by_flow = {e['flow_id']: e for e in flows}
for e in all_events:
    if e['event_type'] in ('alert', 'tls', 'smtp', 'imap', 'pop3'):
        if e['event_type'] == 'alert' and e['alert']['signature_id'] < 1000:
            continue
        f = by_flow.get(e['flow_id'])
        check('its flow', f is not None, json.dumps(e)[:200])
        if f and e['event_type'] == 'alert':
            check('alerted', f['flow']['alerted'] and e['stripwire']['finding'] in f['stripwire']['findings'])
        if f and e['event_type'] == 'tls':
            check('established', f['stripwire']['tls_established'] and f['stripwire']['tls_version'] == e['tls']['version'])
            check('fingerprint', 'fingerprint' not in e['tls'] or re.fullmatch('([0-9a-f]{2}:){19}[0-9a-f]{2}', e['tls']['fingerprint']))
stripped = [e for e in flows if 'starttls-stripped' in e['stripwire']['findings']]
check('stripped', stripped and all(not e['stripwire']['starttls_offered'] or e['stripwire']['starttls'] == 'offered' for e in stripped))
check('words', {e['stripwire']['starttls'] for e in flows} >= {'accepted', 'implicit', 'not-offered', 'offered', 'refused'},
      {e['stripwire']['starttls'] for e in flows})

# ---- SMTP by hand: what stands in the packets in clear ----

payload = b''.join(frame for path in sorted(glob.glob('pcaps/*.pcap')) for _, frame, _ in frames(path))
smtp = [e['smtp'] for e in all_events if e['event_type'] == 'smtp']
check('mail', len(smtp) > 10)
for m in smtp:
    check('sender', re.search(rb'(?i)MAIL FROM: ?' + re.escape(m['mail_from'].encode()), payload), m)
    for to in m.get('rcpt_to', []):
        check('recipient', re.search(rb'(?i)RCPT TO: ?' + re.escape(to.encode()), payload), to)
logins = [e for e in all_events if e['event_type'] in ('imap', 'pop3') and e['stripwire'].get('user')]
check('logins', logins and all(e['stripwire']['user'] in e[e['event_type']]['request']['args'] for e in logins))
check('no secret', not re.search(r'hunter2|s3cret|swordfish', json.dumps(all_events)))

# ---- user_names ----

with tempfile.TemporaryDirectory() as folder:
    for mode in ('hashed', 'none'):
        conf = os.path.join(folder, mode)
        open(conf, 'w').write(f'user_names: {mode}\n')
        hidden = events('-c', conf)
        users = {e['stripwire'].get('user', '') for e in hidden if e['event_type'] in ('imap', 'pop3')}
        check(mode, all(re.fullmatch('(user-[0-9a-f]{12})?(@.*)?', u) for u in users), users)
        text = json.dumps([e for e in hidden if e['event_type'] != 'alert'])
        check(mode, not re.search(r'"(alice|bob|carol)[@"]', text))
        for m in (e['smtp'] for e in hidden if e['event_type'] == 'smtp'):
            for a in [m['mail_from'], *m.get('rcpt_to', [])]:
                check(mode, re.match(r'<(>|user-|\*{8}@)', a), a)

# ---- the same with workers, and nothing that was not asked for ----

for a, b in ((TYPES, 'flow,tls'), (TYPES, 'smtp')):
    want = [e for e in all_events if e['event_type'] in ('alert', 'incident', *b.split(','))]
    check(f'only {b}', events(types=b) == want)
check('workers', events('-w', '3', types='flow,tls,smtp,imap,pop3') ==
      [e for e in all_events if e['event_type'] != 'stats'])
stats = [e['stats'] for e in all_events if e['event_type'] == 'stats']
packets = sum(1 for path in glob.glob('pcaps/*.pcap') for _ in frames(path))
check('stats', len(stats) == 1 and stats[0]['decoder']['pkts'] == packets, f'{stats} for {packets}')
bad = subprocess.run([PROGRAM, 'read', '--no-db', '--eve-types', 'flow,dns', 'pcaps'], text=True, stderr=subprocess.PIPE)
check('unknown type', bad.returncode == 2 and bad.stderr ==
      'stripwire read: --eve-types flow,dns: must be a list of flow, tls, smtp, imap, pop3, stats, with commas between\n', bad.stderr)
print(f'{passed} passed, {failed} failed')
sys.exit(failed > 0)
