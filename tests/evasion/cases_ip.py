# SPDX-License-Identifier: GPL-3.0-or-later
"""Below TCP: fragments, header fields, options, extension headers."""
import struct

import packets
from cases import AFTER, EVIL, GENEVA, GOOD, HPK, LIBRARY, PN, case
from packets import DEST, HOP, ROUTING, TCP, extension

LINE = b'NOOP ' + b'g' * 33 + b'\r\n'
BAD = b'NOOP ' + b'e' * 33 + b'\r\n'  # the same length


def bodies(w, **o):
    return w.segment('PA', LINE, **o), w.segment('PA', BAD, **o)


def fragmented(name, source, what, cuts, only=None, fallback=True, **o):
    """A command in fragments; `change`: index -> fragment that is cut from the other version. If the host does not take the
    datagram, it comes again whole."""
    change = o.pop('change', ())

    @case(name, source, what, only=only)
    def _(w):
        w.open()
        good, bad = bodies(w)
        w.fragments(good, cuts, change={i: bad[cuts[i][0]:cuts[i][1]] for i in change}, **o)
        if fallback:
            w.send('PA', LINE)
        w.next += len(LINE)
        w.ack()
        w.say(AFTER)


# a TCP header of 20 bytes and 40 of payload: 60
fragmented('frag-order', PN, 'A command in fragments, in order', [(0, 24), (24, 40), (40, 60)], fallback=False)
fragmented('frag-reverse', PN, 'Fragments, the last first', [(0, 24), (24, 40), (40, 60)], order=[2, 1, 0], fallback=False)
fragmented('frag-tiny', PN + '; RFC 1858', 'Fragments of 8 bytes: the TCP header itself is cut',
           [(i, min(i + 8, 60)) for i in range(0, 60, 8)], fallback=False)
fragmented('frag-duplicate', PN, 'A fragment twice, the same data', [(0, 24), (24, 40), (24, 40), (40, 60)])
fragmented('frag-overlap-exact', PN + '; Novak 2005', 'A fragment twice with other data', [(0, 24), (24, 40), (24, 40), (40, 60)], change=[2])
fragmented('frag-overlap-exact-first', PN, 'A fragment twice, the false one first', [(0, 24), (24, 40), (24, 40), (40, 60)], change=[1])
fragmented('frag-overlap-head', PN, 'A fragment over the head of an earlier one, other data',
           [(0, 24), (32, 48), (24, 40), (48, 60)], change=[2])
fragmented('frag-overlap-tail', PN, 'A fragment over the tail of an earlier one, other data',
           [(0, 24), (24, 40), (32, 48), (48, 60)], change=[2])
fragmented('frag-overlap-inner', PN, 'A fragment within an earlier one, other data',
           [(0, 24), (24, 48), (32, 40), (48, 60)], change=[2])
fragmented('frag-overlap-outer', PN, 'A fragment around an earlier one, other data',
           [(0, 24), (32, 40), (24, 48), (48, 60)], change=[2])
fragmented('frag-overlap-header', 'RFC 1858; ' + PN, 'A fragment over the TCP header', [(0, 24), (8, 24), (24, 60)], change=[1])
fragmented('frag-overlap-same', 'twin; ' + PN, 'Fragments that overlap and agree', [(0, 32), (24, 48), (40, 60)])
fragmented('frag-two-ends', PN, 'Two last fragments that disagree on the length', [(0, 24), (24, 40, True), (40, 60), (24, 56)])
fragmented('frag-beyond-end', PN, 'A fragment beyond the last', [(24, 60), (64, 72, False), (0, 24)])
fragmented('frag-alone', PN, 'The first fragment alone, then the whole command', [(0, 24)], change=[])
fragmented('frag-missing-middle', PN, 'The fragment in the middle is missing, then the whole command', [(0, 24), (40, 60)])
fragmented('frag-other-version-lost', GENEVA + ' fragmentation', 'The first of two fragments of a false command, then the whole real one',
           [(0, 40)], change=[0])


@case('frag-id-reused', PN, 'A false first fragment; then the real datagram in fragments with the same id')
def _(w):
    w.open()
    good, bad = bodies(w)
    w.fragments(bad, [(0, 40)], ident=777)
    w.fragments(good, [(0, 40), (40, 60)], ident=777)
    w.wait(.3)
    w.send('PA', LINE)
    w.next += len(LINE)
    w.say(AFTER)


@case('frag-low-ttl-head', HPK + '; ' + PN, 'The first fragment of a false command dies on the way, the real datagram has the same id')
def _(w):
    w.open()
    good, bad = bodies(w)
    w.ttl = 1
    w.fragments(bad, [(0, 40)], ident=777)
    w.ttl = 64
    w.fragments(good, [(0, 40), (40, 60)], ident=777)
    w.next += len(LINE)
    w.ack()
    w.say(AFTER)


@case('frag-low-ttl-tail', HPK + '; ' + PN, 'A last fragment of a false command dies on the way, then the real one, same id')
def _(w):
    w.open()
    good, bad = bodies(w)
    w.fragments(good, [(0, 40)], ident=777)
    w.ttl = 1
    w.fragments(bad, [(40, 60)], ident=777)
    w.ttl = 64
    w.fragments(good, [(40, 60)], ident=777)
    w.next += len(LINE)
    w.ack()
    w.say(AFTER)


@case('frag-empty', PN, 'A fragment without data', only=4)
def _(w):
    w.open()
    good, _ = bodies(w)
    w.fragments(good, [(0, 24), (24, 24, False), (24, 60)])
    w.send('PA', LINE)
    w.next += len(LINE)
    w.say(AFTER)


@case('frag-atomic', 'RFC 6946; twin', 'A fragment header on a whole datagram', only=6)
def _(w):
    w.open()
    good, _ = bodies(w)
    w.fragments(good, [(0, 60)])
    w.next += len(LINE)
    w.ack()
    w.say(AFTER)


@case('frag-nested', 'RFC 8200 4.5', 'A fragment header within a fragment', only=6)
def _(w):
    w.open()
    good, _ = bodies(w)
    inner = packets.fragment_header(TCP, 0, 0, 5) + good
    for start, end in ((0, 40), (40, len(inner))):
        w.put(packets.ip6(w.me, w.host, packets.fragment_header(packets.FRAGMENT, start, end < len(inner), 9) + inner[start:end],
                          64, packets.FRAGMENT))
    w.say(LINE)
    w.say(AFTER)


@case('frag-not-8', PN, 'A fragment that is not a multiple of 8 bytes and not the last')
def _(w):
    w.open()
    good, bad = bodies(w)
    w.fragments(bad, [(0, 28), (24, 60)])
    w.send('PA', LINE)
    w.next += len(LINE)
    w.say(AFTER)


def inserted(name, source, what, only=None, ip=None, ext=None, ttl=None):
    @case(name, source.replace('twin; ', ''), what + ', then the real command', only=only)
    def _(w):
        w.open()
        w.say(GOOD)
        w.send('PA', EVIL, ip=ip, ext=ext, ttl=ttl)
        w.say(GOOD)
        w.say(AFTER)

    @case(name + '-alone', source, what + ', and nothing else under its numbers', only=only)
    def _(w):
        w.open()
        w.say(GOOD)
        w.send('PA', EVIL, ip=ip, ext=ext, ttl=ttl)
        w.wait(.35)
        w.send('A')


inserted('ip-bad-checksum', PN, 'A wrong IP header checksum', 4, {'csum': 'bad'})
inserted('ip-version', PN, 'IP version 5', 4, {'version': 5})
inserted('ip-header-short', HPK, 'A header length below 5 words', 4, {'words': 4})
inserted('ip-length-short', HPK, 'A total length that cuts the segment', None, {'length': 45})
inserted('ip-length-long', HPK, 'A total length beyond the packet', None, {'length': 200})
inserted('ip-source-route-loose', PN, 'A loose source route', 4, {'opts': b'\x83\7\4' + b'\x0a\x63\1\1'})
inserted('ip-source-route-strict', PN, 'A strict source route', 4, {'opts': b'\x89\7\4' + b'\x0a\x63\1\1'})
inserted('ip-option-record', HPK, 'The record route option', 4, {'opts': b'\7\7\4\0\0\0\0'})
inserted('ip-option-bad', HPK, 'An IP option longer than the header', 4, {'opts': b'\x44\x40\5\0'})
inserted('ip-option-unknown', HPK, 'An IP option that nobody knows', 4, {'opts': b'\x5e\4\0\0'})
inserted('ip-protocol', GENEVA, 'Another protocol number', 4, {'proto': 8})
inserted('ip-ttl-0', HPK, 'TTL 0', None, ttl=0)
inserted('ip-ttl-2', 'twin; ' + HPK, 'A TTL that just suffices', None, ttl=2)
inserted('geneva-ip-length', LIBRARY + ': IP length', 'An IP length a few bytes too short', 4, {'length': 49})
inserted('ip6-hop-options', 'twin; RFC 8200', 'A hop-by-hop header with padding', 6, ext=(HOP, extension(TCP)))
inserted('ip6-destination-options', 'twin; RFC 8200', 'A destination options header with padding', 6, ext=(DEST, extension(TCP)))
inserted('ip6-option-skip', 'RFC 8200 4.2', 'An unknown option to be skipped', 6, ext=(DEST, extension(TCP, b'\x1e\4\0\0\0\0')))
inserted('ip6-option-discard', 'RFC 8200 4.2', 'An unknown option for which the host must discard', 6,
         ext=(DEST, extension(TCP, b'\x5e\4\0\0\0\0')))
inserted('ip6-option-discard-icmp', 'RFC 8200 4.2', 'An unknown option for which the host must discard and say so', 6,
         ext=(DEST, extension(TCP, b'\x9e\4\0\0\0\0')))
inserted('ip6-hop-option-discard', 'RFC 8200 4.2', 'An unknown hop-by-hop option for which routers must discard', 6,
         ext=(HOP, extension(TCP, b'\x5e\4\0\0\0\0')))
inserted('ip6-option-bad-length', 'RFC 8200 4.2', 'An option that ends beyond its header', 6,
         ext=(DEST, extension(TCP, b'\x1e\x40\0\0\0\0')))
inserted('ip6-hop-not-first', 'RFC 8200 4.1', 'A hop-by-hop header that is not the first', 6,
         ext=(DEST, extension(HOP) + extension(TCP)))
inserted('ip6-routing-0', 'RFC 5095', 'Routing header type 0 with segments left', 6,
         ext=(ROUTING, extension(TCP, b'\0\1\0\0\0\0' + packets.pack_addr('fd00:99:2::2'))))
inserted('ip6-routing-0-done', 'RFC 5095', 'Routing header type 0, no segments left', 6,
         ext=(ROUTING, extension(TCP, b'\0\0\0\0\0\0' + packets.pack_addr('fd00:99:2::2'))))
inserted('ip6-routing-unknown', 'RFC 8200 4.4', 'An unknown routing header with segments left', 6,
         ext=(ROUTING, extension(TCP, b'\x63\1\0\0\0\0')))
inserted('ip6-no-next-header', 'RFC 8200 4.7', 'Next header 59 before the segment', 6, ext=(DEST, extension(59)))
inserted('ip6-ah', 'RFC 4302', 'An authentication header nobody agreed on', 6,
         ext=(51, bytes([TCP, 4, 0, 0]) + struct.pack('>II', 0x1234, 1) + bytes(12)))
inserted('ip6-many-headers', 'RFC 8200 4.1', 'Eleven destination options headers', 6,
         ext=(DEST, extension(DEST) * 10 + extension(TCP)))


@case('frag-timeout', PN, 'A false first fragment; 31 s later, when the host has given it up, the real datagram with the same id', only=4)
def _(w):
    w.open()
    good, bad = bodies(w)
    w.fragments(bad, [(0, 40)], ident=777)
    w.wait(31)
    w.fragments(good, [(0, 40), (40, 60)], ident=777)
    w.next += len(LINE)
    w.ack()
    w.say(AFTER)


@case('frag-timeout-late', PN, 'A false last fragment 29 s after the first, while the host still waits; then the real command', only=4)
def _(w):
    w.open()
    good, bad = bodies(w)
    w.fragments(good, [(0, 40)], ident=777)
    w.wait(29)
    w.fragments(bad, [(40, 60)], ident=777)
    w.send('PA', LINE)
    w.next += len(LINE)
    w.ack()
    w.say(AFTER)
