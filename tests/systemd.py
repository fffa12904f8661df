#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit under a real systemd: this machine's own system, booted in namespaces of its own on a file system that
forgets (systemd_boot.sh), with what `make install` puts there. Readiness, user and rights, reload, watchdog, restart, an
orderly end, and what systemd-analyze thinks of it. Skipped, visibly, where that cannot be done."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, TOP + '/tests')
import live  # noqa: E402

ATTACK = TOP + '/pcaps/S9-respinject-imap.client.pcap'
FINDING = 'starttls-response-injection'
WAIT = 60
EXPOSED = 3.0  # systemd-analyze security: 0 to 10, below 4 it says OK
CONF = '''run:
  interfaces: sw1
  buffer: 4MiB
eve: /var/log/stripwire/eve.json
'''
passed = failed = 0


def check(ok, what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print('FAIL', what)
    return ok


def until(fn, seconds=WAIT):
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got or time.monotonic() > end:
            return got
        time.sleep(.05)


class Machine:
    """A booted system. run() runs a command in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='stripwire-systemd.', dir='/var/tmp')
        self.p = self.init = None
        self.attacks = 0
        if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', self.dir], stderr=subprocess.DEVNULL).returncode:
            return
        self.p = subprocess.Popen(
            ['unshare', '--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup', '--fork', '--kill-child',
             TOP + '/tests/systemd_boot.sh', self.dir], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.dir + '/console', 'w'), start_new_session=True)
        self.init = until(self.find_init, 10)
        if self.init and not until(lambda: self.out('systemctl', 'is-system-running') in ('running', 'degraded'), 30):
            self.init = None

    def find_init(self):
        try:
            with open(f'/proc/{self.p.pid}/task/{self.p.pid}/children') as f:
                pid = f.read().split()[0]
            with open(f'/proc/{pid}/comm') as f:
                return pid if f.read() == 'systemd\n' else None
        except (OSError, IndexError):
            return None

    def run(self, *argv):
        return subprocess.run(['nsenter', '-t', self.init, '-a', 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C',
                               *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def out(self, *argv):
        return self.run(*argv).stdout.strip()

    def show(self, what):
        return self.out('systemctl', 'show', '-P', what, 'stripwire')

    def journal(self):
        return self.out('journalctl', '-u', 'stripwire', '-o', 'cat', '--no-pager')

    def write(self, path, text):
        subprocess.run(['nsenter', '-t', self.init, '-a', 'tee', path], input=text, text=True, stdout=subprocess.DEVNULL, check=True)

    def end(self):
        if self.init:
            os.kill(int(self.init), signal.SIGKILL)
        if self.p:
            self.p.kill()
            self.p.wait()
        until(lambda: subprocess.run(['umount', self.dir], stderr=subprocess.DEVNULL).returncode == 0, 10)
        shutil.rmtree(self.dir, ignore_errors=True)


def install(m):
    m.run('make', '-s', '-C', TOP, 'install')
    m.run('useradd', '--system', '--no-create-home', 'stripwire')
    m.run('mkdir', '-p', '/etc/stripwire')
    m.write('/etc/stripwire/stripwire.conf', CONF)
    for argv in ('link add sw0 type veth peer name sw1', 'link set sw0 up', 'link set sw1 up'):
        m.run('ip', *argv.split())
    m.run('systemctl', 'daemon-reload')


def alerts(m):
    got = m.run('/usr/local/bin/stripwire', 'alerts', '--json', '-d', '/var/lib/stripwire/stripwire.db', '--finding', FINDING)
    return sum(json.loads(line)['stripwire']['finding'] == FINDING for line in got.stdout.splitlines())


def attack(m):
    """one that was not seen before"""
    m.attacks += 1
    path = m.dir + '/attack.pcap'
    live.readdress(ATTACK, path, m.attacks)
    subprocess.run(['nsenter', '-t', m.init, '-n', TOP + '/build/release/tools/framesend', 'sw0', path], check=True, stdout=subprocess.DEVNULL)


def test_start(m):
    verified = m.run('systemd-analyze', 'verify', '/usr/local/lib/systemd/system/stripwire.service')
    check('stripwire' not in verified.stderr, 'systemd-analyze verify: ' + verified.stderr)
    started = m.run('systemctl', 'start', 'stripwire')
    check(started.returncode == 0 and m.show('ActiveState') == 'active', 'it starts: ' + started.stderr + m.journal())
    check('capturing with' in m.journal(), 'it is ready when systemd says so')
    status = m.run('/usr/local/bin/stripwire', 'status', '--json')
    check(status.returncode == 0 and json.loads(status.stdout)['sandbox'], 'status answers: ' + status.stderr)
    attack(m)
    check(until(lambda: alerts(m) >= 2), 'alerts are stored')
    owner = m.out('stat', '-c', '%U %a', '/var/lib/stripwire')
    check(owner == 'stripwire 750', 'whose they are: ' + owner)
    check(until(lambda: FINDING in m.out('cat', '/var/log/stripwire/eve.json')), 'the EVE file has them within a second')
    users = set(m.out('ps', '-o', 'user=', '-C', 'stripwire').split())
    check(users == {'stripwire'}, f'no process is root: {users}')


def test_reload(m):
    pid, before = m.show('MainPID'), m.journal().count(' rules')
    got = m.run('systemctl', 'reload', 'stripwire')
    check(got.returncode == 0, 'it reloads: ' + got.stderr)
    check(until(lambda: m.journal().count(' rules') > before), 'the rules are read again')
    check(until(lambda: m.show('ActiveState') == 'active') and m.show('MainPID') == pid, 'by the same process')


def restarted(m, pid, what):
    check(until(lambda: m.show('MainPID') not in (pid, '0') and m.show('ActiveState') == 'active'), what + ': ' + m.journal()[-400:])
    before = alerts(m)
    attack(m)
    check(until(lambda: alerts(m) == before + 2), 'alerts afterwards')


def test_watchdog(m):
    m.run('mkdir', '-p', '/run/systemd/system/stripwire.service.d')
    m.write('/run/systemd/system/stripwire.service.d/quick.conf', '[Service]\nWatchdogSec=3\n')
    m.run('systemctl', 'daemon-reload')
    m.run('systemctl', 'restart', 'stripwire')
    pid = m.show('MainPID')
    time.sleep(5)
    check(m.show('MainPID') == pid, 'the watchdog is content with it')
    children = m.out('pgrep', '-P', pid).split()
    m.run('kill', '-STOP', pid)
    restarted(m, pid, 'a supervisor that hangs is replaced')
    check('watchdog' in m.out('journalctl', '-u', 'stripwire', '--no-pager').lower(), 'by the watchdog')
    check(children and not any(m.run('kill', '-0', c).returncode == 0 for c in children), 'with all its processes')
    pid = m.show('MainPID')
    m.run('kill', '-KILL', pid)
    restarted(m, pid, 'one that was killed is replaced')


def test_end(m):
    before = alerts(m)
    attack(m)
    start = time.monotonic()
    m.run('systemctl', 'stop', 'stripwire')
    took = time.monotonic() - start
    check(m.show('Result') == 'success' and m.show('ActiveState') == 'inactive', 'it ends in order')
    check(alerts(m) == before + 2, f'all is stored: {before}, {alerts(m)}')
    check(took < 2 or os.getloadavg()[0] > os.cpu_count(), f'within 2 s: {took}')
    check(not m.out('pgrep', 'stripwire') and not m.out('ls', '/run/stripwire/status.sock'), 'nothing is left')
    print('stopped within %.2f s' % took)


def test_rights(m):
    line = m.out('systemd-analyze', 'security', '--no-pager', 'stripwire.service').splitlines()[-1]
    print(line.strip())
    score = [w for w in line.split() if w.replace('.', '').isdigit()]
    check(score and float(score[0]) <= EXPOSED, line)


def main():
    ready = os.geteuid() == 0 and all(shutil.which(p) for p in ('unshare', 'nsenter', 'ip')) and os.path.exists('/lib/systemd/systemd')
    m = Machine() if ready else None
    try:
        if not m or not m.init:
            print('SKIP the unit under systemd: needs root, namespaces, overlay and systemd')
            print('0 passed, 0 failed, 1 skipped')
            return 0
        install(m)
        test_start(m)
        for test in (test_rights, test_reload, test_watchdog, test_end) if m.show('MainPID') != '0' else ():
            test(m)
        if failed:
            print(m.journal()[-4000:])
    finally:
        if m:
            m.end()
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
