#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""JA3 and JA3S of every TLS hello in every capture, ours beside tshark's.

tshark names a connection by addresses and ports, in the order in which it
prints them; both lists are sorted, so that only what is in them counts."""
import collections
import glob
import os
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
OBSERVE = "build/release/tools/observe"
FIELDS = ["ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst",
          "tcp.dstport", "tls.handshake.ja3", "tls.handshake.ja3s"]


def ours(capture):
    out = subprocess.run([OBSERVE, "--hellos", capture], check=True,
                         stdout=subprocess.PIPE, text=True).stdout
    found = []
    for line in out.splitlines():
        word = line.split()
        if word[0] == "hello":
            found.append((*word[1:5], word[5]))
    return found


def theirs(capture):
    cmd = ["tshark", "-o", "tcp.reassemble_out_of_order:TRUE", "-r",
           capture, "-Y",
           "tls.handshake.ja3 || tls.handshake.ja3s", "-T", "fields"]
    for field in FIELDS:
        cmd += ["-e", field]
    out = subprocess.run(cmd, check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True).stdout
    found = []
    for line in out.splitlines():
        f = line.split("\t")
        src, dst = (f[0] or f[1], f[2]), (f[3] or f[4], f[5])
        for value in filter(None, f[6].split(",")):
            found.append((*src, *dst, "ja3=" + value))
        for value in filter(None, f[7].split(",")):
            found.append((*dst, *src, "ja3s=" + value))
    return found


def main():
    captures = sys.argv[1:] or sorted(glob.glob("pcaps/*.pcap"))
    passed = failed = hellos = 0
    for capture in captures:
        a, b = collections.Counter(ours(capture)), \
            collections.Counter(theirs(capture))
        hellos += sum(a.values())
        if a == b:
            passed += 1
            continue
        failed += 1
        print("FAIL", capture)
        for name, rest in (("ours only", a - b), ("tshark only", b - a)):
            for row in list(rest.elements())[:5]:
                print("   ", name, *row)
    if hellos == 0:
        failed += 1
        print("FAIL no hello in any capture")
    print(hellos, "hellos")
    print(f"{passed} passed, {failed} failed")
    return failed != 0


sys.exit(main())
