# SPDX-License-Identifier: GPL-3.0-or-later
"""RST and FIN that the host does or does not obey."""
from cases import AFTER, EVIL, GENEVA, GOOD, HPK, INTANG, KHATTAK, LIBRARY, PN, case


def teardown(name, source, what, flags, both=True, **o):
    @case(name, source, what + '; then the command')
    def _(w):
        w.open()
        w.say(GOOD)
        w.send(flags, **o)
        w.say(AFTER)
        w.say(GOOD)


teardown('rst-exact', PN, 'RST with the exact number', 'R')
teardown('rst-ack-exact', GENEVA + ' TCB teardown', 'RST and ACK with the exact number', 'RA')
teardown('rst-in-window', 'RFC 5961 3; ' + HPK, 'RST in the window, not exact', 'R', off=100)
teardown('rst-one-ahead', 'RFC 5961 3', 'RST one number ahead', 'R', off=1)
teardown('rst-one-behind', 'RFC 5961 3', 'RST one number behind', 'R', off=-1)
teardown('rst-stale', HPK, 'RST with a number long past', 'R', off=-0x10000000)
teardown('rst-first-number', PN, 'RST with the first number of the connection', 'RA', off=-12)
teardown('rst-out-of-window', PN, 'RST far beyond the window', 'R', off=0x10000000)
teardown('rst-bad-checksum', GENEVA + ' TCB teardown', 'RST with a wrong checksum', 'R', csum='bad')
teardown('rst-ack-bad-checksum', GENEVA + ' TCB teardown', 'RST and ACK with a wrong checksum', 'RA', csum='bad')
teardown('rst-low-ttl', GENEVA + ' TCB teardown', 'RST that does not reach the host', 'R', ttl=1)
teardown('rst-ack-low-ttl', GENEVA + ' TCB teardown', 'RST and ACK that does not reach the host', 'RA', ttl=1)
teardown('rst-ack-wrong-ack', 'RFC 5961 3', 'RST and ACK, exact number, acknowledging what was never sent', 'RA', ack_off=0x100000)
teardown('rst-fin', KHATTAK, 'RST and FIN', 'RF')
teardown('rst-syn', KHATTAK, 'RST and SYN', 'RS')
teardown('rst-data', HPK, 'RST that carries data, exact number', 'RA', data=EVIL)
teardown('rst-data-stale', HPK, 'RST that carries data, one number behind', 'RA', data=EVIL, off=-1)
teardown('rst-data-low-ttl', GENEVA, 'RST that carries data and does not reach the host', 'RA', data=EVIL, ttl=1)
teardown('rst-md5', INTANG, 'RST with an MD5 signature nobody asked for', 'RA', opts=b'\x13\x12' + bytes(16))
teardown('fin-bad-checksum', GENEVA + ' TCB teardown', 'FIN with a wrong checksum', 'FA', csum='bad')
teardown('fin-low-ttl', GENEVA + ' TCB teardown', 'FIN that does not reach the host', 'FA', ttl=1)
teardown('fin-no-ack-flag', INTANG, 'FIN without ACK', 'F')
teardown('fin-stale', HPK, 'FIN with a number behind', 'FA', off=-12)
teardown('fin-ahead', HPK, 'FIN ahead of what was sent', 'FA', off=100)
teardown('fin-out-of-window', HPK, 'FIN beyond the window', 'FA', off=0x10000000)
teardown('fin-data-bad-checksum', GENEVA, 'FIN with data and a wrong checksum', 'FPA', data=EVIL, csum='bad')
teardown('fin-data-low-ttl', GENEVA, 'FIN with data that does not reach the host', 'FPA', data=EVIL, ttl=1)
teardown('fin-null', GENEVA, 'A segment with every flag set (christmas tree), wrong number', 'FSRPAU', off=100)
teardown('fin-syn', KHATTAK, 'SYN and FIN in mid-stream', 'SF')
teardown('fin-syn-ack', KHATTAK, 'SYN, FIN and ACK in mid-stream', 'SFA')
teardown('fin-urg-psh', GENEVA, 'FIN, URG and PSH without ACK', 'FUP')

MD5 = b'\x13\x12' + bytes(16)
for end, more in (('checksum', {'csum': 'bad'}), ('ttl', {'ttl': 1}), ('md5', {'opts': MD5}), ('ack', {'ack_off': 0x3000000})):
    if end != 'ack':
        teardown(f'geneva-teardown-flags-{end}', f'{LIBRARY}: TCB Teardown - Invalid Flags', f'All flags (FRAPUE) and a wrong {end}',
                 'FRAPUE', **more)
    teardown(f'geneva-teardown-rst-{end}', f'{LIBRARY}: TCB Teardown - with RST/ACK', f'RST and ACK and a wrong {end}, right after the '
             'handshake', 'RA', **more)


@case('fin-then-data', PN, 'A FIN that is taken, then data beyond it')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('FA')
    w.next += 1
    w.send('PA', AFTER)


@case('fin-over-data', HPK, 'A FIN ahead, then data over its number')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('FA', off=5)
    w.say(AFTER)
    w.say(GOOD)


@case('fin-data-then-more', HPK, 'A FIN with data out of order; what was to come before it comes later, and is longer')
def _(w):
    w.open()
    w.send('FPA', GOOD[6:], off=6)
    w.send('PA', GOOD[:6] + b'XXXX' + EVIL)
    w.next += len(GOOD) + 1
    w.send('A')


@case('fin-twice', PN, 'Two FINs with different numbers')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('FPA', AFTER, off=len(EVIL))
    w.send('FPA', EVIL)
    w.next += len(EVIL) + 1
    w.send('A')
    w.send('PA', AFTER)


@case('fin-one-byte-keepalive', PN, 'FIN, then a byte at the number of the FIN')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('FA')
    w.send('PA', b'X')
    w.next += 1
    w.send('A')


@case('rst-between-halves', PN, 'A stale RST between two halves of a command')
def _(w):
    w.open()
    w.send('PA', GOOD[:6])
    w.send('R')
    w.send('PA', GOOD[6:], off=6)
    w.next += len(GOOD)
    w.say(AFTER)


@case('rst-behind-hole', PN, 'RST at the end of a segment that waits behind a hole')
def _(w):
    w.open()
    w.send('PA', GOOD[6:], off=6)
    w.send('RA', off=len(GOOD))
    w.send('PA', GOOD[:6])
    w.next += len(GOOD)
    w.say(AFTER)


@case('rst-to-server-by-ack', GENEVA + ' RST-ACK', 'RST without ACK flag but with an ACK number, exact')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('R', ack=w.rcv)
    w.say(AFTER)


@case('teardown-then-new', HPK, 'A real reset, then a new connection on the same ports')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('RA')
    w.wait(.05)
    w.next = w.next + 0x300000 & 0xffffffff
    w.open()
    w.say(AFTER)


@case('fake-teardown-then-new', INTANG, 'A reset and a new handshake that do not reach the host; the old connection goes on')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('RA', ttl=1)
    w.send('S', seq=0x70000000, ttl=1)
    w.send('PA', EVIL, seq=0x70000001, ttl=1)
    w.say(AFTER)
    w.say(GOOD)


@case('closed-then-new', 'twin', 'An orderly close by both, then a new connection on the same ports')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('FA')
    w.next += 1
    w.wait(.05)
    for a in w.apps:
        a.finish()
    w.poll(.05)
    w.send('A')
    w.wait(.05)
    w.next = w.next + 0x300000 & 0xffffffff
    w.open()
    w.say(AFTER)
