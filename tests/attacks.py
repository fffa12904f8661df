#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/attacks.md: what the published toolkits do, and what is said of it on both sides of the attacker.

    attacks.py            the page is what scenes/attacks-*.txt say, and no test case is missing
    attacks.py --write    makes the page

The findings of the page are those that the scenes want, and tests/scenes.py plays these.
"""
import fnmatch
import glob
import os
import re
import sys

from scenes import HERE, load

PAGE = os.path.join(HERE, '..', 'docs', 'attacks.md')
OUTSIDE = 'ACAP FTP IRC NNTP XMPP'.split()
HEAD = """# What the known toolkits do, and what is said of it

Two toolkits attack STARTTLS in every way that was published. The tables below name their test cases and the findings that
Stripwire gives on both sides of the attacker. The page is made by `tests/attacks.py` from the scenes in
`tests/scenes/attacks-*.txt`; `make test` plays each of them over IPv4, IPv6, in segments of one byte and with bare LF, and
fails if the page says anything else. Test cases that look the same share a scene.

- *client's side*: the sensor stands between client and attacker and sees what the client sees;
  *server's side*: between attacker and server. The same attack looks different from each.
- (H), (M): high or medium confidence; without a letter either. (info): a fact for the record, no alarm.
- ¹ the server was seen before, here in 12 to 24 sessions with TLS. All other findings need nothing but this one session.
- *nothing*: what passes on this side is an ordinary dialogue, and nothing above info may be said of it.
- Findings that the scenes allow besides, such as `cert-bad-accepted`, are not listed.
"""
TOOLS = {
    'striptls': """
## striptls

A proxy in the path (tintinweb, `--vectors`). Its vectors for other protocols ({outside}) are not mail: Stripwire does not
look at them.
""",
    'EAST': """
## Email Analysis Toolkit (EAST)

Poddebniak, Ising, Böck, Schinzel: *Why TLS Is Better Without STARTTLS* (USENIX Security 2021). The fake mail server's test cases
are named by their place under `testcases/`; the client is led to it, and the real server sees something only if the
attacker passes on what the client says. That is what its column shows. Many cases ask how a client takes an answer that is merely
odd: where nothing goes in clear afterwards, nothing is said.
"""}


def short(names):
    """One folder after the other: its name stands once."""
    folders = {}
    for n in names:
        folder, _, leaf = n.rpartition('/')
        folders.setdefault(folder, []).append(leaf)
    return ', '.join(f'{f}/{", ".join(x)}' if f else ', '.join(x) for f, x in folders.items())


def finding(wish):
    name, band, severity = re.fullmatch(r'([\w-]+)(?::(\w+))?(?:/(\w+))?', wish).groups()
    return f'{name} (info)' if severity == 'info' else f'{name} ({band})' if band else name


class Scene:
    def __init__(self, name, steps):
        self.tool, rest = name.split('/', 1)
        rest, self.side = rest.rsplit('/', 1)
        lines = [line for _, line in steps]
        words = lambda key: [w for line in lines if line.startswith(key + ' ') for w in line.split()[1:]]
        found = [line[5:].split(' | ', 1)[0] for line in lines if line.startswith('case ')]
        self.names = [f'{self.tool}/{rest.replace("$name", c)}' for c in found or ['']] + words('names')
        self.what = ' '.join(line[5:] for line in lines if line.startswith('what '))
        self.want = [finding(w) for w in words('want')]
        self.history = any(line.startswith('run ') for line in lines)

    def cell(self):
        if not self.want:
            return 'nothing'
        return ', '.join(self.want) + ('¹' if self.history else '')


def servers_side(scenes, name):
    found = [s for s in scenes if any(fnmatch.fnmatchcase(name, n) for n in s.names)]
    if len(found) != 1:
        sys.exit(f'{name}: {len(found)} scenes show the server\'s side')
    return found[0].cell()


def rows(clients, servers):
    """One row for the cases of a scene that look the same on both sides."""
    for s in clients:
        sides = {}
        for name in s.names:
            sides.setdefault(servers_side(servers, name), []).append(name.split('/', 1)[1])
        for cell, names in sides.items():
            yield f'| {short(names)} | {s.what} | {s.cell()} | {cell} |'


def page(scenes):
    out = [HEAD]
    for tool, text in TOOLS.items():
        out.append(text.format(outside=', '.join(OUTSIDE)))
        out.append('| test case | what is done | client\'s side | server\'s side |\n|---|---|---|---|')
        mine = [s for s in scenes if s.tool == tool]
        out += rows([s for s in mine if s.side == 'client'], [s for s in mine if s.side == 'server'])
    return '\n'.join(out) + '\n'


def main():
    found = {}
    for path in sorted(glob.glob(os.path.join(HERE, 'scenes', 'attacks-*.txt')), reverse=True):
        load(path, {}, found)
    scenes = [Scene(name, steps) for (name, _), steps in found.items()]
    text, bad = page(scenes), []
    with open(os.path.join(HERE, 'scenes', 'attacks.names')) as f:
        known = {line.strip() for line in f if not line.startswith('#')}
    shown = [n for s in scenes if s.side == 'client' for n in s.names]
    bad += [f'{n} is in no scene' for n in sorted(known - set(shown))]
    bad += [f'{n} is no test case, or stands there twice' for n in shown if n not in known or shown.count(n) > 1]
    if sys.argv[1:] == ['--write']:
        with open(PAGE, 'w') as f:
            f.write(text)
    with open(PAGE) as f:
        if f.read() != text:
            bad.append('docs/attacks.md is not what the scenes say: tests/attacks.py --write')
    for line in bad:
        print('FAIL', line)
    print(f'{len(known) + 1 - len(bad)} passed, {len(bad)} failed')
    return bool(bad)


if __name__ == '__main__':
    sys.exit(main())
