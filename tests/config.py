#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# config.py PROGRAM: the installed sample is what the table of keys makes, it
# is right, and the manual page names every key with its range and default.
import json
import re
import subprocess
import sys


def run(*words):
    return subprocess.run([sys.argv[1], 'config', *words], check=True, text=True, stdout=subprocess.PIPE).stdout


def plain(text):
    return ' '.join(text.replace('\\&', '').split())


sample = run('keys')
assert open('packaging/stripwire.conf').read() == sample, 'packaging/stripwire.conf: make it anew by stripwire config keys'
values = json.loads(run('check', '--json', 'packaging/stripwire.conf'))['values']
manual = {m.split()[0]: plain(m) for m in open('docs/stripwire.conf.5').read().split('\n.It Cm ')[1:]}
FEED = 'feeds.NAME.'
keys = {m for m in manual if not m.startswith(FEED)}
assert keys == set(values), f'docs/stripwire.conf.5: keys {keys ^ set(values)}'
section, comment, seen = '', [], set()
for line in sample.splitlines():
    key = re.match(r'(#?)((?:    |  )?)([a-z_]+):(.*)', line)
    if not key:
        comment.append(line.strip('# '))
        continue
    if key[3] == 'siem':
        section = FEED
        continue
    if not key[1] and key[3] not in ('variables', 'feeds'):
        section, comment = key[3] + '.', []
        continue
    name = (section if key[2] else '') + key[3]
    text = plain(' '.join(comment))
    value_range, default = text[text.rindex('Value: ') + 7:], key[4].strip()
    assert value_range in manual[name], f'docs/stripwire.conf.5: {name}: {value_range}'
    assert default in ('', '[]') or f'Default: {default}' in manual[name], f'docs/stripwire.conf.5: {name}: {default}'
    seen.add(name)
    comment = []
assert seen == set(manual), seen ^ set(manual)
