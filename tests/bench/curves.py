#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws what was measured: cost of a packet over the number of open flows (growth.py), both axes
logarithmic, and below it the workloads (bench.py) beside their goals, in units of N.

    curves.py growth.json bench.json docs/speed.svg
"""
import json
import math
import sys

WIDE, HIGH, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 70, 20, 20, 50
ROW, NAMES = 30, 160  # of a workload: its height, and the width of its name
OWN, BARE, MUST, AIM = '#1b6ca8', '#888888', '#b03030', '#2a8a4a'
SERIES = [('ns_a_packet', OWN, 'stripwire, all detectors'), ('bare_ns_a_packet', BARE, 'bare pcap_next_ex loop')]


def ticks(low, high):
    return [m * 10 ** e for e in range(math.floor(low), math.floor(high) + 1) for m in (1, 2, 5)
            if low <= math.log10(m * 10 ** e) <= high]


def label(n):
    return f'{n / 1e6:g} M' if n >= 1e6 else f'{n / 1e3:g} k' if n >= 1e3 else f'{n:g}'


def text(x, y, words, anchor='start', more=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{words}</text>'


def line(x1, y1, x2, y2, colour, width=1):
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def bounds(values):
    return math.log10(min(values)) - 0.1, math.log10(max(values)) + 0.1


def growth(rows):
    """The curve, HIGH high."""
    values = [r[key] for r in rows for key, _, _ in SERIES if r[key] > 0]
    x_low, x_high = bounds([r['flows'] for r in rows])
    y_low, y_high = bounds(values)

    def at(flows, ns):
        across = (math.log10(flows) - x_low) / (x_high - x_low)
        up = (math.log10(ns) - y_low) / (y_high - y_low)
        return LEFT + across * (WIDE - LEFT - RIGHT), HIGH - BOTTOM - up * (HIGH - TOP - BOTTOM)

    out = []
    for n in ticks(y_low, y_high):
        y = at(rows[0]['flows'], n)[1]
        out += [line(LEFT, y, WIDE - RIGHT, y, '#dddddd'), text(LEFT - 8, y + 4, label(n), 'end')]
    out += [text(at(r['flows'], values[0])[0], HIGH - BOTTOM + 18, label(r['flows']), 'middle') for r in rows]
    out.append(text(WIDE / 2, HIGH - 10, 'open flows', 'middle'))
    out.append(text(14, HIGH / 2, 'ns a packet', 'middle', f' transform="rotate(-90 14 {HIGH / 2})"'))
    for i, (key, colour, name) in enumerate(SERIES):
        points = [(r, at(r['flows'], r[key])) for r in rows if r[key] > 0]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                   + ' '.join(f'{x:.1f},{y:.1f}' for _, (x, y) in points) + '"/>')
        for r, (x, y) in points:
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>',
                    text(x, y - 8, f'{r[key]:.0f}', 'middle', f' fill="{colour}" font-size="10"')]
        out.append(text(LEFT + 12, TOP + 16 + 16 * i, name, more=f' fill="{colour}"'))
    return out


def workloads(rows, top):
    """A bar for each, with a whisker from the least to the most of the pairs; goals are strokes."""
    most = max(max(r['ratio']['max'], r['must']) for r in rows) * 1.12

    def at(n):
        return NAMES + n / most * (WIDE - NAMES - RIGHT)

    bottom = top + ROW * len(rows)
    out = []
    for n in range(0, int(most) + 1, max(1, round(most / 8))):
        out += [line(at(n), top - 8, at(n), bottom, '#dddddd'), text(at(n), bottom + 16, f'{n}', 'middle')]
    for i, r in enumerate(rows):
        y, ratio = top + ROW * i, r['ratio']
        out.append(text(NAMES - 8, y + 14, f'{r["workload"]} {r["what"]}', 'end'))
        out.append(f'<rect x="{at(0):.1f}" y="{y + 2}" width="{at(ratio["median"]) - at(0):.1f}" height="16" fill="{OWN}"/>')
        out.append(line(at(ratio['min']), y + 10, at(ratio['max']), y + 10, '#000000'))
        out.append(text(at(ratio['max']) + 6, y + 14, f'{ratio["median"]:.2f}'))
        for goal, colour in (('must', MUST), ('aim', AIM)):
            out.append(line(at(r[goal]), y - 2, at(r[goal]), y + 22, colour, 2))
    out.append(text(NAMES, bottom + 34, 'CPU in units of N, the bare loop over the same file:'))
    out.append(text(NAMES + 312, bottom + 34, 'goal', more=f' fill="{MUST}"'))
    out.append(text(NAMES + 346, bottom + 34, 'what is aimed at', more=f' fill="{AIM}"'))
    return out, bottom + 44


def main():
    curve, bench = (json.load(open(path)) for path in sys.argv[1:3])
    bars, high = workloads(bench['workloads'], HIGH + 20)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDE}" height="{high}" fill="white"/>', *growth(curve['growth']), *bars, '</svg>']
    with open(sys.argv[3], 'w') as f:
        f.write('\n'.join(out) + '\n')


main()
