#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks and their benign twins, played and judged.

    scenes.py [-v] [--keep DIR] [--only REGEX] [FILE...]     (default: tests/scenes/*.txt)

A scene file holds sessions to be played again and scenes:

    @session NAME        steps (tools/make_capture.py says which)
    @scene NAME          steps, and besides them
        run NAME [xN] [every=TIME]   a session, N times
        use NAME                     its steps, here and now
        want FINDING[:BAND[SEVERITY]] ...   must be reported; BAND H, M, L as the catalogue has them, or any of
                         them together (HM); SEVERITY /info, /low ... exactly, or /alarm: anything above info
        may FINDING ...  may be reported
        times FINDING N  as often above info, neither more nor less
        pin SERVER KEY=VALUE...      what the operator said before (`stripwire history pin`)
        system CERT          this root is one of the system's, and no longer the operator's own
        case NAME | TEXT the scene is played for each, with $name and $text replaced in its steps and its own name
        what, names      for tests/attacks.py
    What else is reported above info is a false alarm. A scene without `want` must stay silent.

Each scene is played over IPv4, over IPv6, in segments of one byte and with bare LF, with the same result.
"""
import argparse
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, 'tools'))
from make_capture import Capture  # noqa: E402

WAYS = ('IPv4', 'IPv6', 'bytes', 'LF')
BANDS = {'H': (85, 100), 'M': (50, 84), 'L': (1, 49)}


def load(path, sessions, scenes):
    steps = None
    for n, line in enumerate(open(path), 1):
        line = line.strip('\n').lstrip()
        if not line.strip() or line.startswith('#'):
            continue
        m = re.match(r'@(session|scene) (\S+)$', line.rstrip())
        if m:
            steps = []
            where = f'{os.path.basename(path)}:{n}'
            if m[1] == 'session':
                sessions[m[2]] = steps
            else:
                scenes[m[2], where] = steps
        else:
            steps.append((f'{os.path.basename(path)}:{n}', line))


def cases(scenes):
    """The scenes to be played: one for each case of those that have cases."""
    out = {}
    for (name, where), steps in scenes.items():
        found = [line[5:].split(' | ', 1) for _, line in steps if line.startswith('case ')]
        for word, text in found or [('', '')]:
            full = name.replace('$name', word)
            if full in out:
                sys.exit(f'{where}: scene {full} stands there twice')
            out[full] = [(at, line.replace('$name', word).replace('$text', text) if found else line)
                         for at, line in steps if line.split()[0] not in ('case', 'what', 'names')]
    return out


def expand(steps, sessions):
    """Returns (steps to play, wanted, allowed). `FINDING=N` among the wanted: so often."""
    out, want, may = [], [], []
    for where, line in steps:
        words = line.split()
        if words[0] == 'want':
            want += words[1:]
        elif words[0] == 'times':
            want.append(f'{words[1]}={words[2]}')
        elif words[0] == 'may':
            may += words[1:]
        elif words[0] == 'run':
            times = next((int(w[1:]) for w in words if re.match(r'x\d', w)), 1)
            every = next((w[6:] for w in words if w.startswith('every=')), '15m')
            for _ in range(times):
                out += expand(sessions[words[1]], sessions)[0]
                out.append('wait ' + every)
        elif words[0] == 'use':
            out += expand(sessions[words[1]], sessions)[0]
        elif words[0] not in ('pin', 'system'):
            out.append(line)
    return out, want, may


def roots(folder):
    """The anchors of the scenes, as files: all of them, and each by itself."""
    with open(os.path.join(HERE, 'scenes', 'certs.pem')) as f:
        found = re.findall(r'# (root\d?|gateroot)\n(-----BEGIN.*?END CERTIFICATE-----\n)', f.read(), re.S)
    for name, text in found + [('root', ''.join(text for name, text in found if name != 'gateroot'))]:
        with open(os.path.join(folder, f'{name}.pem'), 'w') as f:
            f.write(text)


def setting(steps, path, tmp, binary):
    """Options and environment of `read`, by what the scene says besides its dialogues."""
    options, env = ['--trust', os.path.join(tmp, 'root.pem')], dict(os.environ)
    words = [line.split() for _, line in steps]
    pins = [w[1:] for w in words if w[0] == 'pin']
    system = [os.path.join(tmp, f'{w[1]}.pem') for w in words if w[0] == 'system']
    options += [] if system else ['--no-system-trust']
    env.update({'SSL_CERT_FILE': system[0], 'SSL_CERT_DIR': tmp + '/none'} if system else {})
    for pin in pins:
        subprocess.run([binary, 'history', '-d', path + '.db', 'pin', *pin], check=True, capture_output=True)
    return options + (['-d', path + '.db'] if pins else ['--no-db']), env


def alerts_of(binary, path, tmp, steps=(), more=()):
    """The alerts that the shipped rules raise on a capture, as EVE has them."""
    options, env = setting(steps, path, tmp, binary)
    p = subprocess.run([binary, 'read', '-q', '-r', os.path.join(HERE, '..', 'sensor.rules'), '--eve', '-', *options,
                        *more, path], capture_output=True, text=True, timeout=120, env=env)
    if p.returncode:
        raise OSError(p.stderr)
    return [e for e in map(json.loads, p.stdout.splitlines()) if e['event_type'] == 'alert']


def satisfied(wish, alerts):
    name, _, times = wish.partition('=')
    if times:
        return sum(a['finding'] == name and a['severity'] != 'info' for a in alerts) == int(times)
    m = re.fullmatch(r'([\w-]+)(?::([HML]*))?(?:/(\w+))?', wish)
    name, bands, severity = m.groups()
    for a in alerts:
        if a['finding'] != name:
            continue
        if bands and not any(BANDS[b][0] <= a['confidence'] <= BANDS[b][1] for b in bands):
            continue
        if severity == 'alarm' and a['severity'] == 'info':
            continue
        if severity not in (None, 'alarm', a['severity']):
            continue
        return True
    return False


def complaints(alerts, want, may):
    known = {re.split('[:/=]', w)[0] for w in want + may}
    out = [f'missing {w}' for w in want if not satisfied(w, alerts)]
    out += [f'false {a["finding"]} {a["confidence"]} {a["severity"]}' for a in alerts
            if a['severity'] != 'info' and a['finding'] not in known]
    return out


def play(job):
    name, steps, sessions, way, args, tmp = job
    lines, want, may = expand(steps, sessions)
    capture = Capture(way == 'IPv6')
    capture.bytes = way == 'bytes'
    capture.eol = b'\n' if way == 'LF' else b'\r\n'
    capture.play(lines)
    path = os.path.join(args.keep or tmp, f'{name}.{way}.pcap'.replace('/', '-'))
    capture.write(path)
    try:
        alerts = [e['stripwire'] for e in alerts_of(args.binary, path, tmp, steps)]
    except OSError as e:
        return name, way, [f'exit: {e}'], []
    return name, way, complaints(alerts, want, may), alerts


def main():
    p = argparse.ArgumentParser()
    p.add_argument('files', nargs='*')
    p.add_argument('-v', '--verbose', action='store_true')
    p.add_argument('--keep')
    p.add_argument('--only', default='')
    p.add_argument('--binary', default=os.path.join(HERE, '..', 'stripwire'))
    args = p.parse_args()
    sessions, scenes = {}, {}
    for path in args.files or sorted(glob.glob(os.path.join(HERE, 'scenes', '*.txt'))):
        load(path, sessions, scenes)
    scenes = cases(scenes)
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        roots(tmp)
        jobs = [(n, s, sessions, way, args, tmp) for n, s in scenes.items() for way in WAYS
                if re.search(args.only, n)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for name, way, wrong, alerts in pool.map(play, jobs):
                failed += bool(wrong)
                if wrong:
                    print(f'FAIL {name} ({way}, {scenes[name][0][0]}): ' + '; '.join(wrong))
                for a in alerts if (wrong or args.verbose) and way == 'IPv4' else []:
                    print(f'   {name}: {a["finding"]} {a["confidence"]} {a["severity"]}: ' + ' | '.join(a['evidence']))
    print(f'{len(jobs) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
