# SPDX-License-Identifier: GPL-3.0-or-later
"""The workloads of the benchmarks: made by mailgen.py, always the same bytes, in a
memory file system (BENCH_DIR, by default /dev/shm), and kept there for the next run."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
DIR = os.environ.get('BENCH_DIR', '/dev/shm')
FULL = 1.5e9  # bytes of a at full size; the others in proportion

WORK = {  # name: kind, seed, share of the bytes or (option, count) at full size, more options, what it is
    'a': ('smtp-plain', 11, 1.0, ['--concurrency', '500'], 'SMTP with bodies'),
    'b': ('smtp-starttls', 12, 1.0, ['--concurrency', '500', '--rst', '0.02'], 'SMTP with STARTTLS'),
    'c': ('imap-pop3', 13, 2 / 3, ['--concurrency', '500'], 'IMAP and POP3'),
    'd': ('mixed-span', 14, 1.0, ['--concurrency', '2000'], 'a span with 5 % mail'),
    'e': ('small-sessions', 15, [('--sessions', 300000)], ['--concurrency', '2000'], 'small sessions'),
    'f': ('many-concurrent', 16, [('--flows', 100000), ('--activity', 600000)], [], 'many open flows'),
}


def size(text):
    unit = {'K': 1e3, 'M': 1e6, 'G': 1e9}.get(text[-1:].upper(), 1)
    return float(text[:-1] if unit != 1 else text) * unit


def make(path, kind, *options):
    """A capture, unless it is there."""
    if not os.path.exists(path):
        subprocess.run([sys.executable, f'{HERE}/mailgen.py', kind, '-o', path + '.tmp', '--tls-cache',
                        f'{HERE}/mailgen-tls.json', *map(str, options)], check=True, stderr=subprocess.DEVNULL)
        os.rename(path + '.tmp', path)
    return path


def workload(name, nbytes, other=0):
    """Path of a workload; nbytes: of a, from which the sizes of the others follow. other: another one of its kind."""
    kind, seed, share, more, _ = WORK[name]
    part = nbytes / FULL
    if isinstance(share, list):
        much = [x for option, n in share for x in (option, max(1, round(n * part)))]
    else:
        much = ['--bytes', round(nbytes * share)]
    which = f'-{other}' if other else ''
    return make(f'{DIR}/stripwire-bench-{name}-{nbytes / 1e6:g}M{which}.pcap', kind, *much, '--seed',
                seed + 100 * other, *more)


def root():
    """The anchor of the certificates in b, and a configuration that stores every alert."""
    pem, conf = f'{DIR}/stripwire-bench-root.pem', f'{DIR}/stripwire-bench.conf'
    with open(pem, 'w') as f:
        f.write(json.load(open(f'{HERE}/mailgen-tls.json'))['root'])
    with open(conf, 'w') as f:
        f.write('incidents:\n  alerts: 0\n')
    return pem, conf


def command(db, paths, *options, program=f'{TOP}/stripwire'):
    """stripwire read with all there is: shipped rules, history, database, every alert stored."""
    pem, conf = root()
    return [program, 'read', '-q', '-c', conf, '-d', db, '-r', f'{TOP}/sensor.rules', '--interceptors',
            f'{TOP}/interceptors.list', '--trust', pem, *options, *paths]


def forget(db):
    for end in ('', '-wal', '-shm', '-journal'):
        if os.path.exists(db + end):
            os.unlink(db + end)


def run(cmd, out='/dev/null'):
    """CPU seconds of it and its children, wall seconds, peak KiB of the largest process."""
    import time
    start = time.monotonic()
    pid = os.posix_spawnp(cmd[0], cmd, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, '/dev/null', os.O_WRONLY, 0)])
    _, status, ru = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f'{" ".join(cmd)}: exit {os.waitstatus_to_exitcode(status)}')
    return ru.ru_utime + ru.ru_stime, time.monotonic() - start, ru.ru_maxrss
