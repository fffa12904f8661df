#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# fleet.py [PROGRAM]: two sensors on two sides of an attacker, their events in
# ClickHouse by the tables and views of packaging/fleet, and the answers to its
# queries. First straight into the table that Kafka's would be; then, where
# there is a cluster for tests (build/release/tools/kafka_mock) and kcat, through
# Kafka. The server is started here, on loopback, and ended by its number.
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else './stripwire'
FLEET = 'packaging/fleet/'
MOCK = 'build/release/tools/kafka_mock'
SITES = {'site-a': ['pcaps/S1-inpath-imap.client.pcap', 'pcaps/S8-sslsplit-smtp.client.pcap'],
         'site-b': ['tests/fleet/S1-inpath-imap.server.pcap', 'tests/fleet/S8-sslsplit-smtp.server.pcap']}
passed = failed = 0


def check(name, got, want):
    global passed, failed
    passed, failed = passed + (got == want), failed + (got != want)
    if got != want:
        print(f'FAIL {name}: {got!r}, not {want!r}')


def sql(name):
    return open(FLEET + name).read()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class ClickHouse:
    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        for name in ('data', 'tmp'):
            os.mkdir(f'{folder}/{name}')
        # the settings are those that are shipped
        profile = re.search('<profiles>.*</profiles>', sql('users.d-stripwire.xml'), re.S)[0]
        open(f'{folder}/users.xml', 'w').write(
            f'<yandex>{profile}<users><default><password></password><networks><ip>127.0.0.1</ip></networks>'
            '<profile>default</profile><quota>default</quota></default></users><quotas><default/></quotas></yandex>')
        open(f'{folder}/config.xml', 'w').write(
            f'<yandex><logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/err</errorlog></logger>'
            f'<listen_host>127.0.0.1</listen_host><tcp_port>{self.port}</tcp_port><path>{folder}/data/</path>'
            f'<tmp_path>{folder}/tmp/</tmp_path><users_config>{folder}/users.xml</users_config>'
            '<default_profile>default</default_profile><default_database>default</default_database>'
            '<mark_cache_size>5368709</mark_cache_size></yandex>')
        self.server = subprocess.Popen(['clickhouse-server', f'--config-file={folder}/config.xml'],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(240):
            if self.client('SELECT 1', check=False).returncode == 0:
                return
            time.sleep(0.5)
        raise SystemExit('0 passed, 1 failed: clickhouse-server does not answer')

    def client(self, query, text=None, check=True):
        done = subprocess.run(['clickhouse-client', '--host', '127.0.0.1', '--port', str(self.port),
                               '--input_format_import_nested_json', '1', '--input_format_skip_unknown_fields', '1',
                               '--query', query],
                              input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert not check or done.returncode == 0, f'{query[:100]}: {done.stderr[-600:]}'
        return done

    def run(self, statements):
        for s in re.sub(r'(?m)--.*$', '', statements).split(';'):
            if s.strip():
                self.client(s)

    def rows(self, query):
        return [json.loads(line) for line in self.client(query + ' FORMAT JSONEachRow').stdout.splitlines()]

    def close(self):
        self.server.terminate()
        try:
            self.server.wait(60)
        except subprocess.TimeoutExpired:
            self.server.kill()


# What both sensors send, and three sites that see one key for three servers, or
# other numbers on the same ports.
def lines():
    out = []
    for site, captures in SITES.items():
        out += subprocess.run([PROGRAM, 'read', '--no-db', '-q', '--host', site, '--eve', '-', '--eve-types', 'flow',
                               *captures], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
    flow = json.loads(next(line for line in out if '"event_type":"flow"' in line))
    own = {**flow['stripwire'], 'isn_client': 7, 'isn_server': 8, 'key_sha256': 'ab' * 32}
    for n in range(3):
        out.append(json.dumps({**flow, 'host': 'site-c', 'dest_ip': f'10.9.0.{n}', 'stripwire': own}))
    for site, isn in (('site-c', 9), ('site-d', 10)):
        out.append(json.dumps({**flow, 'host': site, 'src_port': 1, 'dest_ip': '10.9.1.1', 'stripwire': {
            **own, 'isn_client': isn, 'key_sha256': '', 'event_id': f'{isn:032x}'}}))
    return out


def queries():
    text = sql('queries.sql').replace('>= today() - 7', '>= toDate(0)').replace('>= now() - 7 * 86400', '>= toDateTime(0)')
    found = {}
    for part in text.split(';')[:-1]:
        name = re.search(r'(?m)^-- ([a-z_]+)$', part)[1]
        found[name] = re.sub(r'(?m)^--.*$', '', part)
    return found


def check_answers(ch):
    q = queries()
    check('queries', len(q), 5)
    rows = ch.rows(q['stripped_at_some_sites'])
    check('stripped', [(r['server'], r['stripped_at'], r['whole_at'], int(r['lists_without'])) for r in rows],
          [('10.3.0.20', ['site-a'], ['site-b'], 2)])
    rows = ch.rows(q['key_at_one_site'])
    check('key', [(r['server'], r['server_port'], r['only_at'], r['key_sha256'][:8]) for r in rows],
          [('10.2.0.20', 25, 'site-a', 'ac643a5d')])
    rows = ch.rows(q['same_connection_other_list'])
    check('connection', [(r['client_port'], r['sites'], r['starttls_there'], 'STARTTLS' in r['lists'][0], 'STARTTLS' in r['lists'][1])
                         for r in rows],
          [(port, ['site-a', 'site-b'], ['not-offered', 'offered'], False, True) for port in (56152, 56168)])
    rows = ch.rows(q['same_ports_other_numbers'])
    check('numbers', [(r['client_port'], sorted(r['sites']), sorted(r['numbers'])) for r in rows], [(1, ['site-c', 'site-d'], [9, 10])])
    rows = ch.rows(q['one_key_many_servers'])
    check('one key', [(r['only_at'], int(r['servers'])) for r in rows], [('site-c', 3)])


def check_rows(ch, events):
    for table, kind in (('flows', 'flow'), ('alerts', 'alert'), ('incidents', 'incident')):
        mine = [e for e in events if e['event_type'] == kind]
        ids = {r['event_id'] for r in ch.rows(f'SELECT event_id FROM stripwire.{table}')}
        check(table, ids, {e['stripwire']['event_id'] for e in mine})
    e = next(e for e in events if e['event_type'] == 'flow' and 'isn_server' in e['stripwire'])
    r = ch.rows(f"SELECT * FROM stripwire.flows WHERE event_id = '{e['stripwire']['event_id']}'")[0]
    check('flow', (r['site'], r['client'], r['server_port'], r['isn_client'], r['capabilities'], int(r['bytes_toserver']), r['start']),
          (e['host'], e['src_ip'], e['dest_port'], e['stripwire']['isn_client'], e['stripwire']['capabilities'],
           e['flow']['bytes_toserver'], e['flow']['start'][:19].replace('T', ' ')))


def straight(ch, text):
    ch.run(re.sub(r'\) ENGINE = Kafka[^;]*;', ') ENGINE = Null;', sql('kafka.sql')))
    ch.run(sql('tables.sql'))
    ch.client('INSERT INTO stripwire.events FORMAT JSONEachRow', '\n'.join(text) + '\n')


def produce(brokers, topic, text, key):
    subprocess.run(['kcat', '-P', '-b', brokers, '-t', topic, '-K', '\t'], check=True, text=True, stderr=subprocess.DEVNULL,
                   input=''.join(f'{key(line)}\t{line}\n' for line in text))


def key_of(line):
    e = json.loads(line)
    return f'{e.get("dest_ip", "")}:{e.get("dest_port", "")}'


# ClickHouse reads from where a topic ends when it joins: whether it has is
# known by an event of its own.
def through_kafka(ch, text):
    cluster = subprocess.Popen([MOCK, '1', 'stripwire-flows', '4'], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        brokers = cluster.stdout.readline().strip()
        ch.run(re.sub(r"(?s)kafka_broker_list = '[^']*'", f"kafka_broker_list = '{brokers}'", sql('kafka.sql'))
               .replace('stripwire-alerts,stripwire-flows', 'stripwire-flows'))
        ch.run(sql('tables.sql'))
        for _ in range(60):
            produce(brokers, 'stripwire-flows', [json.dumps({'event_type': 'incident', 'host': 'joined', 'dest_ip': str(n),
                                                             'timestamp': '2026-01-01T00:00:00.000000+0000'}) for n in range(40)], key_of)
            time.sleep(1)
            if ch.rows("SELECT count() AS n FROM stripwire.incidents WHERE site = 'joined'")[0]['n'] != '0':
                break
        produce(brokers, 'stripwire-flows', text, key_of)
        want = sum(json.loads(line)['event_type'] == 'flow' for line in text)
        for _ in range(120):
            if int(ch.rows('SELECT count() AS n FROM stripwire.flows')[0]['n']) >= want:
                return
            time.sleep(0.5)
    finally:
        cluster.stdin.close()
        cluster.terminate()
        cluster.wait()


def main():
    for program in ('clickhouse-server', 'clickhouse-client'):
        if not shutil.which(program):
            print(f'SKIP fleet: {program} is not installed')
            print('0 passed, 0 failed, 1 skipped')
            return 0
    skipped = 0
    text = lines()
    with tempfile.TemporaryDirectory() as folder:
        ch = ClickHouse(folder)
        try:
            straight(ch, text)
            check_rows(ch, [json.loads(line) for line in text])
            check_answers(ch)
            ch.client('DROP DATABASE stripwire')
            if os.access(MOCK, os.X_OK) and shutil.which('kcat'):
                through_kafka(ch, text)
                check_answers(ch)
            else:
                print('SKIP fleet through Kafka: no kcat, or no ' + MOCK)
                skipped = 1
        finally:
            ch.close()
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return failed > 0


sys.exit(main())
