#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# feeds.py [TOOL]: every format of the feeds, of all events of the goldens and
# of hostile ones, is what its schema or grammar says, and says the same.
import glob
import ipaddress
import json
import re
import subprocess
import sys

sys.path.insert(0, 'tests/feeds')
import ocsf # noqa: E402

TOOL = sys.argv[1] if len(sys.argv) > 1 else 'build/asan/tools/feedformat'
RFC3339 = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)'
EVE_TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000'
passed = failed = 0


def table(path):
    lines = [line.split() for line in open(path) if line.strip() and not line.startswith('#')]
    return {words[0]: words[1:] for words in lines}


def formatted(events, *how):
    text = '\n'.join(e if isinstance(e, str) else json.dumps(e) for e in events) + '\n'
    out = subprocess.run([TOOL, *how], input=text.encode('utf-8', 'surrogateescape'), check=True,
                         stdout=subprocess.PIPE).stdout
    lines = out.decode('utf-8').split('\n') # fails where it is not UTF-8
    assert lines.pop() == '' and len(lines) == len(events), f'{len(lines)} lines of {len(events)} events'
    return lines


# What text formats show of a character that controls something.
def shown(s, newlines=False):
    def show(m):
        c = ord(m[0])
        return m[0] if newlines and m[0] in '\n\r' else f'\\x{c:02x}' if c < 0x80 else f'\\u{c:04x}'
    return re.sub('[\x00-\x1f\x7f-\x9f\u2028\u2029]', show, s)


# At most n bytes of UTF-8 and whole characters, each as it is shown.
def cut(s, n, newlines=False):
    out = ''
    for c in s:
        c = shown(c, newlines)
        if len((out + c).encode()) > n:
            break
        out += c
    return out


def at(o, path):
    for name in path.split('.'):
        o = o[int(name)] if isinstance(o, list) and len(o) > int(name) else o.get(name) if isinstance(o, dict) else None
        if o is None:
            return None
    return o


def no_control(line):
    assert not re.search('[\x00-\x1f\x7f-\x9f\u2028\u2029]', line), 'a control character in the line'


# ---- EVE, against Suricata's names ----

EVE = table('tests/feeds/eve_fields.txt')


def eve_leaves(o, path=''):
    for k, v in o.items():
        if isinstance(v, dict):
            yield from eve_leaves(v, f'{path}{k}.')
        else:
            yield path + k, v


def eve_type(v, t):
    if t.endswith('[]'):
        return isinstance(v, list) and all(eve_type(x, t[:-2]) for x in v)
    if t in ('integer', 'number'):
        return isinstance(v, int) and not isinstance(v, bool)
    if t == 'boolean':
        return isinstance(v, bool)
    form = {'time': EVE_TIME, 'datetime': r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d', 'string': '(?s).*'}[t]
    return isinstance(v, str) and re.fullmatch(form, v) is not None


def check_eve(line, event):
    o = json.loads(line)
    assert o == event, 'it changed'
    o.pop('stripwire', None)
    ours = o['event_type'] in ('incident', 'imap')
    o.pop('imap', None)
    for name, v in eve_leaves(o):
        metadata = name.startswith('alert.metadata.')
        t = EVE.get('alert.metadata.*' if metadata else name)
        assert t, f'{name}: Suricata has no such field'
        assert eve_type(v, t[0]), f'{name}: {v!r} is no {t[0]}'
    assert ours or o['event_type'] in ('alert', 'flow', 'tls', 'smtp', 'pop3', 'stats')


# ---- ECS ----

ECS = table('tests/feeds/ecs_fields.txt')
KINDS = {'alert', 'asset', 'enrichment', 'event', 'metric', 'state', 'pipeline_error', 'signal'}
TYPES = { # event.type that ECS expects of each event.category
    'network': {'access', 'allowed', 'connection', 'denied', 'end', 'info', 'protocol', 'start'},
    'intrusion_detection': {'allowed', 'denied', 'info'},
    'email': {'info'},
}


def ecs_leaves(o, path=''):
    for k, v in o.items():
        if isinstance(v, dict) and not (path + k).startswith('stripwire'):
            yield from ecs_leaves(v, f'{path}{k}.')
        else:
            yield path + k, v


def ecs_type(v, t):
    if t in ('keyword', 'match_only_text'):
        return isinstance(v, str)
    if t == 'long':
        return isinstance(v, int) and not isinstance(v, bool) and -2 ** 63 <= v < 2 ** 63
    if t == 'boolean':
        return isinstance(v, bool)
    if t == 'ip':
        return bool(ipaddress.ip_address(v))
    return t == 'date' and re.fullmatch(RFC3339, v)


# Elasticsearch takes no key of spaces alone, and a dot in one is a path.
def own_keys(o, path='stripwire'):
    if isinstance(o, list):
        for x in o:
            own_keys(x, path)
    if isinstance(o, dict):
        for k, v in o.items():
            assert re.fullmatch(r'[a-z0-9_-]+', k), f'{path}: key {k!r}'
            assert not (isinstance(v, str) and re.fullmatch(EVE_TIME, v)), f'{path}.{k}: a time of EVE'
            own_keys(v, f'{path}.{k}')


def check_ecs(line, event):
    o = json.loads(line)
    own_keys(o.get('stripwire', {}))
    for name, v in ecs_leaves(o):
        if name.startswith('stripwire'):
            continue
        assert name in ECS, f'{name}: ECS has no such field'
        t = ECS[name][0]
        assert isinstance(v, list) == t.endswith('[]'), f'{name}: {v!r}: {t}'
        for x in v if isinstance(v, list) else [v]:
            assert ecs_type(x, t.removesuffix('[]')), f'{name}: {x!r} is no {t}'
    e = o['event']
    assert e['kind'] in KINDS and o['ecs']['version'].startswith('8.')
    for category in e.get('category', []):
        assert set(e['type']) & TYPES[category], f'{category}: {e["type"]}'
    expected = set().union(*(TYPES[c] for c in e.get('category', []))) or {'info'}
    assert set(e['type']) <= expected, f'event.type {e["type"]} of {e.get("category")}'
    assert e['outcome'] in ('success', 'failure', 'unknown')
    for ours, theirs in (('alert.signature', 'rule.name'), ('stripwire.user', 'user.name'), ('src_ip', 'source.ip'),
                         ('stripwire.event_id', 'event.id'), ('tls.sni', 'tls.client.server_name')):
        assert at(o, theirs) == (at(event, ours) or None), theirs


# ---- OCSF ----

def check_ocsf(line, event):
    o = json.loads(line)
    ocsf.check(o)
    own_keys({k: v for k, v in o['unmapped'].items() if k == 'stripwire'})
    if event['event_type'] in ('alert', 'incident'):
        assert o['class_uid'] == 2004
        assert o['finding_info']['title'] == (at(event, 'alert.signature') or at(event, 'stripwire.title'))
    else:
        assert o['class_uid'] == (0 if event['event_type'] == 'stats' else 4001)
    assert o['metadata'].get('uid') == at(event, 'stripwire.event_id')


# ---- CEF ----

CEF = table('tests/feeds/cef_keys.txt')


def cef_parse(line):
    m = re.fullmatch(r'CEF:([01])\|' + r'((?:[^\\|]|\\[\\|])*)\|' * 6 + '(.*)', line)
    assert m, 'no CEF header'
    header = [re.sub(r'\\(.)', r'\1', h) for h in m.groups()[1:7]]
    extension, rest = {}, m[8]
    while rest:
        m = re.match(r'([A-Za-z0-9_]+)=((?:[^\\=]|\\[\\=nr])*?)(?: (?=[A-Za-z0-9_]+=)|$)', rest)
        assert m, f'extension at {rest[:60]!r}'
        assert m[1] not in extension, f'{m[1]} twice'
        extension[m[1]] = re.sub(r'\\(.)', lambda e: {'n': '\n', 'r': '\r'}.get(e[1], e[1]), m[2])
        rest = rest[m.end():]
    return header, extension


def cef_type(v, t):
    if t in ('integer', 'long', 'time', 'port'):
        top = {'integer': 2 ** 63, 'long': 2 ** 63, 'time': 2 ** 63, 'port': 65536}[t]
        return re.fullmatch(r'-?\d+', v) and int(v) < top
    if t in ('ipv4', 'ipv6'):
        return ipaddress.ip_address(v).version == int(t[3])
    return t == 'string'


def check_cef(line, event):
    no_control(line)
    header, extension = cef_parse(line)
    vendor, product, version, class_id, name, severity = header
    assert len(vendor) <= 63 and len(product) <= 63 and len(version) <= 31
    assert len(class_id.encode()) <= 1023 and len(name.encode()) <= 512 and 0 <= int(severity) <= 10
    for key, v in extension.items():
        assert key in CEF, f'{key}: not in the dictionary'
        t, longest = CEF[key][0], int(CEF[key][1])
        assert cef_type(v, t), f'{key}: {v!r} is no {t}'
        assert not longest or len(v.encode()) <= longest, f'{key}: {len(v.encode())} bytes'
        assert not re.fullmatch(r'c6a\d|cn\d|cs\d|flexString\d', key) or key + 'Label' in extension, f'{key} unlabelled'
    assert name == cut(at(event, 'alert.signature') or at(event, 'stripwire.title') or event['event_type'], 512)
    for key, path in (('cs5', 'stripwire.advice'), ('flexString1', 'stripwire.mechanism'), ('cs2', 'community_id'),
                      ('externalId', 'stripwire.event_id'), ('dvchost', 'host'), ('filePath', 'pcap_filename')):
        want = cut(at(event, path) or '', int(CEF[key][1]), True)
        assert extension.get(key, '') == want, f'{key}: {extension.get(key)!r} for {want!r}'
    want = at(event, 'stripwire.user')
    assert not want or extension['duser'] == cut(want, 1023, True)
    assert re.fullmatch(RFC3339, extension['cs6'])


# ---- RFC 5424, its ABNF ----

HEADER = re.compile(
    r'<(0|[1-9]\d?|1[0-8]\d|19[01])>([1-9]\d{0,2}) '
    r'(-|\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?'
    r'(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)) '
    r'([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) ')
SD_NAME = r'[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}'
SD_PARAM = re.compile(rf' ({SD_NAME})="((?:[^"\\\]]|\\["\\\]])*)"')
SYSLOG_SEVERITY = {'critical': 2, 'high': 3, 'medium': 4, 'low': 5, 'info': 6}


def structured_data(text):
    elements = {}
    if text.startswith('-'):
        return elements, text[1:]
    while text.startswith('['):
        m = re.match(r'\[(' + SD_NAME + ')', text)
        assert m and m[1] not in elements, f'SD-ID at {text[:40]!r}'
        params, text = {}, text[m.end():]
        while p := SD_PARAM.match(text):
            assert p[1] not in params, f'{p[1]} twice'
            params[p[1]] = re.sub(r'\\(.)', r'\1', p[2])
            text = text[p.end():]
        assert text.startswith(']'), f'SD-ELEMENT at {text[:40]!r}'
        elements[m[1]], text = params, text[1:]
    return elements, text


def check_header(line, event):
    m = HEADER.match(line)
    assert m, f'header: {line[:100]}'
    sev = 'info' if at(event, 'stripwire.event') == 'closed' else at(event, 'stripwire.severity') or 'info'
    assert int(m[1]) == 16 * 8 + SYSLOG_SEVERITY[sev] and m[2] == '1' and re.fullmatch(RFC3339, m[3])
    assert m.groups()[3:] == ('sensor1', 'stripwire', '4711', event['event_type']), m.groups()
    return line[m.end():]


def check_syslog(line, event):
    no_control(line)
    elements, rest = structured_data(check_header(line, event))
    ours = elements['stripwire@32473']
    assert elements['origin']['software'] == 'Stripwire' and elements['origin']['swVersion']
    assert rest.startswith(' ') and len(rest) > 1
    message = rest[1:]
    assert message.isascii() or message.startswith('\ufeff'), 'UTF-8 without BOM'
    for name, path in (('signature', 'alert.signature'), ('user', 'stripwire.user'), ('advice', 'stripwire.advice'),
                       ('event_id', 'stripwire.event_id'), ('server_name', 'stripwire.server_name')):
        want = cut(at(event, path) or '', 2048)
        assert ours.get(name, '') == want, f'{name}: {ours.get(name)!r} for {want!r}'


def with_header(check):
    def checked(line, event):
        rest = check_header(line, event)
        assert rest.startswith('- ')
        check(rest[2:], event)
    return checked


# ---- events ----

HOSTILE = ['"quoted" \\"twice\\"', 'a\nb\r\nc', 'x|y|z', 'k=v cs1=spoofed msg=hello', '[stripwire@1 a="b"]',
           'back\\slash\\', '\\', '\t\x01\x1b[31m\x7f', '\x85\u2028\u2029\u009b', 'ü 漢字 \U0001f600', '\ufeff', ' ',
           ' lead and trail ', ']', '"', '=', '|', "'; DROP TABLE x; --", '<script>', 'CEF:0|a|b|', '}{', '%s%n', 'x' * 9000,
           'ü' * 4500, '\\n', '\n']
STRINGS = ['alert.signature', 'alert.category', 'app_proto', 'host', 'pcap_filename', 'in_iface', 'stripwire.finding',
           'stripwire.user', 'stripwire.mechanism', 'stripwire.server_name', 'stripwire.advice', 'stripwire.where',
           'stripwire.cert_sha256', 'stripwire.evidence.0', 'tls.sni', 'tls.subject', 'tls.issuerdn', 'tls.serial',
           'tls.version', 'smtp.helo', 'smtp.mail_from', 'smtp.rcpt_to.0', 'stripwire.title', 'stripwire.visibility']
SAMPLES = [json.loads(line) for line in open('tests/feeds/events.jsonl')]


def put(o, path, v):
    *way, last = path.split('.')
    for name in way:
        o = o[int(name)] if isinstance(o, list) else o.get(name, {})
    if isinstance(o, list) and len(o) > int(last):
        o[int(last)] = v
    elif isinstance(o, dict) and last in o:
        o[last] = v


def hostile(sample):
    for s in HOSTILE:
        e = json.loads(json.dumps(sample))
        for path in STRINGS:
            put(e, path, s)
        if 'alert' in e: # cannot be empty or hold a space: they end the key
            e['alert']['metadata'] = {'a.b': [s], s.replace(' ', '_') or 'x': ['v', s]}
        yield e


def golden():
    for path in sorted(glob.glob('tests/golden/*.jsonl')):
        yield from (json.loads(line) for line in open(path) if '"event_type"' in line)


# All kinds of events, of the captures in pcaps/.
def seen():
    out = subprocess.run(['./stripwire', 'read', '--no-db', '-q', '--host', 'sensor1', '--eve', '-', '--eve-types',
                          'flow,tls,smtp,imap,pop3,stats', 'pcaps'], check=True, text=True, stdout=subprocess.PIPE).stdout
    events = [json.loads(line) for line in out.splitlines()]
    assert {e['event_type'] for e in events} == {'alert', 'incident', 'flow', 'tls', 'smtp', 'imap', 'pop3', 'stats'}
    return events


def with_id(e):
    e.setdefault('stripwire', {}).setdefault('event_id', '0123456789abcdef0123456789abcdef')
    return e


def run(name, checks, events):
    global passed, failed
    for how, check in checks:
        lines = formatted(events, *how)
        for line, event in zip(lines, events):
            try:
                assert line != '-', 'refused'
                check(line, event)
                passed += 1
            except Exception as e: # noqa: BLE001
                failed += 1
                if failed > 20:
                    continue
                print(f'FAIL {name}, {" ".join(how)}: {type(e).__name__}: {e}\n  {json.dumps(event)[:300]}\n  {line[:500]}')


CHECKS = [(('eve',), check_eve), (('ecs',), check_ecs), (('ocsf',), check_ocsf), (('cef',), check_cef),
          (('syslog',), check_syslog), (('syslog', 'header'), check_syslog), (('cef', 'header'), with_header(check_cef)),
          (('ecs', 'header'), with_header(check_ecs)), (('eve', 'header'), with_header(check_eve))]
run('golden', CHECKS, [with_id(e) for e in golden()])
run('seen', CHECKS, [with_id(e) for e in seen()])
run('samples', CHECKS, [with_id(e) for e in SAMPLES])
for sample in SAMPLES:
    run(f'hostile {sample["event_type"]}', CHECKS, [with_id(e) for e in hostile(sample)])

# What is no object or no UTF-8 is refused by all of them.
BAD = ['[]', '1', '"x"', '{', '{"a":"\udcff"}', '{"a":"\udcc0\udc80"}', '{"a":"\\ud800"}', 'null', ' ']
for form in ('eve', 'ecs', 'ocsf', 'cef', 'syslog'):
    good = formatted(BAD, form) == ['-'] * len(BAD)
    passed, failed = passed + good, failed + (not good)
    if not good:
        print(f'FAIL {form}: took {formatted(BAD, form)}')
print(f'{passed} passed, {failed} failed')
sys.exit(failed > 0)
