# SPDX-License-Identifier: GPL-3.0-or-later
# What OCSF 1.4.0 demands and allows in the classes and objects that Stripwire
# fills: name: type, a mark ! where it is required. Types: s string, i integer,
# l 64-bit integer, b boolean, t ms since the epoch, dt RFC 3339, j anything,
# {enumeration}, an object's name, and * before what is a list.
import re

RFC3339 = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)')

SEVERITY = {0: 'Unknown', 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High', 5: 'Critical', 6: 'Fatal', 99: None}
BASE = {
    'activity_id': 'i!', 'activity_name': 's', 'category_uid': 'i!', 'category_name': 's', 'class_uid': 'i!',
    'class_name': 's', 'count': 'i', 'duration': 'l', 'end_time': 't', 'end_time_dt': 'dt', 'enrichments': 'j',
    'message': 's', 'metadata': 'metadata!', 'observables': '*observable', 'raw_data': 's', 'severity': 's',
    'severity_id': 'i!', 'start_time': 't', 'start_time_dt': 'dt', 'status': 's', 'status_code': 's',
    'status_detail': 's', 'status_id': 'i', 'time': 't!', 'time_dt': 'dt', 'timezone_offset': 'i', 'type_name': 's',
    'type_uid': 'l!', 'unmapped': 'j',
}
CLASSES = {
    0: ('Base Event', 0, 'Uncategorized', {0: 'Unknown', 99: None}, {}, {}),
    2004: ('Detection Finding', 2, 'Findings', {0: 'Unknown', 1: 'Create', 2: 'Update', 3: 'Close', 99: None},
           {0: 'Unknown', 1: 'New', 2: 'In Progress', 3: 'Suppressed', 4: 'Resolved', 5: 'Archived', 99: None}, {
        'comment': 's', 'confidence': 's', 'confidence_id': 'i', 'confidence_score': 'i', 'evidences': '*evidences',
        'finding_info': 'finding_info!', 'impact': 's', 'impact_id': 'i', 'impact_score': 'i', 'is_alert': 'b',
        'remediation': 'remediation', 'resources': '*resource_details', 'risk_details': 's', 'risk_level': 's',
        'risk_level_id': 'i', 'risk_score': 'i', 'vulnerabilities': 'j'}),
    4001: ('Network Activity', 4, 'Network Activity',
           {0: 'Unknown', 1: 'Open', 2: 'Close', 3: 'Reset', 4: 'Fail', 5: 'Refuse', 6: 'Traffic', 7: 'Listen', 99: None},
           {0: 'Unknown', 1: 'Success', 2: 'Failure', 99: None}, {
        'app_name': 's', 'connection_info': 'network_connection_info', 'dst_endpoint': 'network_endpoint',
        'src_endpoint': 'network_endpoint', 'tls': 'tls', 'traffic': 'network_traffic', 'url': 'j'}),
}
CONFIDENCE = {0: 'Unknown', 1: 'Low', 2: 'Medium', 3: 'High', 99: None}
OBJECTS = {
    'metadata': {'correlation_uid': 's', 'event_code': 's', 'labels': '*s', 'log_name': 's', 'log_provider': 's',
                 'log_version': 's', 'logged_time': 't', 'modified_time': 't', 'original_time': 's',
                 'processed_time': 't', 'product': 'product!', 'profiles': '*s', 'sequence': 'i', 'uid': 's',
                 'version': 's!'},
    'product': {'name': 's', 'vendor_name': 's!', 'version': 's', 'uid': 's', 'lang': 's', 'path': 's'},
    'observable': {'name': 's!', 'type': 's', 'type_id': 'i!', 'value': 's'},
    'finding_info': {'analytic': 'analytic', 'created_time': 't', 'created_time_dt': 'dt', 'data_sources': '*s',
                     'desc': 's', 'first_seen_time': 't', 'first_seen_time_dt': 'dt', 'last_seen_time': 't',
                     'last_seen_time_dt': 'dt', 'modified_time': 't', 'product_uid': 's', 'src_url': 's',
                     'title': 's!', 'types': '*s', 'uid': 's!', 'related_events': 'j', 'related_events_count': 'i'},
    'analytic': {'category': 's', 'desc': 's', 'name': 's', 'type': 's', 'type_id': 'i!', 'uid': 's', 'version': 's'},
    'remediation': {'desc': 's!', 'references': '*s'},
    'resource_details': {'name': 's', 'uid': 's', 'type': 's', 'labels': '*s', 'version': 's'},
    'evidences': {'actor': 'actor', 'connection_info': 'network_connection_info', 'data': 'j',
                  'dst_endpoint': 'network_endpoint', 'src_endpoint': 'network_endpoint'},
    'actor': {'user': 'user', 'app_name': 's'},
    'user': {'name': 's', 'uid': 's', 'domain': 's', 'email_addr': 's', 'type': 's', 'type_id': 'i'},
    'network_endpoint': {'hostname': 's', 'ip': 's', 'port': 'i', 'name': 's', 'mac': 's', 'svc_name': 's',
                         'interface_name': 's', 'vlan_uid': 's', 'uid': 's'},
    'network_connection_info': {'boundary': 's', 'boundary_id': 'i', 'community_uid': 's', 'direction': 's',
                                'direction_id': 'i!', 'flag_history': 's', 'protocol_name': 's', 'protocol_num': 'i',
                                'protocol_ver': 's', 'protocol_ver_id': 'i', 'tcp_flags': 'i', 'uid': 's'},
    'network_traffic': {'bytes': 'l', 'bytes_in': 'l', 'bytes_missed': 'l', 'bytes_out': 'l', 'packets': 'l',
                        'packets_in': 'l', 'packets_out': 'l'},
    'tls': {'alert': 'i', 'certificate': 'certificate', 'certificate_chain': '*s', 'cipher': 's',
            'client_ciphers': '*s', 'handshake_dur': 'i', 'ja3_hash': 'fingerprint', 'ja3s_hash': 'fingerprint',
            'key_length': 'i', 'server_ciphers': '*s', 'sni': 's', 'version': 's!'},
    'certificate': {'created_time': 't', 'created_time_dt': 'dt', 'expiration_time': 't', 'expiration_time_dt': 'dt',
                    'fingerprints': '*fingerprint', 'is_self_signed': 'b', 'issuer': 's!', 'serial_number': 's!',
                    'subject': 's', 'uid': 's', 'version': 's'},
    'fingerprint': {'algorithm': 's', 'algorithm_id': 'i!', 'value': 's!'},
}
ENUMS = { # captions of what ends in _id, by object
    'analytic.type': {0: 'Unknown', 1: 'Rule', 2: 'Behavioral', 3: 'Statistical', 4: 'Learning (ML/DL)', 99: None},
    'observable.type': {1: 'Hostname', 2: 'IP Address', 4: 'User Name', 8: 'Hash'},
    'fingerprint.algorithm': {1: 'MD5', 2: 'SHA-1', 3: 'SHA-256', 4: 'SHA-512'},
    'network_connection_info.direction': {0: 'Unknown', 1: 'Inbound', 2: 'Outbound', 3: 'Lateral', 99: None},
    'network_connection_info.protocol_ver': {4: 'Internet Protocol version 4 (IPv4)',
                                             6: 'Internet Protocol version 6 (IPv6)'},
}


def is_a(v, t):
    if t in ('i', 'l', 't'):
        width = 2 ** 31 if t == 'i' else 2 ** 63
        return isinstance(v, int) and not isinstance(v, bool) and (v >= 0 if t == 't' else -width <= v < width)
    return {'s': lambda: isinstance(v, str), 'b': lambda: isinstance(v, bool), 'j': lambda: True,
            'dt': lambda: isinstance(v, str) and RFC3339.fullmatch(v)}[t]()


def check_object(o, schema, where):
    assert isinstance(o, dict), f'{where}: not an object'
    for name, t in schema.items():
        assert not t.endswith('!') or name in o, f'{where}.{name}: required'
    for name, v in o.items():
        assert name in schema, f'{where}.{name}: no such attribute'
        t = schema[name].rstrip('!')
        values = v if t.startswith('*') else [v]
        assert isinstance(values, list), f'{where}.{name}: not a list'
        for each in values:
            check_value(each, t.lstrip('*'), f'{where}.{name}')
        if name.endswith('_dt'):
            assert name[:-3] in o, f'{where}.{name}: without {name[:-3]}'


def check_value(v, t, where):
    if t not in OBJECTS:
        assert is_a(v, t), f'{where}: {v!r} is no {t}'
        return
    check_object(v, OBJECTS[t], where)
    for key, captions in ENUMS.items():
        owner, name = key.split('.')
        if owner == t and name + '_id' in v:
            check_enum(v, name + '_id', name, captions, where)


def check_enum(o, key, caption, captions, where):
    assert o[key] in captions, f'{where}.{key}: {o[key]}'
    if captions[o[key]] is not None and caption in o:
        assert o[caption] == captions[o[key]], f'{where}.{caption}: {o[caption]} for {o[key]}'


def check(o):
    name, category, category_name, activities, statuses, more = CLASSES[o['class_uid']]
    check_object(o, {**BASE, **more}, name)
    assert (o['class_name'], o['category_uid'], o['category_name']) == (name, category, category_name)
    check_enum(o, 'activity_id', 'activity_name', activities, name)
    check_enum(o, 'severity_id', 'severity', SEVERITY, name)
    if 'status_id' in o:
        check_enum(o, 'status_id', 'status', statuses, name)
    if 'confidence_id' in o:
        check_enum(o, 'confidence_id', 'confidence', CONFIDENCE, name)
    assert o['type_uid'] == o['class_uid'] * 100 + o['activity_id']
    assert o['type_name'] == f'{o["class_name"]}: {o["activity_name"]}'
    assert o['metadata']['version'] == '1.4.0' and 'datetime' in o['metadata']['profiles']
    if o['class_uid'] == 4001: # constraint at_least_one
        assert 'src_endpoint' in o or 'dst_endpoint' in o
    for e in o.get('evidences', []):
        assert e, 'evidences: at least one attribute'
