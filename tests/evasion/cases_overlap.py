# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments that overlap and differ: old data kept or new data taken, in all forms."""
from cases import AFTER, EVIL, GOOD, HPK, PN, SP, case

LINE = 32  # bytes; `NOOP ` is the hole, then letters that tell the version


def version(letter, start=0, end=LINE):
    return (b'NOOP ' + letter * (LINE - 7) + b'\r\n')[start:end]


OLD = (12, 20)
FORMS = {'exact': (12, 20), 'head': (8, 16), 'tail': (16, 24), 'inner': (14, 18), 'outer': (8, 24),
         'start-shorter': (12, 16), 'start-longer': (12, 24), 'end-shorter': (16, 20), 'end-longer': (8, 20)}


def put(w, letter, start, end):
    w.send('PA', version(letter, start, end), off=start)


def queued(form):
    def play(w):
        w.open()
        put(w, b'a', *OLD)
        put(w, b'b', *FORMS[form])
        put(w, b'c', 0, 8)
        put(w, b'd', 0, LINE)
        w.next += LINE
        w.say(AFTER)
    return play


def delivered(form):
    def play(w):
        w.open()
        put(w, b'c', 0, 12)
        put(w, b'a', *OLD)
        put(w, b'b', *FORMS[form])
        put(w, b'd', 0, LINE)
        w.next += LINE
        w.say(AFTER)
    return play


for f, (start, end) in FORMS.items():
    where = f'bytes {start}-{end} over {OLD[0]}-{OLD[1]}'
    case(f'overlap-queued-{f}', f'{PN}; {SP}', f'Other data over a segment that waits behind a hole: {where}')(queued(f))
    case(f'overlap-read-{f}', f'{PN}; {SP}', f'Other data over a segment that was read already: {where}')(delivered(f))


@case('overlap-novak', f'{SP}; Novak, Sturges 2007', 'The sequence of overlaps that tells the policies of stacks apart')
def _(w):
    w.open()
    for letter, s, e in ((b'1', 8, 11), (b'2', 14, 17), (b'3', 10, 15), (b'4', 17, 20), (b'5', 19, 22), (b'6', 7, 30)):
        put(w, letter, s, e)
    put(w, b'c', 0, 7)
    put(w, b'd', 0, LINE)
    w.next += LINE
    w.say(AFTER)


@case('overlap-two-old', SP, 'One segment over two that wait, and the hole between them')
def _(w):
    w.open()
    put(w, b'a', 8, 12)
    put(w, b'b', 16, 20)
    put(w, b'c', 10, 18)
    put(w, b'd', 0, LINE)
    w.next += LINE
    w.say(AFTER)


@case('overlap-fill-over-queue', PN, 'What fills the hole reaches over what waits, with other data')
def _(w):
    w.open()
    put(w, b'a', 16, LINE)
    put(w, b'b', 0, 20)
    w.next += LINE
    w.say(AFTER)


@case('overlap-fill-over-all', PN, 'What fills the hole covers all that waits, with other data')
def _(w):
    w.open()
    put(w, b'a', 5, 20)
    put(w, b'b', 0, LINE)
    w.next += LINE
    w.say(AFTER)


@case('overlap-decoy-first', HPK, 'A harmless segment first, then the command under the same numbers')
def _(w):
    w.open()
    w.send('PA', GOOD)
    w.send('PA', EVIL)
    w.next += len(GOOD)
    w.say(AFTER)


@case('overlap-decoy-longer', HPK, 'The command again under the same numbers, and longer')
def _(w):
    w.open()
    w.send('PA', GOOD)
    w.send('PA', EVIL + b'NOOP more\r\n')
    w.next += len(EVIL) + 11
    w.say(AFTER)


@case('overlap-byte-by-byte', SP, 'Every byte twice, with other data the second time')
def _(w):
    w.open()
    for i in range(LINE):
        put(w, b'a', i, i + 1)
        put(w, b'b', i, i + 1)
    w.next += LINE
    w.say(AFTER)


@case('overlap-byte-backwards', SP, 'One byte each from the last to the first, each twice with other data')
def _(w):
    w.open()
    for i in reversed(range(LINE)):
        put(w, b'a', i, i + 1)
        put(w, b'b', i, i + 1)
    w.next += LINE
    w.say(AFTER)


@case('overlap-tcp-chaff', 'fragroute tcp_chaff; ' + PN, 'Each piece of the command between pieces of the same numbers with rubbish')
def _(w):
    w.open()
    for i in range(0, LINE, 4):
        put(w, b'a', i, i + 4)
        put(w, b'x', i, i + 4)
    w.next += LINE
    w.say(AFTER)


@case('overlap-chaff-ahead', HPK, 'Rubbish ahead of a hole, then the whole line in one segment')
def _(w):
    w.open()
    for i in range(8, 28, 4):
        put(w, b'x', i, i + 4)
    put(w, b'a', 0, LINE)
    w.next += LINE
    w.say(AFTER)


@case('overlap-before-start', PN, 'A segment that begins before what was read, with other data there')
def _(w):
    w.open()
    w.say(GOOD)
    w.send('PA', EVIL + AFTER, off=-len(GOOD))
    w.next += len(AFTER)
    w.say(GOOD)


@case('overlap-same-data', 'twin', 'A repetition that agrees, cut in another way (nothing to see)')
def _(w):
    w.open()
    put(w, b'a', 0, 20)
    put(w, b'a', 10, 24)
    put(w, b'a', 0, LINE)
    w.next += LINE
    w.say(AFTER)


@case('overlap-late', PN, 'Other data under numbers that were acknowledged long ago')
def _(w):
    w.open()
    w.say(GOOD)
    w.say(AFTER)
    w.wait(.2)
    w.send('PA', EVIL, off=-len(GOOD) - len(AFTER))
    w.say(GOOD)


@case('overlap-retransmit-first-lost-ttl', HPK, 'Each segment twice: the first does not reach the host, the second has other data')
def _(w):
    w.open()
    for i in range(0, LINE, 8):
        w.send('PA', version(b'x', i, i + 8), off=i, ttl=1)
        put(w, b'a', i, i + 8)
    w.next += LINE
    w.say(AFTER)


@case('overlap-behind-4k', SP, 'More than 4 KiB of rubbish that dies on the way, then a short command')
def _(w):
    w.open()
    for i in range(5):
        w.send('PA', b'x' * 1000, off=1000 * i, ttl=1)
    w.say(GOOD)
    w.wait(.4)
    w.say(AFTER)
