# SPDX-License-Identifier: GPL-3.0-or-later
"""What sends in tests/transports.py: one transport alone (tests/tools/feedsend),
or the whole sensor with a feed. Both go no further than they are allowed,
can be killed with -9, and go on where they were when they are started anew."""
import json
import os
import signal
import sqlite3
import subprocess
import time

from receivers import ROOT, wait_for

SEND = os.environ.get('FEEDSEND', f'{ROOT}/build/release/tools/feedsend')
SENSOR = f'{ROOT}/build/release/stripwire'
SIZE = 400


class Transport:
    def __init__(self, folder, kind, count, *args):
        self.files, self.count = f'{folder}/{kind}-{time.monotonic_ns()}', count
        self.argv = [SEND, kind, *map(str, args), f'count={count}', f'cursor={self.files}.cursor', f'gate={self.files}.gate',
                     'timeout_ms=3000']
        self.allow(0)
        self.start()

    @staticmethod
    def body(n):
        m = b'{"n":%d,"name":"m\xc3\xbcller \\"x\\"","pad":"' % n
        head = len(b'<134>1 2026-01-02T03:04:05.678901Z sensor stripwire 42 alert - ')
        return m + bytes(97 + i % 26 for i in range(head + len(m), SIZE - 2)) + b'"}'

    def allow(self, n):
        with open(f'{self.files}.new', 'w') as f:
            f.write(f'{n}\n')
        os.rename(f'{self.files}.new', f'{self.files}.gate')

    def start(self):
        with open(f'{self.files}.out', 'ab') as out:
            self.p = subprocess.Popen(self.argv, stdout=out, stderr=out)

    def kill(self):
        self.p.kill()
        self.p.wait()

    def finish(self, patience, _):
        self.p.wait(patience)

    def end(self):
        self.kill()

    def said(self):
        with open(f'{self.files}.out', errors='replace') as f:
            return f.read().splitlines()

    def figures(self):
        return self.said()[-1]

    def state(self):
        return ''


class Sensor:
    """`stripwire run` on an interface without traffic; alerts are written into
    its database as the judge writes them. options: lines of the feed."""
    def __init__(self, folder, name, count, *options):
        self.dir = f'{folder}/sensor-{name.replace(" ", "-")}'
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o777)
        os.mkdir(f'{self.dir}/crash', 0o700)
        self.db, self.log, self.given = f'{self.dir}/db', f'{self.dir}/log', 0
        with open(f'{self.dir}/conf', 'w') as f:
            f.write(f'run:\n  crash_folder: {self.dir}/crash\nfeeds:\n  siem:\n' + ''.join(f'    {o}\n' for o in options))
        self.start()

    @staticmethod
    def body(n):
        return (b'{"n":%d,"timestamp":"2026-01-02T03:04:05.678901+0000","event_type":"alert","src_ip":"198.51.100.7","src_port":40000,'
                b'"dest_ip":"192.0.2.%d","dest_port":25,"proto":"TCP","alert":{"signature":"m\xc3\xbcller \\"x\\" \\u0007"},'
                b'"stripwire":{"event_id":"%032x"}}' % (n, n % 200, n))

    def start(self):
        with open(self.log, 'ab') as out:
            said = self.text().count('capturing with')
            self.p = subprocess.Popen([SENSOR, 'run', '-c', f'{self.dir}/conf', '-i', 'quiet0', '-w', '1', '-d', self.db,
                                       '-r', f'{ROOT}/sensor.rules', '--interceptors', f'{ROOT}/interceptors.list', '--no-system-trust',
                                       '--socket', f'{self.dir}/sock', '--user', 'nobody'], stdout=out, stderr=out, cwd=self.dir)

        def up():
            if self.p.poll() is not None:
                raise RuntimeError('the sensor ended: ' + self.text()[-800:])
            return self.text().count('capturing with') > said and self.row() is not None
        wait_for(up, 60, lambda: 'the sensor does not begin: ' + self.text()[-800:])

    def text(self):
        try:
            with open(self.log, errors='replace') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def said(self):
        return self.text().splitlines()

    def query(self, sql):
        c = sqlite3.connect(f'file:{self.db}?mode=ro', uri=True, timeout=20)
        try:
            return c.execute(sql).fetchone()
        finally:
            c.close()

    def row(self):
        try:
            return self.query("SELECT cursor, sent, again, failed, error FROM feeds WHERE name = 'siem'")
        except sqlite3.Error:
            return None

    def allow(self, n):
        c = sqlite3.connect(self.db, timeout=60)
        now = time.time_ns()
        with c:
            c.executemany('INSERT INTO events(type, time, stored, id, ref, eve) VALUES (?,?,?,?,?,?)',
                          (('alert', now, now, '%032x' % i, i, self.body(i).decode()) for i in range(self.given + 1, n + 1)))
        c.close()
        self.given = max(n, self.given)

    def family(self):
        """pids of the sensor and all that it started"""
        parents = {}
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{pid}/stat') as f:
                    parents.setdefault(int(f.read().rsplit(')', 1)[1].split()[1]), []).append(int(pid))
            except OSError:
                pass
        found, new = [], [self.p.pid]
        while new:
            found += new
            new = [c for p in new for c in parents.get(p, [])]
        return found

    def kill(self):
        pids = self.family()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.p.wait()
        wait_for(lambda: not any(alive(pid) for pid in pids), 20, 'the killed sensor lives')

    def finish(self, patience, settle):
        settle()

    def end(self):
        if self.p.poll() is None:
            self.p.terminate()
            try:
                self.p.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def state(self):
        return self.row()

    def figures(self):
        r = dict(zip(('cursor', 'sent', 'again', 'failed', 'error'), self.row()))
        peak = [open(f'/proc/{p}/status').read() for p in self.family()] if self.p.poll() is None else []
        r['peak_mib'] = max([int(l.split()[1]) // 1024 for t in peak for l in t.splitlines() if l.startswith('VmHWM')], default=0)
        return json.dumps(r)


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as f:
            return f.read().rsplit(')', 1)[1].split()[0] not in 'ZX'
    except OSError:
        return False
