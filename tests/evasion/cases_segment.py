# SPDX-License-Identifier: GPL-3.0-or-later
"""Single segments that a host takes and a sensor may not, or the other way round; order; windows; fields."""
from cases import AFTER, EVIL, GENEVA, GOOD, HPK, INTANG, KHATTAK, LIBRARY, PN, case
from packets import MD5, MSS, NOP, SACK_OK, timestamps, wscale


def cut(w, data, sizes):
    at = 0
    while at < len(data):
        n = sizes[at % len(sizes)]
        w.send('PA', data[at:at + n], off=at)
        at += n
    w.next += len(data)


@case('order-one-byte', PN, 'A command in segments of one byte')
def _(w):
    w.open()
    cut(w, GOOD, [1])
    w.say(AFTER)


@case('order-backwards', PN, 'Segments of one byte, the last first')
def _(w):
    w.open()
    for i in reversed(range(len(GOOD))):
        w.send('PA', GOOD[i:i + 1], off=i)
    w.next += len(GOOD)
    w.say(AFTER)


@case('order-pairs-swapped', GENEVA + ' segmentation', 'Two segments, the second first')
def _(w):
    w.open()
    w.send('PA', GOOD[6:], off=6)
    w.send('PA', GOOD[:6])
    w.next += len(GOOD)
    w.say(AFTER)


@case('order-segmentation', GENEVA + ' segmentation', 'The command cut into segments of 8 and 4, in order')
def _(w):
    w.open()
    cut(w, GOOD + AFTER, [8, 4])
    w.say(AFTER)


@case('order-duplicates', PN, 'Every segment twice, the same data')
def _(w):
    w.open()
    for i in range(0, len(GOOD), 3):
        for _ in 'ab':
            w.send('PA', GOOD[i:i + 3], off=i)
    w.next += len(GOOD)
    w.say(AFTER)


@case('order-interleaved', PN, 'Odd segments, then even ones, each twice')
def _(w):
    w.open()
    for first in (1, 0):
        for i in range(first, len(GOOD), 2):
            for _ in 'ab':
                w.send('PA', GOOD[i:i + 1], off=i)
    w.next += len(GOOD)
    w.say(AFTER)


@case('order-wrap', PN, 'Sequence numbers wrap within the command')
def _(w):
    w.open(isn=0xfffffff8)
    cut(w, GOOD, [4])
    w.say(AFTER)


@case('order-wrap-swapped', PN, 'Numbers wrap, segments out of order and overlapping')
def _(w):
    w.open(isn=0xfffffff8)
    w.send('PA', GOOD[5:], off=5)
    w.send('PA', EVIL[3:8], off=3)
    w.send('PA', GOOD[:5])
    w.next += len(GOOD)
    w.say(AFTER)


@case('order-keepalive', 'twin; RFC 9293 3.8.4', 'A keep-alive with one byte of garbage')
def _(w):
    w.open()
    w.say(GOOD)
    w.wait(.6)
    w.send('A', b'\0', off=-1)
    w.say(AFTER)


def insertion(name, source, what, what_of=lambda w: {}, flags='PA', only=None, moves=False):
    """A segment before the real one, under its number."""
    @case(name, source, what + ', then the real one', only=only)
    def _(w):
        w.open()
        w.say(GOOD)
        w.send(flags, EVIL, **what_of(w))
        w.say(GOOD)
        w.say(AFTER)

    @case(name + '-alone', source, what + ', and nothing else under its numbers', only=only)
    def _(w):
        w.open()
        w.say(GOOD)
        w.send(flags, EVIL, **what_of(w))
        w.wait(.35)
        w.say(b'\r\n') if moves else w.send('A')


insertion('insert-bad-checksum', PN + '; ' + GENEVA, 'A segment with a wrong checksum', lambda w: {'csum': 'bad'})
insertion('insert-zero-checksum', PN, 'A segment with checksum 0', lambda w: {'csum': 'zero'})
insertion('insert-low-ttl', HPK + '; ' + GENEVA, 'A segment whose TTL ends before the host', lambda w: {'ttl': 1})
insertion('insert-no-ack-flag', PN + '; ' + GENEVA, 'Data without the ACK flag', flags='P')
insertion('insert-null-flags', GENEVA + ' null flags', 'Data with no flag at all', flags='')
insertion('insert-fin-only', KHATTAK, 'Data with FIN alone, no ACK', flags='F')
insertion('insert-syn-flag', PN, 'Data with SYN and ACK set on an open connection', flags='SPA')
insertion('insert-rst-flag-bad-sum', GENEVA, 'Data with RST and a wrong checksum', lambda w: {'csum': 'bad'}, flags='RA')
insertion('insert-old-ack', INTANG, 'A segment that acknowledges what is far behind', lambda w: {'ack_off': -0x20000000})
insertion('insert-future-ack', INTANG, 'A segment that acknowledges what was never sent', lambda w: {'ack_off': 0x10000})
insertion('insert-ack-slightly-old', 'RFC 5961 5', 'A segment whose ACK is old, but within the window',
          lambda w: {'ack_off': -4})
insertion('insert-short-offset', HPK, 'A data offset below the smallest header', lambda w: {'offset': 4})
insertion('insert-long-offset', HPK, 'A data offset beyond the segment', lambda w: {'offset': 15})
insertion('insert-reserved-bits', HPK, 'A segment with reserved bits set', lambda w: {'reserved': 0xe})
insertion('insert-md5-option', INTANG + '; ' + GENEVA, 'A segment with an MD5 signature nobody asked for', lambda w: {'opts': MD5})
insertion('insert-bad-option-length', HPK, 'A TCP option longer than the header', lambda w: {'opts': b'\x1e\x28\0\0'})
insertion('insert-option-length-0', HPK, 'A TCP option of length 0', lambda w: {'opts': b'\x1e\0\0\0'})
insertion('insert-unknown-option', HPK, 'A TCP option that nobody knows', lambda w: {'opts': b'\xfd\4\x12\x34'})
insertion('insert-mss-late', HPK, 'MSS, window scale and SACK options in mid-stream',
          lambda w: {'opts': MSS + NOP + wscale(3) + SACK_OK})
insertion('insert-timestamps-unasked', PN, 'Timestamps where none were agreed', lambda w: {'opts': timestamps(1, 1)})
insertion('insert-urg-0', HPK, 'URG with pointer 0', lambda w: {'urg': 0}, flags='PAU')
insertion('insert-window-0', HPK, 'A segment that offers window 0', lambda w: {'win': 0})



# the strategies of Geneva's library that reached their aim against a real censor, by the library's own names

def desync(name, what, **o):
    insertion('geneva-desync-' + name, f'{LIBRARY}: TCP Desync - {what}', what, lambda w: o)


desync('dataofs-checksum', 'Increment Dataofs - Corrupt Chksum', offset=7, csum='bad')
desync('dataofs-ttl', 'Increment Dataofs - Small TTL', offset=7, ttl=1)
desync('dataofs-ack', 'Increment Dataofs - Corrupt ACK', offset=7, ack_off=0x3000000)
desync('dataofs', 'Increment Dataofs', offset=7)
desync('load-checksum', 'Invalid Payload - Corrupt Chksum', csum='bad')
desync('load-ack', 'Invalid Payload - Corrupt ACK', ack_off=0x3000000)
insertion('geneva-desync-dataofs-flags', f'{LIBRARY}: TCP Desync - Increment Dataofs - Invalid Flags',
          'Increment Dataofs - Invalid Flags', lambda w: {'offset': 7, 'csum': 'bad'}, flags='FRAPU')
insertion('geneva-flags-cn', f'{LIBRARY}: Invalid Flags - Invalid Payload', 'CWR and no ACK, with data', flags='C')
insertion('geneva-fin-ip-length', f'{LIBRARY}: Hybrid Strategy - Fragment and set Fin flag', 'FIN alone and a short IP length',
          lambda w: {'ip': {'length': 45 if not w.v6 else 25}}, flags='F')


@case('paws-old', PN + '; ' + INTANG, 'A segment with an old timestamp, then the real one')
def _(w):
    w.ts = 1000000
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, ts=900000)
    w.say(GOOD)
    w.say(AFTER)


@case('paws-old-alone', PN + '; ' + INTANG, 'A segment with an old timestamp, and nothing else under its numbers')
def _(w):
    w.ts = 1000000
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, ts=900000)
    w.wait(.35)
    w.send('A')


@case('paws-slightly-old', 'twin; RFC 7323 5', 'A timestamp older by 1: Linux allows that')
def _(w):
    w.ts = 1000000
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, ts=w.ts - 1)
    w.next += len(EVIL)
    w.say(AFTER)


@case('paws-future-then-real', INTANG, 'A timestamp far ahead makes the later real ones old')
def _(w):
    w.ts = 1000000
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, ts=0x40000000)
    w.send('PA', GOOD)
    w.next += len(EVIL)
    w.send('PA', AFTER)
    w.send('PA', b'NOOP more\r\n', off=len(AFTER), ts=0x40000010)
    w.wait(.35)
    w.send('A', ts=0x40000020)


@case('paws-ahead-out-of-order', 'twin; RFC 7323 5.3', 'A segment overtaken by one with a later timestamp')
def _(w):
    w.ts = 1000000
    w.open()
    w.send('PA', GOOD[6:], off=6, ts=1000050)
    w.send('PA', GOOD[:6], ts=1000040)
    w.next += len(GOOD)
    w.ts = 1000060
    w.say(AFTER)


@case('paws-missing', 'RFC 7323 3.2', 'Timestamps were agreed, a segment has none, then the real one')
def _(w):
    w.ts = 1000000
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, ts=False)
    w.say(GOOD)
    w.say(AFTER)


@case('paws-zero', 'RFC 7323 5', 'A timestamp of 0, then the real one')
def _(w):
    w.ts = 1000000
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, ts=0)
    w.say(GOOD)
    w.say(AFTER)


@case('urgent-1', PN + '; ' + HPK, 'A byte of the command is urgent: a socket without OOBINLINE does not read it')
def _(w):
    w.open()
    w.send('PAU', b'NOOP gooXd\r\n', urg=9)
    w.next += 12
    w.say(AFTER)


@case('urgent-first', HPK, 'The first byte is urgent')
def _(w):
    w.open()
    w.send('PAU', b'X' + GOOD, urg=1)
    w.next += len(GOOD) + 1
    w.say(AFTER)


@case('urgent-last', HPK, 'The last byte is urgent')
def _(w):
    w.open()
    w.send('PAU', GOOD + b'X', urg=len(GOOD) + 1)
    w.next += len(GOOD) + 1
    w.say(AFTER)


@case('urgent-beyond', HPK, 'The urgent pointer points into the next segment')
def _(w):
    w.open()
    w.send('PAU', GOOD, urg=len(GOOD) + 3)
    w.next += len(GOOD)
    w.say(AFTER)


@case('urgent-no-flag', 'twin; ' + HPK, 'An urgent pointer without the URG flag')
def _(w):
    w.open()
    w.send('PA', GOOD, urg=4)
    w.next += len(GOOD)
    w.say(AFTER)


@case('urgent-empty', HPK, 'URG in a segment without data, pointing ahead')
def _(w):
    w.open()
    w.send('AU', b'', urg=3)
    w.say(GOOD)
    w.say(AFTER)


@case('window-beyond', PN + '; ' + KHATTAK, 'Data outside the window of the host')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, off=0x400000)
    w.say(GOOD)
    w.say(AFTER)


@case('window-just-beyond', PN, 'Data just beyond the window, later the same numbers again')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, off=70000)
    for i in range(0, 70000, 1000):
        w.send('A', (b'NOOP ' + b'y' * 993 + b'\r\n'), off=i)
    w.next += 70000
    w.say(GOOD)
    w.say(AFTER)


@case('window-behind', PN, 'Data before the window, then the real command')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, off=-0x10000)
    w.say(GOOD)


@case('window-far-behind', INTANG, 'Data with a number of half the space away')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, off=0x7fffffff)
    w.say(GOOD)
    w.say(AFTER)


@case('window-desync-data', INTANG + ' TCB desync', 'Data with a number far ahead, then the stream as it was')
def _(w):
    w.open()
    w.send('PA', EVIL, off=0x20000000)
    w.say(GOOD)
    w.say(AFTER)


@case('window-ahead-never-filled', PN, 'A segment ahead of a hole that is never filled')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL, off=200)
    w.wait(.35)
    w.send('A')


@case('window-hole-fin', PN, 'A segment and a FIN ahead of a hole that is never filled')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('FPA', EVIL, off=200)
    w.wait(.35)
    w.send('A')


@case('ack-spoofed-hole', PN, 'Acknowledgements of what the host never sent, on both sides of a command')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('A', ack_off=500)
    w.say(AFTER)
