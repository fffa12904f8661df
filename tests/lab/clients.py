# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's side: sessions of real mail programs. Each is a function of
the client's address and runs in the client's network namespace; it returns
what went wrong, or nothing.
"""
import contextlib
import imaplib
import os
import poplib
import smtplib
import socket
import ssl
import struct
import subprocess
import time

from servers import NAME, USERS

IP, PLAIN_IP = "10.2.0.20", "10.2.0.30"
USER, PASSWORD = "alice", USERS["alice"]
folder = ""                    # where ca and configuration files lie
TEXT = "Subject: lab\r\nFrom: bob@lab.test\r\nTo: alice@lab.test\r\n\r\nhello\r\n"


def ca():
    return folder + "/lab-ca.pem"


def run(*argv, ok=(0,), data=""):
    got = subprocess.run(argv, input=data, text=True, errors="replace",
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=120)
    return "" if got.returncode in ok else got.stdout


def tls(old=False, check=True):
    c = ssl.create_default_context(cafile=ca())
    if not check:
        c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    if old:
        c.maximum_version = ssl.TLSVersion.TLSv1_2
    return c


# ---- the programs ----

def swaks(me, *options, to="alice@lab.test", port=25, ok=(0,)):
    return run("swaks", "--server", IP, "--port", str(port), "--helo",
               "client.lab.test", "--from", "bob@lab.test", "--to", to,
               "--local-interface", me, "--timeout", "60", *options, ok=ok)


AUTH = ("--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)


def swaks_25(me):
    return swaks(me, "-tls")


def swaks_587(me):
    return swaks(me, "-tls", *AUTH, port=587)


def swaks_465(me):
    return swaks(me, "--tls-on-connect", *AUTH, port=465)


def swaks_plain(me):
    """A sender that never does TLS, to port 25."""
    return swaks(me)


def swaks_large(me):
    """Segments as large as the stack makes them."""
    path = folder + "/large"
    if not os.path.exists(path):
        with open(path + me, "w") as f:
            f.write("x" * 70 + "\n" + "\n".join(["y" * 70] * 8000))
        os.rename(path + me, path)
    return swaks(me, "-tls", "--body", "@" + path)


def greylisted(me):
    """The first time it is told to come again (swaks: 24)."""
    return swaks(me, "-tls", to="grey@lab.test", ok=(0, 24)) or \
        swaks(me, "-tls", to="grey@lab.test")


def no_starttls(me):
    """A server that never offers it."""
    return run("swaks", "--server", PLAIN_IP, "--helo", "client.lab.test",
               "--from", "bob@lab.test", "--to", "alice@lab.test",
               "--local-interface", me)


def curl(me, url, *options, user=True):
    login = ("--user", "%s:%s" % (USER, PASSWORD)) if user else ()
    return run("curl", "-sS", "--cacert", ca(), "--interface", me, "-m", "60",
               *login, *options, url)


def curl_smtp(me):
    return curl(me, "smtp://%s:587/client.lab.test" % NAME, "--ssl-reqd",
                "--mail-from", "bob@lab.test", "--mail-rcpt",
                "alice@lab.test", "-T", folder + "/message")


def curl_imap(me):
    return curl(me, "imap://%s/INBOX;UID=1" % NAME, "--ssl-reqd")


def curl_imap_12(me):
    return curl(me, "imap://%s/INBOX;UID=3" % NAME, "--ssl-reqd", "--tls-max",
                "1.2")


def curl_imaps(me):
    return curl(me, "imaps://%s/INBOX;UID=2" % NAME)


def curl_pop3(me):
    return curl(me, "pop3://%s/1" % NAME, "--ssl-reqd", "--tls-max", "1.2")


def curl_pop3s(me):
    return curl(me, "pop3s://%s/2" % NAME)


def s_client(me, protocol, port, bye):
    run("openssl", "s_client", "-connect", "%s:%d" % (IP, port), "-bind",
        me, "-starttls", protocol, "-servername", NAME, "-CAfile", ca(),
        "-verify_return_error", "-tls1_2", "-quiet", "-no_ign_eof",
        data=bye + "\r\n", ok=range(256))


def openssl_smtp(me):
    return s_client(me, "smtp", 25, "QUIT")


def openssl_imap(me):
    return s_client(me, "imap", 143, "a LOGOUT")


def openssl_pop3(me):
    return s_client(me, "pop3", 110, "QUIT")


def msmtp(me):
    return run("msmtp", "--host=" + NAME, "--port=587", "--tls=on",
               "--tls-starttls=on", "--tls-trust-file=" + ca(), "--auth=plain",
               "--user=" + USER, "--passwordeval=echo " + PASSWORD,
               "--source-ip=" + me, "--from=bob@lab.test", "alice@lab.test",
               data=TEXT)


def fetchmail(me):
    """It takes no address of its own: always the first."""
    path = "%s/fetchmailrc.%s" % (folder, me)
    with open(path, "w") as f:
        f.write("poll %s proto POP3 user %s password %s keep fetchall\n"
                "  ssl sslproto tls1.2+ sslcertfile %s mda 'cat >/dev/null'\n"
                % (NAME, USER, PASSWORD, ca()))
    os.chmod(path, 0o600)
    return run("env", "FETCHMAILHOME=" + folder, "fetchmail", "-f", path,
               "--nosyslog", "--pidfile", path + ".pid", "-s", ok=(0, 1))


# ---- Python's libraries ----

@contextlib.contextmanager
def imap(me, port=143):
    """Connected, from this address."""
    class From(imaplib.IMAP4):
        def _create_socket(self, timeout):
            return socket.create_connection((IP, port), 60, (me, 0))
    m = From(NAME)
    try:
        yield m
    finally:
        with contextlib.suppress(Exception):
            m.shutdown()


def smtp(me, port=25, host=IP):
    s = smtplib.SMTP(timeout=60, source_address=(me, 0),
                     local_hostname="client.lab.test")
    s._host = NAME             # whom starttls() asks for
    s.connect(host, port)
    s._host = NAME
    return s


def python_imap(me):
    with imap(me) as m:
        m.starttls(tls())
        m.login(USER, PASSWORD)
        m.select("INBOX")
        m.fetch("1:*", "(RFC822)")
        m.logout()


def failed_logins(me):
    """Somebody who mistypes: over TLS, IMAP and submission."""
    with imap(me) as m:
        m.starttls(tls())
        with contextlib.suppress(imaplib.IMAP4.error):
            m.login(USER, "wrong")
        m.logout()
    s = smtp(me, 587)
    s.starttls(context=tls())
    with contextlib.suppress(smtplib.SMTPAuthenticationError):
        s.login(USER, "wrong")
    s.quit()


def python_pop3(me):
    class From(poplib.POP3):
        def _create_socket(self, timeout):
            return socket.create_connection((IP, 110), timeout, (me, 0))
    p = From(NAME, timeout=60)
    p.stls(tls())
    p.user(USER)
    p.pass_(PASSWORD)
    p.list()
    p.quit()


def lingering(me):
    """A clean reset: QUIT, and closed with SO_LINGER 0."""
    s = smtp(me)
    s.starttls(context=tls())
    s.ehlo()
    s.docmd("QUIT")
    s.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    s.sock.close()


def gone(me):
    """A client that is switched off amid a session under TLS."""
    with imap(me) as m:
        m.starttls(tls())
        m.login(USER, PASSWORD)
        m.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack("ii", 1, 0))
        m.sock.close()


def keepalive(me):
    with imap(me) as m:
        s = m.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        m.starttls(tls())
        m.login(USER, PASSWORD)
        time.sleep(3.5)
        m.noop()
        m.logout()


def idle(me):
    """IMAP IDLE under TLS until the server goes (RFC 2177)."""
    with imap(me) as m:
        m.starttls(tls())
        m.login(USER, PASSWORD)
        m.select("INBOX")
        m.send(b"X1 IDLE\r\n")
        m.sock.settimeout(20)
        while m.sock.recv(1000):
            pass


def resumed(me):
    """TLS 1.2 twice, the second time without a certificate."""
    context, session = tls(old=True), None
    for _ in range(2):
        raw = socket.create_connection((IP, 993), 60, (me, 0))
        s = context.wrap_socket(raw, server_hostname=NAME, session=session)
        session = s.session
        s.recv(1000)
        s.sendall(b"a LOGOUT\r\n")
        while s.recv(1000):
            pass
        s.close()


def hangup(me):
    """Closed (FIN) right after the go-ahead, as a scanner does."""
    s = smtp(me)
    s.ehlo()
    s.docmd("STARTTLS")
    s.close()


BENIGN = [swaks_25, swaks_587, swaks_465, curl_smtp, curl_imap, curl_imap_12,
          curl_imaps, curl_pop3, curl_pop3s, openssl_smtp, openssl_imap,
          openssl_pop3, msmtp, fetchmail, python_imap, failed_logins,
          python_pop3, lingering, gone, keepalive, resumed, hangup,
          greylisted, no_starttls, swaks_large, swaks_plain]
# What a sender's habits are is known by its address: this one has its own.
OWN_ADDRESS = {swaks_plain: "10.1.0.60", no_starttls: "10.1.0.61",
               hangup: "10.1.0.62"}


# ---- those whom the attacker meets ----

def opportunistic_smtp(me, port=25, login=True):
    """TLS if it is to be had; else, or when it fails, without; and then with
    the password."""
    try:
        s = smtp(me, port)
        s.ehlo_or_helo_if_needed()
        if s.has_extn("starttls"):
            s.starttls(context=tls(old=True, check=False))
            if s.docmd("NOOP")[0] == 250:
                s.quit()
                return "TLS was not prevented"
    except smtplib.SMTPResponseException:
        pass                   # it refused, and the connection goes on
    except (OSError, smtplib.SMTPException):
        time.sleep(0.3)
        s = smtp(me, port)
    s.ehlo_or_helo_if_needed()
    if login and s.has_extn("auth"):
        s.login(USER, PASSWORD)
    s.sendmail("bob@lab.test", ["alice@lab.test"], TEXT)
    s.quit()


def submission(me):
    return opportunistic_smtp(me, 587)


def opportunistic_imap(me):
    with imap(me) as m:
        if m.state == "AUTH":  # so the greeting said
            with contextlib.suppress(imaplib.IMAP4.error):
                m.select("INBOX")
            return
        if "STARTTLS" in m.capabilities:
            m.starttls(tls(old=True, check=False))
        m.login(USER, PASSWORD)
        m.select("INBOX")
        m.logout()


def opportunistic_pop3(me):
    s = socket.create_connection((IP, 110), 60, (me, 0))
    f = s.makefile("rwb", 0)

    def ask(line):
        f.write(line + b"\r\n")
        return f.readline()
    f.readline()
    ask(b"CAPA")
    words = b""
    while not words.endswith(b"\r\n.\r\n"):
        words += f.readline()
    if b"STLS" in words:
        return "STLS was offered"
    ask(b"USER " + USER.encode())
    ask(b"PASS " + PASSWORD.encode())
    ask(b"QUIT")
    s.close()


def swaks_optional(me):
    """swaks asks for TLS and goes on without when it is refused."""
    return swaks(me, "--tls-optional", "--auth-optional", *AUTH, port=587,
                 ok=range(64))


def unwary_smtp(me):
    """Whatever certificate comes is taken."""
    s = smtp(me)
    s.starttls(context=tls(old=True, check=False))
    s.login(USER, PASSWORD)
    s.quit()


def unwary_imap(me):
    with imap(me) as m:
        m.starttls(tls(old=True, check=False))
        m.login(USER, PASSWORD)
        m.logout()


def injected_imap(me):
    """What stands behind the go-ahead breaks the handshake of some, not of
    those that read it before."""
    with contextlib.suppress(Exception):
        unwary_imap(me)


def injected_smtp(me):
    with contextlib.suppress(Exception):
        unwary_smtp(me)


def clear_imap(me):
    with imap(me) as m:
        m.login(USER, PASSWORD)
        m.logout()


def clear_smtp(me):
    s = smtp(me, 587)
    s.login(USER, PASSWORD)
    s.quit()


def aborted_imap(me):
    """IMAP that is reset when TLS begins, and comes back without."""
    try:
        unwary_imap(me)
        return "TLS was not prevented"
    except (OSError, imaplib.IMAP4.abort):
        time.sleep(0.3)
        clear_imap(me)
