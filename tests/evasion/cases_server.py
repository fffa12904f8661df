# SPDX-License-Identifier: GPL-3.0-or-later
"""The real host is the client: forged answers, and Geneva's strategies of the server's side."""
from cases import GENEVA, GENEVA_SERVER, HPK, INTANG, LIBRARY, PN, case
from packets import MSS, NOP, wscale

OTHER = 0x60000000
REAL, FALSE, MORE = b'250 real\r\n', b'250 liar\r\n', b'250 more\r\n'
BANNER = b'220 host\r\n'


def client(name, source, what, **o):
    return case(name, source, what, server=False, **o)


@client('client-plain', 'twin', 'An ordinary connection')
def _(w):
    w.open()
    w.say(REAL)


@client('synack-forged-first-obeyed', 'DETECTIONS C12', 'A forged SYN/ACK with another number comes first: the client takes it')
def _(w):
    real = w.next
    w.syn(isn=OTHER, flags='SA')
    w.send('SA', seq=real, opts=MSS)
    w.say(BANNER)
    w.send('PA', b'220 lost\r\n', seq=real + 1)
    w.say(REAL)


@client('synack-forged-first-low-ttl', INTANG, 'A forged SYN/ACK with another number comes first and dies on the way')
def _(w):
    w.send('SA', seq=OTHER, opts=MSS, ttl=1)
    w.open()
    w.say(REAL)


@client('synack-forged-first-bad-sum', INTANG, 'A forged SYN/ACK with a wrong checksum comes first')
def _(w):
    w.send('SA', seq=OTHER, opts=MSS, csum='bad')
    w.open()
    w.say(REAL)


@client('synack-forged-first-bad-ack', GENEVA_SERVER + ' 3, 4', 'A SYN/ACK that acknowledges the wrong number comes first')
def _(w):
    w.send('SA', ack_off=1000, opts=MSS)
    w.open()
    w.say(REAL)


@client('synack-forged-second', 'DETECTIONS C12', 'A forged SYN/ACK with another number comes second')
def _(w):
    w.syn(flags='SA')
    w.send('SA', seq=OTHER, opts=MSS)
    w.say(BANNER)
    w.say(REAL)


@client('synack-forged-second-data', 'DETECTIONS C12', 'The same, and data of the false server')
def _(w):
    w.syn(flags='SA')
    w.send('SA', seq=OTHER, opts=MSS)
    w.send('PA', b'220 liar\r\n', seq=OTHER + 1)
    w.say(BANNER)
    w.say(REAL)


@client('synack-forged-second-open', INTANG, 'A SYN/ACK with another number on the open connection')
def _(w):
    w.open()
    w.send('SA', seq=OTHER)
    w.say(REAL)
    w.say(MORE)


@client('synack-data', GENEVA_SERVER, 'A SYN/ACK that carries data')
def _(w):
    w.syn(b'220 liar\r\n', flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('synack-data-accepted', PN, 'A SYN/ACK that carries data, and the server goes on behind them')
def _(w):
    w.syn(BANNER, flags='SA')
    w.send('PA', REAL, off=len(BANNER))
    w.wait(.35)
    w.send('A')


@client('simultaneous-open', GENEVA_SERVER + ' 1', 'The server answers the SYN with a SYN: simultaneous open')
def _(w):
    w.send('S', opts=MSS)
    w.next += 1
    w.poll(.02)
    w.send('SA', off=-1)
    w.say(BANNER)
    w.say(REAL)


@client('simultaneous-open-rst', GENEVA_SERVER + ' 1: simultaneous open, injected RST', 'RST, then a SYN: simultaneous open')
def _(w):
    w.send('R')
    w.send('S', opts=MSS)
    w.next += 1
    w.poll(.02)
    w.send('A')
    w.say(BANNER)
    w.say(REAL)


@client('simultaneous-open-load', GENEVA_SERVER + ' 2: simultaneous open, injected load', 'A SYN, then a SYN with data')
def _(w):
    w.send('S', opts=MSS)
    w.send('S', b'220 liar\r\n', opts=MSS)
    w.next += 1
    w.poll(.02)
    w.send('A')
    w.say(BANNER)
    w.say(REAL)


@client('corrupt-ack-simultaneous', GENEVA_SERVER + ' 3: corrupt ACK, simultaneous open', 'A SYN/ACK with a wrong ACK, then a SYN: simultaneous open')
def _(w):
    w.send('SA', ack_off=5000, opts=MSS)
    w.send('S', opts=MSS)
    w.next += 1
    w.poll(.02)
    w.send('A')
    w.say(BANNER)
    w.say(REAL)


@client('corrupt-ack-alone', GENEVA_SERVER + ' 4: corrupt ACK alone', 'A SYN/ACK with a wrong ACK, then the right one')
def _(w):
    w.send('SA', ack_off=5000, opts=MSS)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('corrupt-ack-load', GENEVA_SERVER + ' 5: corrupt ACK, injected load', 'A SYN/ACK with a wrong ACK and data, then the right one')
def _(w):
    w.send('SA', b'220 liar\r\n', ack_off=5000, opts=MSS)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('null-flags-first', GENEVA_SERVER + ' 11: null flags', 'A segment with no flags and data, then the SYN/ACK')
def _(w):
    w.send('', b'220 liar\r\n', off=1)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('null-flags-rst', GENEVA_SERVER, 'RST with a wrong number, then the SYN/ACK')
def _(w):
    w.send('R', seq=OTHER)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('window-reduction', GENEVA_SERVER + ' 8: TCP window reduction', 'The SYN/ACK offers a window of 10 and no scale: the client cuts its commands')
def _(w):
    w.win = 10
    w.syn(flags='SA', opts=MSS)
    w.say(BANNER)
    for i in range(8):
        w.poll(.02)
        w.send('A')
    w.say(REAL)
    for i in range(4):
        w.poll(.02)
        w.send('A')


@client('split-handshake', 'Beardsley, Qian 2010', 'ACK, then SYN instead of a SYN/ACK: split handshake')
def _(w):
    w.send('A')
    w.send('S', opts=MSS)
    w.next += 1
    w.poll(.02)
    w.send('A')
    w.say(BANNER)
    w.say(REAL)


@client('fin-before-synack', GENEVA_SERVER, 'FIN before the SYN/ACK')
def _(w):
    w.send('F')
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('fin-load-before-synack', GENEVA_SERVER, 'FIN with data before the SYN/ACK')
def _(w):
    w.send('FA', b'220 liar\r\n', off=1)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('rst-before-synack', 'DETECTIONS C5', 'RST with the right ACK before the SYN/ACK: the client obeys')
def _(w):
    w.send('RA', seq=0)
    w.syn(flags='SA')
    w.send('PA', BANNER)


@client('rst-before-synack-low-ttl', 'DETECTIONS C5', 'The same, and the RST dies on the way')
def _(w):
    w.send('RA', seq=0, ttl=1)
    w.open()
    w.say(REAL)


@client('server-insert-low-ttl', HPK, 'A reply that dies on the way, then the real one')
def _(w):
    w.open()
    w.send('PA', FALSE, ttl=1)
    w.say(REAL)
    w.say(MORE)


@client('server-insert-bad-sum', PN, 'A reply with a wrong checksum, then the real one')
def _(w):
    w.open()
    w.send('PA', FALSE, csum='bad')
    w.say(REAL)
    w.say(MORE)


@client('server-race-first', 'DETECTIONS C11', 'A forged reply wins the race, the real one comes second')
def _(w):
    w.open()
    w.send('PA', FALSE)
    w.send('PA', REAL)
    w.next += len(REAL)
    w.send('A')
    w.say(MORE)


@client('server-race-longer', 'DETECTIONS C11', 'A forged reply wins the race, the real one is longer')
def _(w):
    w.open()
    w.send('PA', FALSE)
    w.send('PA', REAL[:-2] + b' and longer\r\n')
    w.next += len(REAL) + 11
    w.send('A')
    w.say(MORE)


@client('server-no-ack-flag', GENEVA, 'A reply without the ACK flag, then the real one')
def _(w):
    w.open()
    w.send('P', FALSE)
    w.say(REAL)
    w.say(MORE)


@client('server-rst-stale', HPK, 'RST of the server with a stale number, then it goes on')
def _(w):
    w.open()
    w.send('R', off=-5)
    w.say(REAL)


@client('server-rst-exact', 'DETECTIONS C1', 'A forged RST of the server that the client obeys; the server goes on')
def _(w):
    w.open()
    w.send('R')
    w.send('PA', REAL)
    w.next += len(REAL)


@client('server-rst-low-ttl', GENEVA, 'A forged RST of the server that dies on the way')
def _(w):
    w.open()
    w.send('R', ttl=1)
    w.say(REAL)


@client('server-fin-low-ttl', GENEVA, 'A forged FIN of the server that dies on the way')
def _(w):
    w.open()
    w.send('FA', ttl=1)
    w.say(REAL)
    w.say(MORE)


@client('server-fin-forged', PN, 'A forged FIN of the server that the client takes, then the real reply')
def _(w):
    w.open()
    w.send('FA')
    w.send('PA', REAL)
    w.next += len(REAL)


@client('server-window-beyond', PN, 'A reply outside the window of the client')
def _(w):
    w.open()
    w.send('PA', FALSE, off=0x200000)
    w.say(REAL)


@client('server-scale-forged', HPK, 'A second SYN/ACK with another window scale, which dies on the way')
def _(w):
    w.syn(flags='SA', opts=MSS + NOP + wscale(0))
    w.send('SA', off=-1, opts=MSS + NOP + wscale(14), ttl=1)
    w.say(BANNER)
    w.say(REAL)


@client('server-urgent', HPK, 'A byte of the reply is urgent')
def _(w):
    w.open()
    w.send('PAU', b'250 reXal\r\n', urg=7)
    w.next += 11
    w.send('A')
    w.say(MORE)


@client('server-syn-open', INTANG, 'A SYN of the server on the open connection')
def _(w):
    w.open()
    w.send('S', seq=OTHER)
    w.say(REAL)
    w.say(MORE)


@client('geneva-simultaneous-open', LIBRARY + ': Server-Side - Simultaneous Open', 'FIN+RST+ECE+CWR twice, then FIN+SYN+ECE+CWR')
def _(w):
    w.send('FREC')
    w.send('FREC')
    w.send('FSEC', opts=MSS)
    w.next += 1
    w.poll(.02)
    w.send('A')
    w.say(BANNER)
    w.say(REAL)


@client('geneva-window', LIBRARY + ': Server side (India)', 'The SYN/ACK offers a window of 98')
def _(w):
    w.win = 98
    w.syn(flags='SA', opts=MSS)
    w.say(BANNER)
    w.say(REAL)


@client('injected-load-induced-rst', GENEVA_SERVER + ' 6: injected load, induced RST', 'FIN with data, SYN/ACK with a wrong ACK, then the right one')
def _(w):
    w.send('F', b'220 liar\r\n')
    w.send('SA', ack_off=5000, opts=MSS)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('injected-rst-induced-rst', GENEVA_SERVER + ' 7: injected RST, induced RST', 'RST, SYN/ACK with a wrong ACK, then the right one')
def _(w):
    w.send('R')
    w.send('SA', ack_off=5000, opts=MSS)
    w.syn(flags='SA')
    w.say(BANNER)
    w.say(REAL)


@client('triple-load', GENEVA_SERVER + ' 9: triple load', 'Three SYN/ACKs with data')
def _(w):
    w.syn(b'220 liar\r\n', flags='SA')
    for _ in 'ab':
        w.send('SA', b'220 liar\r\n', off=-1, opts=MSS)
    w.say(BANNER)
    w.say(REAL)


@client('double-load', GENEVA_SERVER + ' 10: double GET', 'Two SYN/ACKs with a command in them, which only the other side gives')
def _(w):
    w.syn(b'EHLO liar\r\n', flags='SA')
    w.send('SA', b'EHLO liar\r\n', off=-1, opts=MSS)
    w.say(BANNER)
    w.say(REAL)
