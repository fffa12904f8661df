# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces without names: each is held by a process, and is gone
when that ends. The lab itself runs in a process and mount namespace of its
own, so that all it started ends with it, however it ends.

	client 10.1.0.0/24 -- ac  attacker  as -- 10.2.0.0/24 server
	                      |             |
	                      mc            ms   copies of both directions
	                      |             |
	                     tapc          taps  the lab's own: sensors listen here
"""
import ctypes
import os
import queue
import subprocess
import threading
import time

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
SERVERS = ("10.2.0.20", "10.2.0.30")
NO_IPV6 = ("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
CLIENTS = ["10.1.0.%d" % i for i in range(10, 200)]


def call(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


class Host:
    """A network namespace. What is asked of it is done by a thread that lives
    there; processes that it starts live there as well."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"])
        self.net = "/proc/%d/ns/net" % self.holder.pid
        while os.readlink(self.net) == os.readlink("/proc/self/ns/net"):
            time.sleep(0.005)
        self.pid = str(self.holder.pid)
        self.work = queue.Queue()
        threading.Thread(target=self.live, daemon=True).start()

    def enter(self):
        """The calling thread moves here, for good."""
        fd = os.open(self.net, os.O_RDONLY)
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)

    def live(self):
        self.enter()
        while True:
            fn, args, done = self.work.get()
            try:
                done.put((fn(*args), None))
            except Exception as e:     # it is the caller's
                done.put((None, e))

    def do(self, fn, *args):
        done = queue.Queue()
        self.work.put((fn, args, done))
        got, error = done.get()
        if error:
            raise error
        return got

    def run(self, line):
        """One command a line."""
        for one in line.strip().splitlines():
            self.do(call, *one.split())

    def start(self, argv, **how):
        return self.do(lambda: subprocess.Popen(argv, **how))


class Net:
    def __init__(self):
        self.client, self.attacker, self.server = Host(), Host(), Host()
        c, a, s = self.client, self.attacker, self.server
        own = str(os.getpid())
        for near, far, here, there in (("eth0", "ac", c.pid, a.pid),
                                       ("eth0", "as", s.pid, a.pid),
                                       ("tapc", "mc", own, a.pid),
                                       ("taps", "ms", own, a.pid)):
            call("ip", "link", "add", near, "netns", here, "type", "veth",
                 "peer", "name", far, "netns", there)
        call(*NO_IPV6)
        for host in (c, a, s):
            host.do(call, *NO_IPV6)
        c.run("ip link set lo up\nip link set eth0 up\n" +
              "\n".join("ip addr add %s/24 dev eth0" % i for i in CLIENTS) +
              "\nip route add default via 10.1.0.1")
        s.run("ip link set lo up\nip link set eth0 up\n" +
              "\n".join("ip addr add %s/24 dev eth0" % i for i in SERVERS) +
              "\nip route add default via 10.2.0.1")
        a.run("ip link set lo up\n" + "\n".join(
            "ip link set %s up" % i for i in ("ac", "as", "mc", "ms")) +
            "\nip addr add 10.1.0.1/24 dev ac\nip addr add 10.2.0.1/24 dev as")
        a.run("sysctl -qw net.ipv4.ip_forward=1")
        for tap in ("tapc", "taps"):
            call("ip", "link", "set", tap, "up")
        for leg, copy in (("ac", "mc"), ("as", "ms")):
            a.run("tc qdisc add dev %s clsact" % leg)
            for way in ("ingress", "egress"):
                a.run("tc filter add dev %s %s protocol all prio 1 u32 match "
                      "u32 0 0 action mirred egress mirror dev %s"
                      % (leg, way, copy))

    def intercept(self, clients, port):
        """Connections of these clients (a network) go to the proxy there."""
        self.attacker.run("""
ip rule add fwmark 1 lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
iptables -t mangle -A PREROUTING -p tcp -m socket --transparent -j MARK --set-mark 1
iptables -t mangle -A PREROUTING -i ac -p tcp -s %s -j TPROXY --on-port %d --tproxy-mark 1
""" % (clients, port))

    def offloads(self, on):
        """Segments of up to 64 KiB without checksum, or as on a wire."""
        word = "on" if on else "off"
        for host, names in ((self.client, ("eth0",)), (self.server, ("eth0",)),
                            (self.attacker, ("ac", "as"))):
            for name in names:
                host.run("ethtool -K %s tx %s sg %s tso %s gso %s gro %s"
                         % (name, word, word, word, word, word))

