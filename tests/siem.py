#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# siem.py [PROGRAM]: the configurations in packaging/siem are what their tools
# read: syntax, and names of options against what the tools document
# (siem_options.json); fields that they name are in events of that format; the
# Stripwire parts pass stripwire config check; the rules for Wazuh grade events.
import configparser
import glob
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import yaml

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else './stripwire'
SIEM = 'packaging/siem/'
OPTIONS = json.load(open('tests/siem_options.json'))
passed = failed = 0


def check(name, holds, why=''):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds:
        print(f'FAIL {name} {why}')


def names(o, path=''):
    if isinstance(o, dict):
        for k, v in o.items():
            yield f'{path}{k}'
            yield from names(v, f'{path}{k}.')
    elif isinstance(o, list):
        for x in o:
            yield from names(x, path[:-1] + '[].')


def known(tool, used):
    for name in used:
        hit = any(re.fullmatch(re.escape(o).replace(r'\*', '[^.]+'), name) for o in OPTIONS[tool])
        check(f'{tool}: {name}', hit, 'is not documented')


class Once(yaml.SafeLoader): # a key twice is a mistake
    pass


def mapping(loader, node):
    keys = [loader.construct_object(k) for k, _ in node.value]
    assert len(keys) == len(set(keys)), f'a key twice: {keys}'
    return dict((loader.construct_object(k), loader.construct_object(v, deep=True)) for k, v in node.value)


Once.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)


def load(path):
    return yaml.load(open(SIEM + path), Once)


# ---- Stripwire's part, and what each tool is to read ----

feeds = {}
for path in ['packaging/fleet/stripwire.conf', *sorted(glob.glob(SIEM + '*/stripwire.conf'))]:
    done = subprocess.run([PROGRAM, 'config', 'check', path], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(path, done.returncode == 0, done.stdout[-300:])
    feeds[path.split('/')[-2]] = next(iter(yaml.safe_load(open(path))['feeds'].values()))
check('folders', len(feeds) == 8, sorted(feeds))

sample = subprocess.run([PROGRAM, 'read', '--no-db', '-q', '--eve', '-', '--eve-types', 'flow,tls,smtp,imap,pop3,stats', 'pcaps'],
                        check=True, text=True, stdout=subprocess.PIPE).stdout
eve = [json.loads(line) for line in sample.splitlines()]
ecs = [json.loads(line) for line in subprocess.run(['build/release/tools/feedformat', 'ecs'], input=sample, check=True, text=True,
                                                   stdout=subprocess.PIPE).stdout.splitlines()]


def at(o, path):
    for name in path.split('.'):
        o = o.get(name) if isinstance(o, dict) else None
    return o


def in_events(events, path):
    check(f'field {path}', any(at(e, path) is not None for e in events), 'is in no event')


# ---- Elastic ----

beat, agent = load('elastic/filebeat.yml'), load('elastic/elastic-agent.yml')
known('filebeat', names(beat))
known('elastic-agent', names(agent))
streams = [beat['filebeat.inputs'][0], agent['inputs'][0]['streams'][0]]
for s in streams:
    check('elastic: path', s['paths'] == [feeds['elastic']['path']])
    for field in s['processors'][0]['fingerprint']['fields']:
        in_events(ecs, field)
check('elastic: form', feeds['elastic']['format'] == 'ecs')
check('elastic: ids', len({(e['event']['id'], e['event']['dataset']) for e in ecs}) == len(ecs))

# ---- Splunk ----


def ini(path):
    c = configparser.RawConfigParser(strict=True)
    c.optionxform = str
    c.read_string(open(SIEM + path).read())
    return c


inputs, props = ini('splunk/inputs.conf'), ini('splunk/props.conf')
for stanza in inputs.sections():
    check('splunk: path', stanza == f'monitor://{feeds["splunk"]["path"]}')
    known('splunk-inputs', inputs[stanza])
    check('splunk: sourcetype', inputs[stanza]['sourcetype'] in props.sections())
for stanza in props.sections():
    known('splunk-props', props[stanza])
    for key, value in props[stanza].items():
        if key.startswith('FIELDALIAS'):
            in_events(eve, value.split(' AS ')[0])
        if key.startswith('EVAL') and "'" in value:
            in_events(eve, value.strip("'"))
    in_events(eve, props[stanza]['TIMESTAMP_FIELDS'])
    check('splunk: time', props[stanza]['TIME_FORMAT'] == '%Y-%m-%dT%H:%M:%S.%6N%z')
    check('splunk: length', int(props[stanza]['TRUNCATE']) >= 262144)

# ---- Wazuh ----

local = ET.parse(SIEM + 'wazuh/ossec.conf').getroot()
check('wazuh: root', local.tag == 'ossec_config')
for e in local.find('localfile'):
    check(f'wazuh: {e.tag}', e.tag in OPTIONS['wazuh-localfile'])
check('wazuh: form', local.find('localfile/log_format').text in OPTIONS['wazuh-log_format'])
check('wazuh: path', local.find('localfile/location').text == feeds['wazuh']['path'])
rules = ET.parse(SIEM + 'wazuh/stripwire_rules.xml').getroot()
ids = {}
for r in rules.findall('rule'):
    check('wazuh: number', 100000 <= int(r.get('id')) <= 120000 and r.get('id') not in ids)
    check('wazuh: level', 0 <= int(r.get('level')) <= 16)
    ids[r.get('id')] = r
    for e in r:
        check(f'wazuh: {e.tag}', e.tag in OPTIONS['wazuh-rule'])
        if e.tag == 'if_sid':
            check('wazuh: parent', e.text in ids)
        if e.tag == 'field' and e.get('name') != 'stripwire.event_id':
            in_events(eve, e.get('name'))
        for field in re.findall(r'\$\(([^)]+)\)', e.text or ''):
            in_events(eve, field)


def level(event):
    best = 0
    for r in ids.values(): # a rule holds if its parent does
        chain = [r]
        while chain[-1].find('if_sid') is not None:
            chain.append(ids[chain[-1].find('if_sid').text])
        if all(re.search(f.text.replace(r'\.+', '.+'), str(at(event, f.get('name')) or '')) for x in chain for f in x.findall('field')):
            best = max(best, int(r.get('level')))
    return best


for severity, want in (('info', 3), ('low', 3), ('medium', 7), ('high', 12), ('critical', 15)):
    e = {'event_type': 'alert', 'stripwire': {'event_id': 'a', 'severity': severity}}
    check(f'wazuh: {severity}', level(e) == want, level(e))
check('wazuh: incident', level({'event_type': 'incident', 'stripwire': {'event_id': 'a'}}) == 8)
check("wazuh: Suricata's own", level({'event_type': 'alert', 'alert': {'severity': 1}}) == 0)

# ---- EveBox, Graylog ----

box = load('evebox/evebox.yaml')
known('evebox', names(box))
check('evebox: path', feeds['evebox']['path'] in (box['input'].get('paths') or [box['input'].get('filename')]))
check('evebox: types', 'incident' not in feeds['evebox']['events'] and feeds['evebox']['format'] == 'eve')
gray = json.load(open(SIEM + 'graylog/input.json'))
known('graylog', gray['configuration'])
check('graylog: input', set(gray) == {'title', 'type', 'global', 'configuration'} and
      gray['type'] == 'org.graylog2.inputs.syslog.tcp.SyslogTCPInput')
check('graylog: port', feeds['graylog']['address'].endswith(f':{gray["configuration"]["port"]}') and
      gray['configuration']['tls_enable'] == (feeds['graylog']['type'] == 'tls'))
check('graylog: form', feeds['graylog']['format'] == 'syslog' and gray['configuration']['expand_structured_data'])

# ---- README shows parts of these files ----

shown = re.search(r'(?s)\n#+ Into a SIEM\n(.*?)\n#+ ', open('README.md').read())[1]
for tool in ('elastic', 'splunk', 'wazuh', 'evebox', 'graylog'):
    files = re.findall(rf'`({tool}/[^`]+)`', shown)
    have = {line.strip() for f in files for line in open(SIEM + f)}
    block = shown.split(f'`{tool}/stripwire.conf`')[1].split('`' + {'elastic': 'splunk', 'splunk': 'wazuh', 'wazuh': 'evebox',
                                                                    'evebox': 'graylog', 'graylog': '\0'}[tool] + '/')[0]
    lines = [line.strip() for line in block.splitlines() if line.startswith('    ') and line.strip()]
    check(f'README: {tool}', len(lines) >= 3 and all(line in have for line in lines), set(lines) - have)

# ---- what ships the file ----

vector = load('vector/vector.yaml')
known('vector', names(vector))
check('vector: path', vector['sources']['stripwire']['include'] == [feeds['vector']['path']])
for part in ('transforms', 'sinks'):
    for o in vector[part].values():
        check('vector: inputs', all(i in {**vector['sources'], **vector['transforms']} for i in o['inputs']))
in_events(ecs, vector['sinks']['elasticsearch']['id_key'])


def sections(path):
    for line in open(SIEM + path):
        if line.startswith('['):
            section = line.strip('[]\n')
        elif line.strip():
            key, value = line.split(None, 1)
            yield section, key.lower(), value.strip()


fluent = list(sections('fluent-bit/fluent-bit.conf')) + list(sections('fluent-bit/parsers.conf'))
for section, key, value in fluent:
    check(f'fluent-bit: {section} {key}', key in OPTIONS['fluent-bit'][section])
value = {(s, k): v for s, k, v in fluent}
check('fluent-bit: path', value['INPUT', 'path'] == feeds['fluent-bit']['path'])
check('fluent-bit: parser', value['INPUT', 'parser'] == value['PARSER', 'name'] and value['SERVICE', 'parsers_file'] == 'parsers.conf')
check('fluent-bit: tag', value['INPUT', 'tag'] == value['OUTPUT', 'match'])
in_events(ecs, value['PARSER', 'time_key'])
print(f'{passed} passed, {failed} failed')
sys.exit(failed > 0)
