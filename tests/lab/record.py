# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures of what the sensors see, to be read again."""
import json
import os
import shutil
import subprocess
import time

import clients
from attacks import ATTACKS, VANTAGES, victims


class Recorder:
    """Writes what both sensors see. The ordinary sessions are a capture that
    ends before the attacks begin: captures whose times overlap cannot be read
    one after the other."""

    def __init__(self, folder, name):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.running = folder, []
        self.paths = {v: "%s/%s.%s.pcap" % (folder, name, v)
                      for v, _ in VANTAGES}
        for vantage, tap in VANTAGES:
            p = subprocess.Popen(
                ["tcpdump", "-i", tap, "-w", self.paths[vantage], "-U", "-Z",
                 "root", "-B", "16384", "-s", "0", "tcp"],
                stderr=subprocess.PIPE, text=True)
            self.running.append(p)
            p.stderr.readline()        # "listening on"

    def stop(self):
        time.sleep(1)                  # what it has not read yet
        for p in self.running:
            p.terminate()
            p.wait()

    def cut(self):
        """One capture an attack, by its client, and what is in them."""
        labels = open(self.folder + "/labels.jsonl", "w")
        for name, _, _, *wanted in ATTACKS:
            for (vantage, _), findings in zip(VANTAGES, wanted):
                part = "%s.%s.pcap" % (name, vantage)
                subprocess.run(
                    ["tcpdump", "-Z", "root", "-r", self.paths[vantage], "-w",
                     self.folder + "/" + part, "host", victims[name]],
                    check=True, stderr=subprocess.DEVNULL)
                labels.write(json.dumps({
                    "file": part, "vantage": vantage,
                    "client_ip": victims[name],
                    "expected_findings": findings}) + "\n")
        labels.close()
        for path in self.paths.values():
            os.unlink(path)
        shutil.copy(clients.ca(), self.folder + "/ca-root.pem")
