# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers for the tests of the feeds: rsyslog, syslog-ng, Unix sockets,
Kafka (librdkafka's mock cluster, drained by kcat). Each is started by the
test, on loopback, can be killed and started anew, and is ended by its pid.
`lines()` are the messages that have been received so far, as bytes."""
import os
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UNPACKED = f'{ROOT}/build/receivers/root'
NG = f'{UNPACKED}/usr/lib/syslog-ng'


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def bound(port, udp):
    """Whether something has that port on loopback; asks nobody."""
    with open('/proc/net/udp' if udp else '/proc/net/tcp') as f:
        rows = [r.split() for r in f.readlines()[1:]]
    return any(r[1] == f'0100007F:{port:04X}' and (udp or r[3] == '0A') for r in rows)


def wait_for(what, seconds, why):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise TimeoutError(why() if callable(why) else why)
        time.sleep(0.02)


class Receiver:
    """A process that writes what it receives to self.out."""
    def __init__(self, folder, name):
        self.dir = f'{folder}/{name}'
        os.mkdir(self.dir)
        self.out = f'{self.dir}/received'
        self.p = None
        self.seen, self.at, self.rest = [], 0, b''

    def spawn(self, argv, **more):
        self.log = open(f'{self.dir}/log', 'ab')
        more.setdefault('stdin', subprocess.DEVNULL)
        more.setdefault('stdout', self.log)
        self.p = subprocess.Popen(argv, stderr=self.log, cwd=self.dir, **more)

    def ready(self, what):
        def up():
            if self.p.poll() is not None:
                raise RuntimeError(f'{self.p.args[0]} ended: ' + open(f'{self.dir}/log').read()[-800:])
            return what()
        wait_for(up, 30, f'{self.p.args[0]} does not begin')

    def kill(self):
        self.p.kill()
        self.p.wait()

    def stop(self):
        if self.p is None or self.p.poll() is not None:
            return
        self.p.send_signal(signal.SIGCONT)
        self.p.terminate()
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def lines(self):
        """A receiver that was killed may have left a line without an end; the
        next one is glued to it, see `parts`."""
        try:
            with open(self.out, 'rb') as f:
                f.seek(self.at)
                new = f.read()
        except FileNotFoundError:
            return self.seen
        self.at += len(new)
        *whole, self.rest = (self.rest + new).split(b'\n')
        self.seen += whole
        return self.seen


class Syslog(Receiver):
    """transport: udp, tcp, tls. certs: folder with ca.pem, server.pem,
    server.key (see certificates in transports.py)."""
    def __init__(self, folder, transport, certs=None, clients=False):
        super().__init__(folder, f'{self.program}-{transport}{"-clients" if clients else ""}')
        self.transport, self.certs, self.clients = transport, certs, clients
        self.port = free_port(socket.SOCK_DGRAM if transport == 'udp' else socket.SOCK_STREAM)
        with open(f'{self.dir}/conf', 'w') as f:
            f.write(self.configuration())

    def start(self):
        self.spawn(self.argv(), env={**os.environ, 'LD_LIBRARY_PATH': NG})
        self.ready(lambda: bound(self.port, self.transport == 'udp'))


class Rsyslog(Syslog):
    program = 'rsyslog'
    driver = 'ossl'

    def configuration(self):
        tls = ''
        module = 'imudp' if self.transport == 'udp' else 'imtcp'
        listen = f'module(load="{module}")\n'
        if self.transport == 'tls':
            auth = 'x509/certvalid' if self.clients else 'anon'
            tls = (f'DefaultNetstreamDriver="{self.driver}" DefaultNetstreamDriverCAFile="{self.certs}/ca.pem" '
                   f'DefaultNetstreamDriverCertFile="{self.certs}/server.pem" '
                   f'DefaultNetstreamDriverKeyFile="{self.certs}/server.key"')
            listen = f'module(load="imtcp" StreamDriver.Name="{self.driver}" StreamDriver.Mode="1" StreamDriver.AuthMode="{auth}")\n'
        # a datagram that finds the queue full is thrown away, a connection waits
        queue = '' if self.transport == 'udp' else 'main_queue(queue.size="1000")'
        more = 'rcvbufSize="8m"' if self.transport == 'udp' else ''
        return f'''global(workDirectory="{self.dir}" maxMessageSize="512k" {tls})
{listen}{queue}
template(name="raw" type="string" string="%rawmsg%\\n")
input(type="{module}" address="127.0.0.1" port="{self.port}" {more})
action(type="omfile" file="{self.out}" template="raw")
'''

    def argv(self):
        return [f'{UNPACKED}/usr/sbin/rsyslogd', '-n', '-f', f'{self.dir}/conf', '-i', f'{self.dir}/pid',
                '-M', f'{UNPACKED}/usr/lib/{os.uname().machine}-linux-gnu/rsyslog']


class SyslogNg(Syslog):
    program = 'syslog-ng'

    def configuration(self):
        at = f'ip("127.0.0.1") port({self.port})'
        if self.transport == 'udp':
            source = f'network(transport("udp") {at} flags(no-parse) so-rcvbuf(8388608))'
        elif self.transport == 'tcp':
            source = f'syslog(transport("tcp") {at} flags(no-parse))'
        else:
            verify = 'required-trusted' if self.clients else 'optional-untrusted'
            source = (f'syslog(transport("tls") {at} flags(no-parse) tls(key-file("{self.certs}/server.key") '
                      f'cert-file("{self.certs}/server.pem") ca-file("{self.certs}/ca.pem") peer-verify({verify})))')
        return f'''@version: 3.38
options {{ log-msg-size(524288); stats-freq(0); keep-hostname(yes); use-dns(no); dns-cache(no); }};
source s {{ {source}; }};
destination d {{ file("{self.out}" template("${{MESSAGE}}\\n")); }};
log {{ source(s); destination(d); flags(flow-control); }};
'''

    def argv(self):
        return [f'{UNPACKED}/usr/sbin/syslog-ng', '-F', '--no-caps', '-f', f'{self.dir}/conf', '-p', f'{self.dir}/pid',
                '-R', f'{self.dir}/persist', '-c', f'{self.dir}/ctl', f'--module-path={NG}/3.38']


class Unix(Receiver):
    """This file as a program: the socket's messages to a file."""
    def __init__(self, folder, datagram):
        super().__init__(folder, 'datagram' if datagram else 'stream')
        self.datagram, self.path = datagram, f'{self.dir}/socket'

    def start(self):
        self.spawn([sys.executable, __file__, 'datagram' if self.datagram else 'stream', self.path, self.out])

        def up():
            with open('/proc/net/unix') as f:
                return any(r.rstrip().endswith(' ' + self.path) and (self.datagram or ' 00010000 ' in r) for r in f)
        self.ready(up)
        os.chmod(self.path, 0o666)


class Kafka(Receiver):
    """Three brokers; kcat drains the topic into self.out. It ends when all
    brokers are away, and begins at the oldest message again: what it reads
    twice is known by partition and offset."""
    def __init__(self, folder, topic='events', partitions=4, brokers=3):
        super().__init__(folder, 'kafka')
        self.topic, self.partitions, self.n = topic, partitions, brokers
        self.drain, self.offsets, self.messages, self.read = None, set(), [], 0

    def start(self):
        self.spawn([f'{ROOT}/build/release/tools/kafka_mock', str(self.n), self.topic, str(self.partitions)],
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.brokers = self.p.stdout.readline().decode().strip()
        self.consume()

    def consume(self):
        if self.drain is not None and self.drain.poll() is None:
            return
        with open(self.out, 'ab') as out:
            self.drain = subprocess.Popen(
                ['kcat', '-C', '-q', '-u', '-b', self.brokers, '-t', self.topic, '-o', 'beginning', '-f', '%p %o %s\n',
                 '-X', 'fetch.wait.max.ms=20', '-X', 'reconnect.backoff.max.ms=500'],
                stdin=subprocess.DEVNULL, stdout=out, stderr=self.log)

    def lines(self):
        self.consume()
        raw = super().lines()
        for line in raw[self.read:]:
            partition, offset, text = line.split(b' ', 2)
            if (partition, offset) not in self.offsets:
                self.offsets.add((partition, offset))
                self.messages.append(text)
        self.read = len(raw)
        return self.messages

    def say(self, line):
        self.p.stdin.write(line.encode() + b'\n')
        self.p.stdin.flush()
        if self.p.stdout.readline() != b'ok\n':
            raise RuntimeError(f'kafka_mock: {line}')

    def break_all(self):
        for n in range(self.n):
            self.say(f'down {n + 1}')

    def mend_all(self):
        for n in range(self.n):
            self.say(f'up {n + 1}')

    def stop(self):
        if self.drain is not None and self.drain.poll() is None:
            self.drain.terminate()
            self.drain.wait()
        super().stop()


def receive(kind, path, out):
    if os.path.exists(path):
        os.unlink(path)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == 'datagram' else socket.SOCK_STREAM)
    s.bind(path)
    with open(out, 'ab', buffering=0) as f:
        if kind == 'datagram':
            while True:
                f.write(s.recv(300000) + b'\n')
        s.listen(5)
        while True:
            c, _ = s.accept()
            while data := c.recv(1 << 20):
                f.write(data)


if __name__ == '__main__':
    receive(*sys.argv[1:])
