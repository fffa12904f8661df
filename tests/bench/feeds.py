#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events per second and CPU time per event for each transport and format: one
alert, made into the format and sent again and again (tests/tools/feedsend), to
receivers on loopback that read and forget. Medians. CPU time is the feed's own
(kafka: librdkafka's threads too), the rate is also the receiver's.

    feeds.py [--count 10000] [--rounds 3] [--only WORD]
"""
import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from receivers import ROOT, bound, free_port, wait_for

SEND = f'{ROOT}/build/release/tools/feedsend'
FORMATS = ['eve', 'ecs', 'ocsf', 'cef', 'syslog']
ALERT = {
    'timestamp': '2026-01-02T03:04:05.678901+0000', 'flow_id': 1234567890123456, 'in_iface': 'eth1', 'event_type': 'alert',
    'src_ip': '198.51.100.7', 'src_port': 40000, 'dest_ip': '192.0.2.25', 'dest_port': 25, 'proto': 'TCP', 'app_proto': 'smtp',
    'community_id': '1:wCb3OG7yAFWelaUydu0D+125CLM=', 'direction': 'to_client',
    'alert': {'action': 'allowed', 'gid': 1, 'signature_id': 1000001, 'rev': 1, 'signature': 'STARTTLS was stripped from the capabilities',
              'category': 'Attempted Information Leak', 'severity': 1, 'metadata': {'confidence': ['High'], 'mitre_technique_id': ['T1557']}},
    'smtp': {'helo': 'client.example.org', 'mail_from': '<a@example.org>', 'rcpt_to': ['<b@example.net>']},
    'stripwire': {'event_id': '0123456789abcdef0123456789abcdef', 'finding': 'starttls-stripped', 'confidence': 95,
                  'evidence': [{'kind': 'history', 'text': 'the server offered STARTTLS in 412 of 412 sessions of 30 days'},
                               {'kind': 'packet', 'text': 'capability XXXXXXXX in its place, 250-XXXXXXXX'}],
                  'advice': 'look for a device on the path that rewrites SMTP'}}


def sink(s, stream):
    """Reads and forgets."""
    buf = bytearray(1 << 20)

    def drain(c):
        try:
            while c.recv_into(buf):
                pass
        except OSError:
            pass

    def accept():
        while True:
            try:
                c, _ = s.accept()
            except OSError:
                return
            threading.Thread(target=drain, args=(c,), daemon=True).start()
    threading.Thread(target=accept if stream else drain, args=() if stream else (s,), daemon=True).start()


class Sinks:
    def __init__(self, folder):
        self.at, self.ended = {}, []
        for kind, family, type_ in (('unix', socket.AF_UNIX, socket.SOCK_STREAM), ('datagram', socket.AF_UNIX, socket.SOCK_DGRAM),
                                    ('tcp', socket.AF_INET, socket.SOCK_STREAM), ('udp', socket.AF_INET, socket.SOCK_DGRAM)):
            s = socket.socket(family, type_)
            s.bind(f'{folder}/{kind}' if family == socket.AF_UNIX else ('127.0.0.1', 0))
            self.at[kind] = [f'path={folder}/{kind}'] if family == socket.AF_UNIX else ['host=127.0.0.1', f'port={s.getsockname()[1]}']
            if type_ == socket.SOCK_STREAM:
                s.listen(5)
            sink(s, type_ == socket.SOCK_STREAM)
        self.tls(folder)
        self.kafka()
        self.at['file'] = [f'path={folder}/file']

    def tls(self, folder):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=localhost',
                        '-addext', 'subjectAltName=DNS:localhost', '-keyout', f'{folder}/key', '-out', f'{folder}/pem'],
                       check=True, stderr=subprocess.DEVNULL)
        port = free_port()
        self.ended.append(subprocess.Popen(
            ['openssl', 's_server', '-quiet', '-accept', f'127.0.0.1:{port}', '-cert', f'{folder}/pem', '-key', f'{folder}/key'],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: bound(port, False), 20, 's_server does not begin')
        self.at['tls'] = ['host=127.0.0.1', f'port={port}', 'peer_name=localhost', f'ca_file={folder}/pem']

    def kafka(self):
        p = subprocess.Popen([f'{ROOT}/build/release/tools/kafka_mock', '3', 'events', '4'], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ended.append(p)
        self.at['kafka'] = [f'brokers={p.stdout.readline().decode().strip()}', 'topic=events']

    def end(self):
        for p in self.ended:
            p.kill()
            p.wait()


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--count', type=int, default=10000)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--only', default='')
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open(f'{folder}/alert', 'w') as f:
            f.write(json.dumps(ALERT, separators=(',', ':')) + '\n')
        sinks = Sinks(folder)
        print(f'transport  format   events/s  us CPU/event   [{a.count} events, median of {a.rounds}]')
        try:
            for kind, at in sinks.at.items():
                for form in FORMATS:
                    if a.only in f'{kind} {form}':
                        row(a, kind, form, at, folder)
        finally:
            sinks.end()


def row(a, kind, form, at, folder):
    rate, cpu = [], []
    for _ in range(a.rounds):
        r = subprocess.run([SEND, kind, *at, f'eve={folder}/alert', f'format={form}', f'count={a.count}', 'tries=3'],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        *said, last = r.stdout.decode().splitlines()
        if r.returncode != 0:
            print(f'{kind:9s}  {form:7s}  {" ".join([*said, last])}')
            return
        last = json.loads(last)
        rate.append(last['sent'] * 1000 / max(last['ms'], 1))
        cpu.append(last['cpu_us'] / a.count)
        if os.path.exists(f'{folder}/file'):
            os.unlink(f'{folder}/file')
    print(f'{kind:9s}  {form:7s}  {statistics.median(rate):8.0f}  {statistics.median(cpu):12.1f}', flush=True)


main()
