#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running sensor whose feeds are all in trouble at once: receivers that
accept and never read, one that does not accept, a wrong certificate, a wrong
name, refused SASL, a full topic. Packets and alerts go on as if there were no
feeds, memory is bounded, each trouble is one line in the log and the same one
in `status`, and the sensor ends at once.

    feed_trouble.py [--connections N]

The sensor runs on a veth pair in a network namespace of its own. Skipped,
visibly, without root and network namespaces.
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, HERE + '/tools']
import live  # noqa: E402
from feed_delivery import MESSAGES  # noqa: E402
from live import check, skip, until  # noqa: E402
from make_capture import Capture  # noqa: E402
from receivers import Kafka  # noqa: E402
from transports import Stub, Tls, certificates, refuse_sasl  # noqa: E402

BOTH = 'events: [alert, flow]'
HUNG = r'accepts the connection but has read nothing for 2 s|' \
       r'takes nothing any more: is it hanging'
# what goes wrong with the receiver, and what is said of it
TOLD = {
    'certificate': r'issued by ca, leads to no authority in .*stranger\.pem',
    'name': r'is for siem\.example\.org, log\.example\.org, not for 127',
    'sasl': r"refuse the feed's user: check sasl\.mechanism",
    'full': r'cannot be written by its broker: is the broker.s disk full',
}
HANGS = ('tcp', 'tls', 'stream')


def never_read(c):
    """Holds the connection."""
    threading.Event().wait()


def deaf():
    """A listener whose queue is full: further connections get no answer."""
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen(0)
    held = [socket.socket() for _ in range(4)]
    for c in held:
        c.setblocking(False)
        c.connect_ex(s.getsockname())
    return s, held


class StreamStub(Stub):
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.bind(path)
        self.s.listen(20)
        os.chmod(path, 0o666)
        self.talk, self.held = never_read, []
        threading.Thread(target=self.serve, daemon=True).start()


def over_tls(certs):
    """Shakes hands, and never reads."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs + '/server.pem', certs + '/server.key')
    held = []

    def talk(c):
        with contextlib.suppress(OSError):
            held.append(context.wrap_socket(c, server_side=True))
    return talk


def configuration(feeds):
    text = '  log: {dir}/log\nincidents:\n  alerts: 0\nevents:\n  max: 1000000\nfeeds:\n'
    for name, lines in feeds.items():
        text += '  %s:\n' % name + ''.join('    %s\n' % i for i in lines)
    return text


def feeds_of(stack, folder, certs):
    """Starts the receivers; each feed's lines of the configuration."""
    hung = stack.enter_context(Stub(never_read))
    tls = stack.enter_context(Stub(over_tls(certs)))
    stack.enter_context(StreamStub(folder + '/hung'))
    closed, held = deaf()
    for c in [closed, *held]:
        stack.enter_context(c)
    wrong = stack.enter_context(Tls(certs, 'server'))
    other = stack.enter_context(Tls(certs, 'other'))
    broker = stack.enter_context(Stub(refuse_sasl))
    kafka = Kafka(folder)
    kafka.start()
    stack.callback(kafka.stop)
    kafka.say('produce-error 56 1000000')
    ca, short = 'ca_file: %s/ca.pem' % certs, ['timeout: 2', 'queue_size: 64KiB']

    def at(kind, port):
        return ['type: ' + kind, 'address: 127.0.0.1:%d' % port]
    return {
        'good': ['type: file', 'path: {dir}/good', BOTH],
        'tcp': [*at('tcp', hung.port), BOTH, *short],
        'tls': [*at('tls', tls.port), BOTH, ca, *short],
        'stream': ['type: unix', 'path: %s/hung' % folder, BOTH, *short],
        'patient': [*at('tcp', hung.port), BOTH, 'timeout: 300'],
        'deaf': [*at('tcp', closed.getsockname()[1]), BOTH, 'timeout: 300'],
        'certificate': [*at('tls', wrong.port),
                        'ca_file: %s/stranger.pem' % certs, *short],
        'name': [*at('tls', other.port), ca, *short],
        'sasl': ['type: kafka', 'brokers: 127.0.0.1:%d' % broker.port,
                 'topic: events', 'sasl_password_file: %s/password' % certs,
                 'options:', '  security.protocol: sasl_plaintext',
                 '  sasl.mechanism: PLAIN', '  sasl.username: sensor', *short],
        'full': ['type: kafka', 'brokers: "%s"' % kafka.brokers,
                 'topic: events', 'options:', '  retries: "2"', *short],
    }


def feed(s, name):
    st = s.status()
    return next((f for f in st['feeds'] if f['name'] == name), {}) if st else {}


def status_text(s, code):
    got = subprocess.run([live.SENSOR, 'status', '--socket', s.dir + '/sock'],
                         stdout=subprocess.PIPE, text=True)
    check(got.returncode == code, 'exit status of status: %d' % got.returncode)
    return got.stdout


def good_lines(s, kind):
    with open(s.dir + '/good') as f:
        return sum(json.loads(line)['event_type'] == kind for line in f)


def test_traffic(s, n, pcap):
    """No packet is lost, every alert is stored, nobody waits"""
    subprocess.run([live.SEND, '-c', '-n', str(n), '-r', '8000', 'sw0', pcap],
                   check=True, stdout=subprocess.DEVNULL)
    alerts = 'select count(*) from alerts'
    check(until(lambda: s.rows(alerts)[0][0] >= n), 'all are found: %s of %d' %
          (s.rows(alerts), n))
    check(s.rows(alerts) == [(n,)], 'and stored once: %s' % s.rows(alerts))
    check(until(lambda: good_lines(s, 'alert') == n and
                good_lines(s, 'flow') == n), 'a feed that works has all: '
          '%d, %d' % (good_lines(s, 'alert'), good_lines(s, 'flow')))
    st = s.status()
    check(sum(w['kernel_dropped'] for w in st['workers']) == 0, 'no drops')
    check(sum(w['observations_shed'] for w in st['workers']) == 0, 'none shed')
    check(until(lambda: all(w['queue_bytes'] == 0 for w in
                            s.status()['workers'])), 'the judge waits for none')
    check(st['judge']['alerts_lost'] == 0 and st['restarts'] == 0,
          'nothing lost, nobody died')


def test_hung(s):
    """what never reads is told, what streams past the database is counted"""
    for name in HANGS:
        f = until(lambda: (lambda f: f if f.get('dropped') and re.search(
            HUNG, f['error']) else None)(feed(s, name)))
        check(f, '%s: is told and counted: %s' % (name, feed(s, name)))
        told = re.findall('feed %s: (.*)' % name, s.said())
        check(any(re.search(HUNG, t) for t in told) and
              not any(a == b for a, b in zip(told, told[1:])),
              '%s: in the log, once: %s' % (name, told))
        f = feed(s, name)
        check(f['waiting'] > 0 and f['lag_seconds'] > 0, '%s: events wait, '
              'and it is told since when: %s' % (name, f))
        check(not any('works again' in t for t in told),
              name + ': that it accepts is no sign that it works')
    check(feed(s, 'good')['dropped'] == 0, 'others lose nothing')
    with open('/proc/%d/status' % s.status()['feeds_pid']) as f:
        peak = int(re.search(r'VmHWM:\s+(\d+)', f.read())[1]) // 1024
    print('the process of %d feeds took %d MiB' % (len(s.status()['feeds']),
                                                   peak))
    check(peak < 150, 'bounded memory: %d MiB' % peak)


def test_told(s):
    """one line each, once for all attempts, the same in the log and in both
    forms of status"""
    for name, pattern in TOLD.items():
        check(until(lambda: re.search(pattern, feed(s, name).get('error', ''))),
              '%s: status --json: %s' % (name, feed(s, name)))
    before = {name: feed(s, name).get('error_time', 0) for name in TOLD}
    check(until(lambda: all(feed(s, name).get('error_time', 0) >
                            before[name] + 2 for name in TOLD)),
          'all are tried again')
    text = status_text(s, 1)
    for name, pattern in TOLD.items():
        told = [line for line in s.said().splitlines()
                if 'feed %s: ' % name in line]
        check(len(told) == 1 and re.search(pattern, told[0]),
              '%s: once in the log: %s' % (name, told))
        shown = [line for line in text.splitlines()
                 if line.startswith('feed %s: ' % name)]
        check(len(shown) == 1 and re.search(pattern, shown[0]),
              '%s: once in status: %s' % (name, shown))
        f = feed(s, name)
        check(f['state'] == 'down' and told and f['error'] in told[0],
              '%s: the same sentence: %s' % (name, f))
    check('geheim' not in s.said() + text, 'without the password')


def test_alerts_go_on(s):
    n = s.count(live.FINDING)
    live.attack(s)
    check(until(lambda: s.count(live.FINDING) == n + 2), 'detection goes on')


def test_log(s):
    """rotated: the feeds write on in the new one, and are the same process;
    nothing is sent again for that"""
    pid = s.status()['feeds_pid']
    os.rename(s.dir + '/log', s.dir + '/log.1')
    os.rename(s.dir + '/good', s.dir + '/good.1')
    os.mkdir(s.dir + '/good')
    s.p.send_signal(signal.SIGHUP)
    check(until(lambda: 'feed good: ' in s.said()), 'said in the new log')
    with open(s.dir + '/log.1') as f:
        check('feed good: ' not in f.read(), 'and not in the old one')
    os.rmdir(s.dir + '/good')
    check(until(lambda: feed(s, 'good')['state'] == 'up'), 'it works again')
    check(s.status()['feeds_pid'] == pid, 'the same process')


def test_end(s):
    """with one receiver that never reads and one that does not accept, both
    with five minutes of patience"""
    check(feed(s, 'deaf')['state'] == 'starting' and
          feed(s, 'deaf')['sent'] == 0, 'one waits to be accepted')
    check(feed(s, 'patient')['state'] == 'up' and
          feed(s, 'patient')['waiting'] > 0, 'one waits to be read')
    check(s.stop() == 0, 'it ends: ' + s.said()[-300:])
    print('ended within %.2f s' % s.took)
    check(s.took < 2 or os.getloadavg()[0] > os.cpu_count(), 'within 2 s')
    check(s.took < 20, 'in no case does it wait for a receiver')
    check('did not end' not in s.said(), 'nobody had to be killed')


def one_login(path):
    c = Capture(False)
    c.play(MESSAGES.splitlines())
    c.write(path)
    return path


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--connections', type=int, default=6000)
    a = p.parse_args()
    subprocess.run([HERE + '/receivers.sh'], check=True)
    if not shutil.which('ip') or not live.own_network():
        skip('feeds in trouble: needs root and network namespaces')
        return live.total()
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    # what waits for a receiver fits into no socket of this network
    with open('/proc/sys/net/ipv4/tcp_wmem', 'w') as f:
        f.write('4096 65536 1048576')
    folder = tempfile.mkdtemp(prefix='feed-trouble.')
    os.chmod(folder, 0o755)
    s = None
    try:
        with contextlib.ExitStack() as stack:
            certs = certificates(folder + '/certs')
            s = live.Sensor(workers=2, buffer='32MiB', conf=configuration(
                feeds_of(stack, folder, certs)))
            test_traffic(s, a.connections,
                         one_login(folder + '/one.pcap'))
            test_hung(s)
            test_told(s)
            test_alerts_go_on(s)
            test_log(s)
            test_end(s)
    finally:
        if s:
            if live.failed:
                print(s.said()[-3000:])
            s.end()
        shutil.rmtree(folder, ignore_errors=True)
    return live.total()


if __name__ == '__main__':
    sys.exit(main())
