#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds of the running sensor, into files: everything that is stored arrives,
whatever is killed and whatever breaks.

    feed_delivery.py [--alerts N] [--kills N] [--breaks N]

The sensor runs on a veth pair in a network namespace of its own. Connections
with a password in clear are sent to it until so many events are stored; in
that time all its processes are killed with -9 and started again, and the disk
of a feed is filled, made read-only or taken away, and given back. Then each
event of the database must be in the file, and what is there twice must have
the same event_id and be the same line.

Nothing is measured that load could spoil. Skipped, visibly, without root and
network namespaces.
"""
import argparse
import collections
import glob
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, HERE + '/tools']
import live  # noqa: E402
from live import check, skip, until  # noqa: E402
from make_capture import Capture  # noqa: E402

MESSAGES = """conn 143
S: * OK IMAP4rev1 ready
C: a LOGIN alice secret
S: a OK done
fin C"""
CONF = """incidents:
  alerts: 0
events:
  max: 1000000
feeds:
  out:
    type: file
    path: %(dir)s/disk0/out.jsonl
    rotate_size: %(rotate)s
    rotate_keep: 1000
  grave:
    type: file
    path: %(dir)s/grave.jsonl
    events: [incident]
  flows:
    type: file
    path: %(dir)s/flows.jsonl
    events: [flow]
  nowhere:
    type: file
    path: %(dir)s/missing/out.jsonl
"""


def run(*words):
    return subprocess.run([live.SENSOR, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


class Sensor(live.Sensor):
    """feed `out` writes to a small file system of its own, disk0"""
    def __init__(self, size):
        self.size = size
        super().__init__(workers=2, buffer='32MiB')

    def start(self):
        self.out_dir = self.dir + '/disk0'
        if not os.path.isdir(self.out_dir):
            os.mkdir(self.out_dir)
            subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=777,size=' +
                            self.size, 'none', self.out_dir], check=True)
            with open(self.dir + '/conf', 'a') as f:
                f.write(CONF % {'dir': self.dir, 'rotate': '2MiB'})
        # on a machine that is too busy it gives up after 20 s
        for _ in range(10):
            self.launch()
            if until(lambda: self.p.poll() is not None or self.is_up()) and \
                    self.p.poll() is None:
                return
            self.p.kill()
            self.p.wait()
        check(False, 'the sensor starts: ' + self.said()[-500:])

    def launch(self):
        self.out = open(self.log, 'a')
        self.before = self.said().count('capturing with')
        self.p = subprocess.Popen(
            [live.SENSOR, 'run', '-c', self.dir + '/conf', '-i', 'sw1', '-w',
             str(self.workers), '-d', self.db, '-r', self.rules,
             '--interceptors', live.TOP + '/interceptors.list',
             '--no-system-trust', '--eve', self.eve, '--socket',
             self.dir + '/sock', '--user', 'nobody'],
            stderr=self.out, cwd=self.dir)

    def is_up(self):
        return self.said().count('capturing with') > self.before

    def feed(self, name):
        st = self.status()
        got = [f for f in st['feeds'] if f['name'] == name] if st else []
        return got[0] if got else None

    def all_pids(self):
        st = self.status()
        if not st:
            return [self.p.pid]
        return [self.p.pid, st['judge']['pid'], st['verifier_pid'],
                st['feeds_pid']] + [w['pid'] for w in st['workers']]

    def kill_all(self):
        for pid in self.all_pids():
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.p.wait()

    def lines(self):
        got = []
        for name in sorted(glob.glob(self.out_dir + '/out.jsonl*'),
                           key=lambda n: os.stat(n).st_mtime_ns):
            with open(name, 'rb') as f:
                got += f.read().splitlines(True)
        return got

    def end(self):
        if self.p.poll() is None:
            self.stop()
        subprocess.run(['umount', self.out_dir])
        super().end()


def stored(s):
    got = s.rows('select count(*) from events')
    return got[0][0] if got else 0


# ---- breaking the disk: each returns what mends it ----

def fill(s):
    with open(s.out_dir + '/fill', 'wb') as f:
        try:
            while f.write(b'x' * 65536):
                f.flush()
        except OSError:
            pass
    return lambda: os.unlink(s.out_dir + '/fill')


def read_only(s):
    def remount(how):
        return subprocess.run(['mount', '-o', 'remount,' + how, s.out_dir],
                              stderr=subprocess.DEVNULL).returncode == 0
    # refused while a file is open for writing
    if not remount('ro'):
        return fill(s)
    return lambda: until(lambda: remount('rw'))


def no_folder_rights(s):
    """the file is moved away and the folder closed"""
    n = len(glob.glob(s.out_dir + '/out.jsonl*'))
    try:
        os.rename(s.out_dir + '/out.jsonl', s.out_dir +
                  '/out.jsonl.moved%d' % n)
    except FileNotFoundError:
        pass
    os.chmod(s.out_dir, 0o555)
    return lambda: os.chmod(s.out_dir, 0o777)


BREAKS = [fill, no_folder_rights, read_only]


def sender(pcap, rate):
    return subprocess.Popen(
        [live.SEND, '-c', '-n', '100000000', '-r', str(rate), 'sw0', pcap],
        stdout=subprocess.DEVNULL)


def arrived(s):
    """every event of the database is in the files, and nothing else is"""
    ids = [r[0] for r in s.rows('select id from events order by seq')]
    lines = s.lines()
    check(all(line.endswith(b'\n') for line in lines), 'a line is cut')
    seen = collections.Counter()
    text = {}
    unlike = 0
    for line in lines:
        event_id = json.loads(line)['stripwire']['event_id']
        unlike += text.setdefault(event_id, line) != line
        seen[event_id] += 1
    check(unlike == 0, '%d lines with the id of another' % unlike)
    missing = [i for i in ids if seen[i] == 0]
    check(not missing, '%d of %d events are missing' % (len(missing), len(ids)))
    # of what came twice the first one counts
    check(list(text) == list(dict.fromkeys(ids)), 'in the order of the database')
    # an incident that ended just before the kill ends once more after it
    twice = s.rows("select count(*) - count(distinct id) from events where "
                   "type='alert'")
    check(twice == [(0,)], 'an alert twice in the database: %s' % twice)
    check(not set(seen) - set(ids), '%d lines that are no event' %
          len(set(seen) - set(ids)))
    return len(seen), len(lines) - len(seen)


def test_storm(s, alerts, kills, breaks):
    pcap = s.dir + '/one.pcap'
    c = Capture(False)
    c.play(MESSAGES.splitlines())
    c.write(pcap)
    rate = 30000 if alerts > 20000 else 4000
    p = sender(pcap, rate)
    todo = [('kill', None)] * kills + \
        [('break', BREAKS[i % len(BREAKS)]) for i in range(breaks)]
    random.Random(8).shuffle(todo)
    broke = 0
    try:
        for i, (what, how) in enumerate(todo):
            goal = alerts * (i + 1) // (len(todo) + 1)
            check(until(lambda: stored(s) >= goal, 600), 'events are stored '
                  'at %s %d: %d of %d' % (what, i, stored(s), goal))
            if what == 'kill':
                s.kill_all()
                s.start()
                continue
            mend = how(s)
            broke += bool(until(lambda: (s.feed('out') or {}).get('state') ==
                                'down', 30))
            mend()
            check(until(lambda: (s.feed('out') or {}).get('state') == 'up',
                        150), '%s: up again: %s' % (how.__name__,
                                                    s.feed('out')))
        check(until(lambda: stored(s) >= alerts, 600), 'all are stored')
    finally:
        p.kill()
        p.wait()
    check(broke >= breaks - breaks // 3, 'breaks were noticed: %d of %d' %
          (broke, breaks))
    check(until(lambda: (lambda f: f and f['state'] == 'up' and
                         f['waiting'] == 0)(s.feed('out')), 300),
          'everything is sent: %s' % s.feed('out'))
    n, twice = arrived(s)
    print('%d events stored and sent, %d lines twice; %d kills, %d breaks' %
          (n, twice, kills, broke))
    st = s.status()
    check(st['judge']['alerts_lost'] == 0, 'no alert was lost to the store')


def test_others_go_on(s):
    """the feed whose folder is missing holds nothing up, says so once for
    each start, and begins when the folder is there"""
    f = s.feed('nowhere')
    check(f['state'] == 'down' and f['waiting'] > 0 and
          'folder does not exist' in f['error'], 'it is down: %s' % f)
    starts = s.said().count('capturing with')
    said = s.said().count('feed nowhere: ')
    check(1 <= said <= starts + s.said().count('feeds (pid'),
          'it is said once for each start: %d, %d' % (said, starts))
    text = run('status', '--socket', s.dir + '/sock').stdout
    check('nowhere' in text and 'folder does not exist' in text,
          'status for people: ' + text)
    text = run('status', '--prometheus', '--socket', s.dir + '/sock').stdout
    check('stripwire_feed_up{feed="nowhere"} 0' in text and
          'stripwire_feed_up{feed="out"} 1' in text and
          'stripwire_feed_waiting_events{feed="nowhere"} %d' %
          s.feed('nowhere')['waiting'] in text, 'status for Prometheus')
    os.mkdir(s.dir + '/missing', 0o777)
    os.chmod(s.dir + '/missing', 0o777)
    check(until(lambda: (lambda f: f and f['state'] == 'up' and
                         f['waiting'] == 0)(s.feed('nowhere')), 150),
          'it begins: %s' % s.feed('nowhere'))
    n = len({json.loads(line)['stripwire']['event_id']
             for line in open(s.dir + '/missing/out.jsonl')})
    all_ids = s.rows('select count(distinct id) from events')[0][0]
    check(n == all_ids, 'it sends all: %d of %d' % (n, all_ids))
    kinds = {json.loads(line)['event_type']
             for line in open(s.dir + '/grave.jsonl')}
    check(kinds == {'incident'}, 'only what is asked for: %s' % kinds)
    kinds = {json.loads(line)['event_type']
             for line in open(s.dir + '/flows.jsonl')}
    check(kinds == {'flow'}, 'also what is not stored: %s' % kinds)
    check(s.feed('flows')['dropped'] == 0, 'none of it is dropped: %s' %
          s.feed('flows'))


def test_process(s):
    pid = s.status()['feeds_pid']
    with open('/proc/%d/status' % pid) as f:
        st = dict(line.rstrip('\n').split(':\t', 1) for line in f if
                  ':\t' in line)
    check(st['NoNewPrivs'] == '1' and int(st['CapEff'], 16) == 0 and
          st['Uid'].split()[0] != '0', 'the feeds have no privileges')
    check(st['Seccomp'] == '2', 'the feeds have a filter')
    check(int(st['Threads']) == 5, 'a thread for each feed, and one')
    limit = open('/proc/%d/limits' % pid).read().split('Max core file size')
    check(limit[1].split()[0] == '0', 'no core files')
    os.kill(pid, signal.SIGKILL)
    check(until(lambda: (lambda st: st and st['feeds_pid'] not in (0, pid))(
        s.status())), 'another one takes its place')
    check(until(lambda: (s.feed('out') or {}).get('state') == 'up'),
          'and goes on')


def test_reload(s):
    """moved away, SIGHUP: a new file; a feed more in the configuration: it
    gets what comes"""
    old = s.status()['feeds_pid']
    os.rename(s.dir + '/grave.jsonl', s.dir + '/grave.old')
    s.p.send_signal(signal.SIGHUP)
    check(until(lambda: os.path.exists(s.dir + '/grave.jsonl'), 20),
          'a file that was moved away is made anew')
    check(s.status()['feeds_pid'] == old, 'by the same process')
    with open(s.dir + '/conf', 'a') as f:
        f.write('  added:\n    type: file\n    path: %s/added.jsonl\n' % s.dir)
    s.p.send_signal(signal.SIGHUP)
    check(until(lambda: (s.feed('added') or {}).get('state') == 'up'),
          'a feed more: ' + s.said()[-300:])
    live.attack(s)
    check(until(lambda: os.path.exists(s.dir + '/added.jsonl') and
                live.FINDING in open(s.dir + '/added.jsonl').read()),
          'it gets what comes')
    check(s.said().count('died of signal') <= 1 and
          'did not end' not in s.said(), 'nothing else died')


def test_commands(s):
    conf = ('-c', s.dir + '/conf', '-d', s.db, '--socket', s.dir + '/sock')
    got = run('feed', *conf, '--json')
    check(got.returncode == 0 and [f['name'] for f in json.loads(
        got.stdout)] == ['out', 'grave', 'flows', 'nowhere', 'added'], 'feed --json')
    got = run('feed', *conf, 'test', 'added')
    check(got.returncode == 0 and 'acknowledged' in got.stdout, got.stdout)
    last = json.loads(open(s.dir + '/added.jsonl').read().splitlines()[-1])
    check(last['stripwire'].get('test') is True and
          last['stripwire']['event_id'] in got.stdout, 'it is marked')
    got = run('feed', *conf, 'send')
    check(got.returncode == 2 and 'a sensor runs' in got.stdout, got.stdout)
    check(until(lambda: s.rows("select cursor from feeds where name='added'")
                == s.rows('select max(seq) from events')),
          'its cursor is kept')
    before = s.rows("select cursor from feeds where name='added'")
    os.rename(s.dir + '/added.jsonl', s.dir + '/added.old')
    got = run('feed', *conf, '--replay', 'added', '--since', '2020-01-01')
    check(got.returncode == 0, got.stdout)
    ids = {json.loads(line)['stripwire']['event_id']
           for line in open(s.dir + '/added.jsonl')}
    check({r[0] for r in s.rows('select id from events')} <= ids,
          'all of history is sent again')
    check(s.rows("select cursor from feeds where name='added'") == before,
          'its cursor has not moved')


def test_until(s):
    """of history, the part that is asked for"""
    times = [r[0] for r in s.rows('select time from events order by time')]
    since, until_ = times[len(times) // 4], times[len(times) // 2]

    def second(ns):
        return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(ns // 10**9))
    with open(s.dir + '/conf3', 'w') as f:
        f.write('feeds:\n  part:\n    type: file\n    path: %s/part.jsonl\n' %
                s.dir)
    got = run('feed', '-c', s.dir + '/conf3', '-d', s.db, '--replay', 'part',
              '--since', second(since), '--until', second(until_))
    check(got.returncode == 0, got.stdout)
    ids = collections.Counter(json.loads(line)['stripwire']['event_id']
                              for line in open(s.dir + '/part.jsonl'))
    want = collections.Counter(r[0] for r in s.rows(
        'select id from events where time between %d and %d' %
        (since // 10**9 * 10**9, until_ // 10**9 * 10**9)))
    check(0 < len(want) < len(times) and ids == want,
          'that and no more: %d, %d of %d' % (len(ids), len(want), len(times)))


def test_rebuilt(s):
    """alerts without an event get the same id from their rows"""
    copy = s.dir + '/copy.db'
    run('backup', '-d', s.db, copy)
    c = sqlite3.connect(copy)
    ids = {r[0] for r in c.execute("select id from events where type='alert' "
                                   "and ref in (select id from alerts)")}
    c.execute('delete from events')
    c.commit()
    c.close()
    os.chmod(copy, 0o666)
    with open(s.dir + '/conf2', 'w') as f:
        f.write('sensor_name: %s\nfeeds:\n  again:\n    type: file\n    path: '
                '%s/again.jsonl\n' % (os.uname().nodename, s.dir))
    got = run('feed', '-c', s.dir + '/conf2', '-d', copy, '--replay', 'again',
              '--since', '2020-01-01')
    check(got.returncode == 0 and 'made anew' in got.stdout, got.stdout)
    got = {json.loads(line)['stripwire']['event_id']
           for line in open(s.dir + '/again.jsonl')}
    check(got == ids, 'the same ids: %d, %d, %d in common' %
          (len(got), len(ids), len(got & ids)))


def test_end(s):
    check(s.stop() == 0, 'it ends: ' + s.said()[-300:])
    check(s.took < 30, 'and soon')
    print('ended within %.2f s' % s.took)
    check(s.intact(), 'the database is intact')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--alerts', type=int, default=3000)
    p.add_argument('--kills', type=int, default=2)
    p.add_argument('--breaks', type=int, default=3)
    a = p.parse_args()
    if not shutil.which('ip') or not live.own_network():
        skip('feeds of a running sensor: needs root and network namespaces')
        return live.total()
    s = Sensor('%dM' % (16 + a.alerts // 50))
    try:
        test_storm(s, a.alerts, a.kills, a.breaks)
        test_others_go_on(s)
        test_process(s)
        test_reload(s)
        test_commands(s)
        test_until(s)
        test_rebuilt(s)
        test_end(s)
    finally:
        if live.failed:
            print(s.said()[-3000:])
        s.end()
    return live.total()


if __name__ == '__main__':
    sys.exit(main())
