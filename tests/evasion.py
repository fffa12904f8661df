#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to hide bytes from a sensor, or to show it bytes that no host reads, each held against what a real host read.

    evasion.py [-v] [--only REGEX] [--doc]

tests/evasion/ holds the cases, what a Linux host read in each (truth.json) and what the tap saw meanwhile
(captures.tar.gz); record.py makes both anew. Here every capture is replayed in both ways of reassembly. What the tracker
gives its decoder must be what the host read; if it is not, the flow must be marked as ambiguous, or have a gap just
there. --doc writes the table of docs/evasion.md, which is also a test.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, 'evasion')
DOC = os.path.join(HERE, '..', 'docs', 'evasion.md')
MARK = '<!-- made by tests/evasion.py --doc -->\n'
AMBIGUOUS, ONE_WAY = 1 << 5, 1 << 1
sys.dont_write_bytecode = True
sys.path.insert(0, FOLDER)
import cases  # noqa: E402


class Flow:
    def __init__(self, client_port):
        self.client_port, self.vis, self.obs, self.dir = client_port, 0, [], {'c2s': [], 's2c': []}

    def bytes(self, way):
        return b''.join(p for p in self.dir[way] if isinstance(p, bytes))

    def has_gap(self, way):
        return any(isinstance(p, int) for p in self.dir[way])

    def fits(self, way, text):
        """With its gaps, could it be this text?"""
        parts = [b'.{%d}' % p if isinstance(p, int) else re.escape(p) for p in self.dir[way]]
        return re.fullmatch(b''.join(parts), text, re.S) is not None


def dump(tool, always, paths):
    """Returns {path: [Flow]}."""
    out = subprocess.run([tool] + ['--always'] * always + paths, capture_output=True, text=True, timeout=300)
    if out.returncode:
        sys.exit('streamdump: ' + out.stderr)
    files, flows = {}, {}
    for line in out.stdout.splitlines():
        w = line.split()
        if w[0] == 'file':
            flows = files.setdefault(w[1], {})
        elif w[0] == 'flow':
            flows[w[1]] = Flow(int(w[2]))
        elif w[0] not in flows:
            continue
        elif w[1] in ('vis', 'end'):
            flows[w[0]].vis = int(w[2], 16)
        elif w[1] == 'obs':
            flows[w[0]].obs.append(w[2])
        else:
            flows[w[0]].dir[w[1]].append(int(w[3]) if w[2] == 'gap' else bytes.fromhex(w[2]))
    return {p: list(f.values()) for p, f in files.items()}


SAME, GAP, TOLD, WRONG = 'as the host', 'gap', 'ambiguous', 'WRONG'


def judge(way, truth, flow):
    """What the host read, held against what was delivered; and what the host wrote."""
    read, wrote = truth['read'].encode('latin-1'), truth['wrote'].encode('latin-1')
    back = 's2c' if way == 'c2s' else 'c2s'
    told = flow.vis & AMBIGUOUS
    if not wrote.startswith(flow.bytes(back)) and not flow.has_gap(back):
        return TOLD if told else WRONG
    if flow.bytes(way) == read and not flow.has_gap(way):
        return SAME
    if flow.has_gap(way) and flow.fits(way, read):
        return GAP
    return TOLD if told else WRONG


def compare(server, truths, flows):
    """Connections of the host, in order, against flows that delivered something."""
    way = 'c2s' if server else 's2c'
    ours = [f for f in flows if f.bytes('c2s') or f.bytes('s2c')]
    real = [t for t in truths if t['read'] or t['wrote']]
    results = []
    while real and ours:
        results.append(judge(way, real[0], ours[0]))
        if results[-1] == WRONG and len(ours) > len(real):
            results[-1] = TOLD if ours[0].vis & (AMBIGUOUS | ONE_WAY) else WRONG
            ours = ours[1:]
            continue
        real, ours = real[1:], ours[1:]
    results += [WRONG for t in real if t['read']]  # missed
    results += [TOLD if f.vis & AMBIGUOUS or f.vis & ONE_WAY else WRONG for f in ours]  # of no connection
    for r in (WRONG, TOLD, GAP):
        if r in results:
            return r
    return SAME


def is_twin(name):
    """Ordinary traffic that looks like it: nothing may be said of it."""
    c = next(c for c in cases.load() if c.name == name[:-3])
    return 'twin' in c.source.split('; ')


def show(flows):
    return ' | '.join(f'vis {f.vis:x} {",".join(f.obs)} c2s {f.dir["c2s"]} s2c {f.dir["s2c"]}' for f in flows)


def replay(args, tmp):
    """Returns ({case.vN: result}, truth of all, kernel)."""
    with open(os.path.join(FOLDER, 'truth.json')) as f:
        known = json.load(f)
    truth = known['cases']
    with tarfile.open(os.path.join(FOLDER, 'captures.tar.gz')) as t:
        t.extractall(tmp)
    names = [f'{c.name}.v{v}' for c in cases.load() for v in (4, 6) if c.only in (None, v)]
    if sorted(names) != sorted(truth):
        sys.exit('FAIL truth.json has not the cases that are listed: run tests/evasion/record.py')
    server = {f'{c.name}.v{v}': c.server for c in cases.load() for v in (4, 6)}
    names = [n for n in names if re.search(args.only, n)]
    paths = [os.path.join(tmp, n + '.pcap') for n in names]
    results, both = {}, [dump(args.tool, always, paths) for always in (False, True)]
    for n, path in zip(names, paths):
        got = [compare(server[n], truth[n], d[path]) for d in both]
        results[n] = got[0] if got[0] == got[1] else WRONG
        if is_twin(n) and (results[n] != SAME or any(f.vis & AMBIGUOUS for d in both for f in d[path])):
            results[n] = WRONG
        if results[n] == WRONG or args.verbose:
            print(f'{"FAIL" if results[n] == WRONG else "    "} {n}: {" / ".join(got)}\n       host: {truth[n]}\n'
                  f'       ours: {show(both[0][path])}'[:1200])
    return results, truth, known['kernel']


def cell(results):
    have = [r for r in results if r]
    return have[0] if len(set(have)) == 1 else ', '.join(f'IPv{v} {r}' for v, r in zip((4, 6), results) if r)


def short(text):
    text = text.replace('\r\n', '⏎')
    return f'`{text if len(text) <= 44 else text[:30] + "…" + text[-10:]}`' if text else 'nothing'


def heard(truth):
    return ' then '.join(short(t['read']) for t in truth) or 'no connection'


def both(values):
    have = [v for v in values if v]
    return have[0] if len(set(have)) == 1 else '<br>'.join(f'IPv{v}: {x}' for v, x in zip((4, 6), values) if x)


def table(results, truth, kernel):
    lines = [f'Recorded on {kernel}. {len(cases.load())} cases, {len(results)} captures: ' + ', '.join(
        f'{sum(r == k for r in results.values())} {k}' for k in (SAME, TOLD, GAP)) + '.\n']
    for module, title in (('cases_overlap', 'Overlaps'), ('cases_segment', 'Segments, order, windows, fields'),
                          ('cases_handshake', 'Handshake'), ('cases_teardown', 'Teardown'),
                          ('cases_server', "The server's side"), ('cases_ip', 'Below TCP')):
        lines += [f'\n## {title}\n', '| case | source | what it is | the host read | Stripwire |', '|---|---|---|---|---|']
        for c in cases.load():
            if c.play.__module__ != module:
                continue
            names = [f'{c.name}.v{v}' for v in (4, 6)]
            lines.append(f'| {c.name} | {c.source} | {c.what} | '
                         f'{both([n in truth and heard(truth[n]) for n in names])} | '
                         f'{cell([results.get(n) for n in names])} |')
    return '\n'.join(lines) + '\n'


def main():
    p = argparse.ArgumentParser()
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--only', default='')
    p.add_argument('--doc', action='store_true')
    p.add_argument('--tool', default=os.path.join(HERE, '..', 'build', 'asan', 'tools', 'streamdump'))
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        results, truth, kernel = replay(args, tmp)
    failed = sum(r == WRONG for r in results.values())
    if not args.only:
        with open(DOC) as f:
            head, _, old = f.read().partition(MARK)
        new = table(results, truth, kernel)
        if args.doc:
            with open(DOC, 'w') as f:
                f.write(head + MARK + new)
        elif old != new:
            print('FAIL docs/evasion.md is not current: tests/evasion.py --doc writes it')
            failed += 1
    print(f'{len(results) + (not args.only) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
