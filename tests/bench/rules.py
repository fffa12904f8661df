#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes content rules for measuring: rules.py COUNT [SEED]

They look at every buffer that has bytes in the workloads, with patterns as published rules have them (5 to 24 bytes,
half of them without case, one in five with a second content or a pcre behind it). A few match something; most do not.
"""
import random
import sys

BUFFERS = [('smtp', 'smtp.command', 'to_server'), ('smtp', 'smtp.reply', 'to_client'), ('smtp', 'smtp.helo', ''),
           ('smtp', 'smtp.mail_from', ''), ('smtp', 'smtp.rcpt_to', ''), ('smtp', 'smtp.greeting', ''),
           ('smtp', 'smtp.capability', ''), ('tls', 'tls.sni', ''), ('tls', 'tls.cert_subject', ''),
           ('tls', 'tls.cert_issuer', ''), ('tls', 'tls.subjectaltname', ''), ('tls', 'ja3.hash', ''),
           ('mail', 'auth.user', ''), ('mail', '', 'to_server')]
WORDS = 'alpha bank cargo delta echo fax gold hotel invoice june kilo lottery mail news order pay quota'.split()
LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789.-_@'


def content(r):
    text = r.choice(WORDS) + ''.join(r.choice(LETTERS) for _ in range(r.randint(2, 18)))
    return f'content:"{text}"; ' + ('nocase; ' if r.random() < .5 else '')


def rule(r, sid):
    proto, buffer, flow = BUFFERS[sid % len(BUFFERS)]
    out = f'flow:established,{flow}; ' if flow else ''
    out += f'{buffer}; ' if buffer else ''
    out += content(r)
    kind = r.random()
    if kind < .1:
        out += f'content:"{r.choice(WORDS)}"; distance:0; '
    elif kind < .2:
        out += 'pcre:"/[a-z]{3,9}[0-9]+$/Ri"; '
    return f'alert {proto} any any -> any any (msg:"measured {sid}"; {out}sid:{sid}; rev:1;)'


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    r = random.Random(seed)
    for sid in range(1, count + 1):
        print(rule(r, sid))


main()
