#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws what growth.py measured: cost of a packet over the number of open flows, both axes logarithmic.

    curves.py growth.json docs/speed.svg
"""
import json
import math
import sys

WIDE, HIGH, LEFT, TOP, RIGHT, BOTTOM = 640, 360, 70, 20, 20, 50
SERIES = [('ns_a_packet', '#1b6ca8', 'stripwire, all detectors'), ('bare_ns_a_packet', '#888888', 'bare pcap_next_ex loop')]


def ticks(low, high):
    return [m * 10 ** e for e in range(int(low), int(high) + 1) for m in (1, 2, 5)
            if low <= math.log10(m * 10 ** e) <= high]


def label(n):
    return f'{n / 1e6:g} M' if n >= 1e6 else f'{n / 1e3:g} k' if n >= 1e3 else f'{n:g}'


def main():
    rows = json.load(open(sys.argv[1]))['growth']
    values = [r[key] for r in rows for key, _, _ in SERIES if r[key] > 0]
    x = [math.log10(r['flows']) for r in rows]
    x_low, x_high = min(x) - 0.1, max(x) + 0.1
    y_low, y_high = math.log10(min(values)) - 0.1, math.log10(max(values)) + 0.1

    def at(flows, ns):
        across = (math.log10(flows) - x_low) / (x_high - x_low)
        up = (math.log10(ns) - y_low) / (y_high - y_low)
        return LEFT + across * (WIDE - LEFT - RIGHT), HIGH - BOTTOM - up * (HIGH - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>']
    for n in ticks(y_low, y_high):
        y = at(rows[0]['flows'], n)[1]
        out.append(f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label(n)}</text>')
    for r in rows:
        px = at(r['flows'], values[0])[0]
        out.append(f'<text x="{px:.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">{label(r["flows"])}</text>')
    out.append(f'<text x="{WIDE / 2}" y="{HIGH - 10}" text-anchor="middle">open flows</text>')
    out.append(f'<text x="14" y="{HIGH / 2}" transform="rotate(-90 14 {HIGH / 2})" text-anchor="middle">ns a packet</text>')
    for i, (key, colour, name) in enumerate(SERIES):
        points = [at(r['flows'], r[key]) for r in rows if r[key] > 0]
        out.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                   + ' '.join(f'{px:.1f},{py:.1f}' for px, py in points) + '"/>')
        out += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        out.append(f'<text x="{LEFT + 12}" y="{TOP + 16 + 16 * i}" fill="{colour}">{name}</text>')
    out.append('</svg>')
    with open(sys.argv[2], 'w') as f:
        f.write('\n'.join(out) + '\n')


main()
