#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy server for Postfix (SMTPD_POLICY_README): what comes to grey@ for
the first time from a client is to come again.

	greylist.py PORT
"""
import socketserver
import sys

seen = set()


class Policy(socketserver.StreamRequestHandler):
    def handle(self):
        asked = {}
        for line in self.rfile:
            key, _, value = line.decode("latin-1").strip().partition("=")
            if key:
                asked[key] = value
                continue
            self.wfile.write(b"action=%s\n\n" % self.verdict(asked))
            asked = {}

    def verdict(self, asked):
        key = (asked.get("client_address"), asked.get("sender"))
        if not asked.get("recipient", "").startswith("grey@") or key in seen:
            return b"DUNNO"
        seen.add(key)
        return b"450 4.2.0 Greylisted, come again"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Policy).serve_forever()
