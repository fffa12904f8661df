# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of mailgen.py: real handshakes, made once with OpenSSL and kept in a file."""
import base64
import json
import os
import ssl
import subprocess
import tempfile

from mailgen_wire import C, S


def openssl(*args, **kw):
    subprocess.run(('openssl',) + args, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, **kw)


def make_chains(d, count):
    """count leaf certificates under root -> intermediate; every 8th expired, every 9th self-signed."""
    j = lambda *p: os.path.join(d, *p)
    with open(j('ca.cnf'), 'w') as f:
        f.write('[ca]\ndefault_ca=c\n[c]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\n'
                'default_md=sha256\npolicy=p\nunique_subject=no\ncopy_extensions=copy\n'
                '[p]\nCN=supplied\nO=optional\nC=optional\n[i]\nbasicConstraints=critical,CA:true\n'
                'keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
                'authorityKeyIdentifier=keyid\n[l]\nbasicConstraints=CA:false\n'
                'keyUsage=critical,digitalSignature,keyEncipherment\n'
                'extendedKeyUsage=serverAuth,clientAuth\nsubjectKeyIdentifier=hash\n'
                'authorityKeyIdentifier=keyid\n'
                'authorityInfoAccess=OCSP;URI:http://ocsp.example.net,'
                'caIssuers;URI:http://ca.example.net/i.crt\n'
                'crlDistributionPoints=URI:http://crl.example.net/i.crl\n'
                % (j('db'), j('ser'), d))
    open(j('db'), 'w').close()
    with open(j('ser'), 'w') as f:
        f.write('1000\n')
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', j('root.key'), '-out',
            j('root.pem'), '-days', '7300', '-subj', '/C=US/O=Example Trust/CN=Example Root R1')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', j('int.key'), '-out', j('int.csr'),
            '-subj', '/C=US/O=Example Trust/CN=Example Server CA G2')
    openssl('ca', '-batch', '-config', j('ca.cnf'), '-extensions', 'i', '-days', '3650', '-cert',
            j('root.pem'), '-keyfile', j('root.key'), '-in', j('int.csr'), '-out', j('int.pem'),
            '-notext')
    for n in range(count):
        host = 'mx%d.mail%d.example.org' % (n, n % 7)
        kt = ['rsa:2048'] if n % 3 else ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
        kf, cf, rf = j('%d.key' % n), j('%d.pem' % n), j('%d.csr' % n)
        alt = 'subjectAltName=DNS:%s,DNS:smtp.%s,DNS:imap.%s' % (host, host, host)
        if n % 9 == 8:
            openssl('req', '-x509', '-newkey', *kt, '-nodes', '-keyout', kf, '-out', cf, '-days',
                    '3650', '-subj', '/CN=' + host, '-addext', alt)
        else:
            openssl('req', '-newkey', *kt, '-nodes', '-keyout', kf, '-out', rf, '-subj',
                    '/O=Mail %d/CN=%s' % (n, host), '-addext', alt)
            when = (['-startdate', '20200101000000Z', '-enddate', '20210101000000Z']
                    if n % 8 == 7 else ['-startdate', '20230101000000Z', '-enddate',
                                        '20430101000000Z'])
            openssl('ca', '-batch', '-config', j('ca.cnf'), '-extensions', 'l', '-cert',
                    j('int.pem'), '-keyfile', j('int.key'), '-in', rf, '-out', cf, '-notext',
                    *when)
            with open(cf, 'a') as f:
                f.write(open(j('int.pem')).read())


def flights(cert, key, host, version):
    """The bytes of one real handshake: [(direction, bytes), ...]."""
    sc = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    sc.load_cert_chain(cert, key)
    cc = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    cc.check_hostname = False
    cc.verify_mode = ssl.CERT_NONE
    for x in (sc, cc):
        x.minimum_version = x.maximum_version = version
    # two BIO pairs: what each end writes is recorded, then handed to the other
    ci, co, si, so = (ssl.MemoryBIO() for _ in range(4))
    cli = cc.wrap_bio(ci, co, server_hostname=host)
    srv = sc.wrap_bio(si, so, server_side=True)
    out = []
    done = [False, False]
    for _ in range(20):
        for d, end, obio, ibio in ((C, cli, co, si), (S, srv, so, ci)):
            if not done[d]:
                try:
                    end.do_handshake()
                    done[d] = True
                except ssl.SSLWantReadError:
                    pass
            data = obio.read()
            if data:
                out.append([d, base64.b64encode(data).decode()])
                ibio.write(data)
        if all(done) and not co.pending and not so.pending:
            break
    return out


def tls_material(path, count=40):
    if not os.path.exists(path):
        with tempfile.TemporaryDirectory() as d:
            make_chains(d, count)
            j = lambda *p: os.path.join(d, *p)
            mat = {'12': [], '13': [], 'root': open(j('root.pem')).read()}
            for n in range(count):
                host = 'mx%d.mail%d.example.org' % (n, n % 7)
                for v, name in ((ssl.TLSVersion.TLSv1_2, '12'), (ssl.TLSVersion.TLSv1_3, '13')):
                    mat[name].append(flights(j('%d.pem' % n), j('%d.key' % n), host, v))
        with open(path, 'w') as f:
            json.dump(mat, f)
    with open(path) as f:
        mat = json.load(f)
    return {v: [[(d, base64.b64decode(x)) for d, x in fl] for fl in mat[v]] for v in ('12', '13')}


def fresh(flights, rng):
    """A recorded handshake with randoms of its own."""
    # record header 5, handshake header 4, version 2, random 32
    c, s = flights[0][1], flights[1][1]
    return [(C, c[:11] + rng.randbytes(32) + c[43:]), (S, s[:11] + rng.randbytes(32) + s[43:])] + flights[2:]
