# SPDX-License-Identifier: GPL-3.0-or-later
"""A sensor that runs, and what appears in its database, with the time at
which it was there to be read."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINARY = os.environ.get("STRIPWIRE", TOP + "/stripwire")
SQL = """select a.id, a.time, a.finding, a.severity, a.incident, a.msg,
	f.client, f.client_port, f.server, f.server_port
	from alerts a join flows f on f.id = a.flow where a.id > ? order by a.id"""


class Alert:
    def __init__(self, row, seen):
        (self.id, at, self.finding, self.severity, self.incident, self.msg,
         self.client, self.client_port, self.server, self.port) = row
        self.time, self.seen = at / 1e9, seen

    def __str__(self):
        return "%s (%s) %s > %s:%d" % (
            self.finding, "info low medium high critical".split()[
                self.severity], self.client, self.server, self.port)


class Sensor:
    def __init__(self, folder, interface, ca, workers=2):
        self.dir, self.alerts = folder, []
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        shutil.copy(TOP + "/sensor.rules", folder + "/rules")
        self.db, self.log = folder + "/db", folder + "/log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [BINARY, "run", "-i", interface, "-w", str(workers), "-d",
                 self.db, "-r", folder + "/rules", "--interceptors",
                 TOP + "/interceptors.list", "--no-system-trust", "--trust",
                 ca, "--socket", folder + "/sock", "--user", "nobody"],
                stderr=log, cwd=folder)
        end = time.monotonic() + 60
        while "capturing with" not in self.said():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the sensor does not start:\n" +
                                   self.said())
            time.sleep(0.05)
        self.last, self.ended = 0, False
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()

    def said(self):
        with open(self.log) as f:
            return f.read()

    def look(self, db):
        rows = db.execute(SQL, (self.last,)).fetchall()
        seen = time.time()
        for row in rows:
            self.last = row[0]
            self.alerts.append(Alert(row, seen))

    def watch(self):
        db = sqlite3.connect("file:%s?mode=ro" % self.db, uri=True, timeout=10)
        while not self.ended:
            try:
                self.look(db)
            except sqlite3.OperationalError:
                pass           # the next look shows it
            time.sleep(0.01)
        db.close()

    def of(self, client):
        return [a for a in self.alerts if a.client == client]

    def rows(self, sql):
        db = sqlite3.connect(self.db, timeout=20)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def status(self):
        """What it says of itself, or None."""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect(self.dir + "/sock")
                text = b""
                while more := s.recv(65536):
                    text += more
            return json.loads(text)
        except (OSError, ValueError):
            return None

    def stop(self):
        """Its exit status; then all alerts are there, those withheld too."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "it hung"
        self.ended = True
        self.watcher.join()
        db = sqlite3.connect(self.db, timeout=20)
        self.look(db)
        db.close()
        return status
