# SPDX-License-Identifier: GPL-3.0-or-later
"""The handshake as a real server sees it: SYNs, data in them, what is not acknowledged."""
from cases import AFTER, EVIL, GENEVA, GOOD, HPK, INTANG, LIBRARY, PN, case

OTHER = 0x50000000


@case('syn-other-before', PN + '; ' + INTANG, 'A SYN with another number, which dies on the way, before the real one')
def _(w):
    w.send('S', seq=OTHER, ttl=1)
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('syn-other-before-bad-sum', PN + '; ' + INTANG, 'A SYN with another number and a wrong checksum before the real one')
def _(w):
    w.send('S', seq=OTHER, csum='bad')
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('syn-other-before-answered', PN, 'A SYN with another number, which the host answers, then the real one')
def _(w):
    w.syn(isn=OTHER)
    w.open(isn=0x12345678)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-other-far-before-answered', PN, 'A SYN that is answered, then one with a number in its window')
def _(w):
    w.syn(isn=OTHER)
    w.open(isn=OTHER + 500)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-other-between', INTANG, 'A SYN with another number between SYN/ACK and ACK, which dies on the way')
def _(w):
    w.syn()
    w.send('S', seq=OTHER, ttl=1)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-other-between-arrives', INTANG, 'A SYN with another number between SYN/ACK and ACK, which arrives')
def _(w):
    w.syn()
    kept = w.rcv
    w.send('S', seq=OTHER)
    w.rcv = kept
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-other-between-data', INTANG, 'The same, and data of the false connection before those of the real one')
def _(w):
    w.syn()
    w.send('S', seq=OTHER, ttl=1)
    w.send('PA', EVIL, seq=OTHER + 1, ttl=1)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-after-open', INTANG + ' TCB reversal', 'A SYN with another number on the open connection, which arrives')
def _(w):
    w.open()
    w.send('S', seq=OTHER)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-after-open-low-ttl', GENEVA + ' TCB desync', 'A SYN with another number on the open connection, which dies on the way')
def _(w):
    w.open()
    w.send('S', seq=OTHER, ttl=1)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-after-open-data', GENEVA + ' TCB desync', 'A SYN with data and another number on the open connection')
def _(w):
    w.open()
    w.send('S', EVIL, seq=OTHER)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-after-open-bad-sum-data', GENEVA + ' TCB desync', 'The same with a wrong checksum')
def _(w):
    w.open()
    w.send('S', EVIL, seq=OTHER, csum='bad')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-after-open-full', INTANG, 'A whole false handshake of the client (SYN, ACK, data) on the open connection, none arrives')
def _(w):
    w.open()
    w.send('S', seq=OTHER, ttl=1)
    w.send('A', seq=OTHER + 1, ttl=1)
    w.send('PA', EVIL, seq=OTHER + 1, ttl=1)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-after-open-full-arrives', INTANG, 'The same, and all of it arrives')
def _(w):
    w.open()
    w.send('S', seq=OTHER)
    w.send('A', seq=OTHER + 1)
    w.send('PA', EVIL, seq=OTHER + 1)
    w.say(GOOD)
    w.say(AFTER)


@case('syn-in-window', PN + '; RFC 5961 4', 'A SYN within the window of the open connection')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('S', off=10)
    w.say(AFTER)


@case('syn-exact', 'RFC 5961 4', 'A SYN with exactly the next number')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('S')
    w.say(AFTER)


@case('syn-exact-data', PN, 'A SYN with the next number and data, then the real command')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('S', EVIL)
    w.say(AFTER)


@case('syn-repeat', 'twin', 'The SYN of the connection, sent again')
def _(w):
    w.syn()
    w.send('S', off=-1)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)


@case('syn-data-ignored', PN, 'Data in the SYN; the host does not keep them; later other data under their numbers')
def _(w):
    w.syn(EVIL)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-data-repeated', PN, 'Data in the SYN, and the same once more after the handshake')
def _(w):
    w.syn(GOOD)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-data-only', PN, 'Data in the SYN, not repeated')
def _(w):
    w.syn(EVIL)
    w.send('A')
    w.wait(.35)
    w.send('A')


@case('syn-data-with-first', PN, 'Data in the SYN, other and longer data in the ACK of the handshake')
def _(w):
    w.syn(EVIL)
    w.send('PA', GOOD + AFTER)
    w.next += len(GOOD + AFTER)
    w.send('A')
    w.say(AFTER)


def fetch_cookie(w):
    """A first connection, for the cookie of TCP Fast Open."""
    from packets import MSS, NOP
    w.syn(opts=MSS + NOP * 2 + b'\x22\x02')
    w.send('RA')
    w.next = w.next + 0x100000 & 0xffffffff
    return MSS + NOP * 2 + bytes([34, 2 + len(w.cookie)]) + w.cookie


@case('syn-data-tfo', 'RFC 7413; twin', 'Data in the SYN with a valid cookie: the host takes them')
def _(w):
    opts = fetch_cookie(w)
    w.syn(GOOD, opts=opts)
    w.next += len(GOOD)
    w.send('A')
    w.say(AFTER)


@case('syn-data-tfo-conflict', 'RFC 7413', 'Data in the SYN with a valid cookie, then other data under their numbers')
def _(w):
    opts = fetch_cookie(w)
    w.syn(GOOD, opts=opts)
    w.send('PA', EVIL)
    w.next += len(GOOD)
    w.say(AFTER)


@case('syn-data-tfo-bad-cookie', 'RFC 7413', 'Data in the SYN with a wrong cookie, then other data under their numbers')
def _(w):
    opts = fetch_cookie(w)
    w.syn(EVIL, opts=opts[:-1] + bytes([opts[-1] ^ 255]))
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('syn-fin', PN + '; ' + HPK, 'SYN and FIN before the real SYN')
def _(w):
    w.send('SF', seq=OTHER)
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('syn-rst', HPK, 'SYN and RST before the real SYN')
def _(w):
    w.send('SR', seq=OTHER)
    w.open()
    w.say(GOOD)


@case('syn-urg', HPK, 'SYN with URG and PSH opens the connection')
def _(w):
    w.syn(flags='SUP', urg=1)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)


@case('syn-null', GENEVA + ' null flags', 'A segment with no flags before the SYN, with data')
def _(w):
    w.send('', EVIL)
    w.open()
    w.say(GOOD)


@case('syn-bad-sum-then-data', GENEVA, 'The SYN once with a wrong checksum and another number, data of it, then the real handshake')
def _(w):
    w.send('S', seq=OTHER, csum='bad')
    w.send('PA', EVIL, seq=OTHER + 1, csum='bad')
    w.open()
    w.say(GOOD)


@case('ack-missing', PN, 'Data right after the SYN/ACK, no bare ACK')
def _(w):
    w.syn()
    w.send('PA', GOOD)
    w.next += len(GOOD)
    w.send('A')
    w.say(AFTER)


@case('ack-bad-number', PN, 'The handshake acknowledged with a wrong number and data, then rightly')
def _(w):
    w.syn()
    w.send('PA', EVIL, ack_off=1000)
    w.send('A')
    w.poll(.02)
    w.say(GOOD)
    w.say(AFTER)


@case('ack-no-flag-data', PN, 'Data without ACK before the handshake is acknowledged')
def _(w):
    w.syn()
    w.send('P', EVIL)
    w.send('A')
    w.poll(.02)
    w.say(GOOD)
    w.say(AFTER)


@case('ack-before-synack', INTANG, 'Data before the SYN/ACK, with a guessed acknowledgement')
def _(w):
    w.send('PA', EVIL, off=1, ack=12345)
    w.open()
    w.say(GOOD)


@case('rst-after-syn', GENEVA + ' TCB teardown', 'RST after the SYN, which dies on the way')
def _(w):
    w.syn()
    w.send('R', ttl=1)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)


@case('rst-after-syn-bad-ack', GENEVA + ' TCB teardown', 'RST and ACK with a wrong number during the handshake')
def _(w):
    w.syn()
    w.send('RA', off=5000, ack_off=5000)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)


@case('rst-after-syn-arrives', PN, 'RST during the handshake that the host obeys, then another handshake')
def _(w):
    w.syn()
    w.send('R')
    w.next = OTHER
    w.open()
    w.say(GOOD)


@case('synack-from-client', INTANG + ' TCB reversal; ' + GENEVA, 'The client sends a SYN/ACK before its SYN, which dies on the way')
def _(w):
    w.send('SA', seq=OTHER, ack=0x22222222, ttl=1)
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('synack-from-client-arrives', INTANG + ' TCB reversal', 'The client sends a SYN/ACK before its SYN, which arrives')
def _(w):
    w.send('SA', seq=OTHER, ack=0x22222222)
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('synack-from-client-same', INTANG + ' TCB reversal', 'The same, with the number of the SYN that follows')
def _(w):
    w.send('SA', ack=0x22222222, ttl=1)
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('synack-from-client-open', INTANG + ' TCB reversal', 'The client sends a SYN/ACK on the open connection')
def _(w):
    w.open()
    w.send('SA', seq=OTHER)
    w.say(GOOD)
    w.say(AFTER)


@case('reuse-new-isn', 'twin', 'A connection is left open; its ports are used again, numbers higher')
def _(w):
    w.open()
    w.say(GOOD)
    for a in w.apps:
        a.finish()
    w.poll(.02)
    w.send('FA')
    w.next += 1
    w.wait(.1)
    w.next = w.next + 0x1000000 & 0xffffffff
    w.open()
    w.say(AFTER)


@case('geneva-turnaround', LIBRARY + ': TCB Turnaround', 'SYN/ACK with the numbers of the SYN, then the SYN; both arrive')
def _(w):
    w.send('SA', ack=0)
    w.open()
    w.say(GOOD)
    w.say(AFTER)


@case('geneva-load-on-second-syn', LIBRARY + ': Desync: load on second SYN', 'The SYN again, with data')
def _(w):
    w.syn()
    w.send('S', EVIL, off=-1)
    w.send('A')
    w.poll(.02)
    w.send('A')
    w.say(GOOD)
    w.say(AFTER)
