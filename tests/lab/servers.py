# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's side: a test CA, Postfix, Dovecot, a greylist, all in one
folder and started in the server's network namespace. Nothing of the system's
own configuration is read or changed.
"""
import os
import shutil
import socket
import subprocess
import time

NAME = "mail.lab.test"
USERS = {"alice": "wonder-land-7", "bob": "builder-9"}
SMTP, IMAP_POP3 = (25, 465, 587), (143, 993, 110, 995)

MAIN = """compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/postfix.log
maillog_file_prefixes = {dir}
myhostname = mail.lab.test
mydestination = lab.test
mynetworks = 127.0.0.0/8
inet_interfaces = 10.2.0.20, 10.2.0.30
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = discard
default_transport = discard
smtpd_peername_lookup = no
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_tls_cert_file = {dir}/server.pem
smtpd_tls_key_file = {dir}/server.key
smtpd_tls_security_level = may
smtpd_tls_auth_only = no
smtpd_tls_session_cache_database =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dir}/auth
smtpd_recipient_restrictions = reject_unauth_destination,
  check_policy_service inet:127.0.0.1:10023
"""
MASTER = """10.2.0.20:25 inet n - n - - smtpd
10.2.0.30:25 inet n - n - - smtpd -o smtpd_tls_security_level=none
  -o smtpd_sasl_auth_enable=no -o myhostname=plain.lab.test
10.2.0.20:587 inet n - n - - smtpd
10.2.0.20:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """protocols = imap pop3
listen = 10.2.0.20
base_dir = {dir}/dovecot
state_dir = {dir}/dovecot
log_path = {dir}/dovecot.log
ssl = yes
ssl_cert = <{dir}/server.pem
ssl_key = <{dir}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 1 secs
first_valid_uid = 1
mail_location = maildir:{dir}/mail/%u
passdb {{
  driver = passwd-file
  args = {dir}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={dir}/mail/%u
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {dir}/auth {{
    mode = 0666
  }}
}}
"""
MAIL = """From: bob@lab.test
To: alice@lab.test
Subject: number %d

%s
"""


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def authority(folder, name, organisation):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
            "-subj", "/O=%s/CN=%s root" % (organisation, organisation),
            "-addext", "basicConstraints=critical,CA:true",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", "%s/%s-ca.key" % (folder, name),
            "-out", "%s/%s-ca.pem" % (folder, name))


def certificate(folder, ca, name):
    """name.pem and name.key for mail.lab.test, by that authority."""
    base = "%s/%s" % (folder, name)
    write(base + ".ext", "subjectAltName=DNS:%s\nbasicConstraints=CA:false\n"
          "keyUsage=digitalSignature,keyEncipherment\n"
          "extendedKeyUsage=serverAuth\n" % NAME)
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
            base + ".key", "-out", base + ".csr", "-subj", "/CN=" + NAME)
    openssl("x509", "-req", "-in", base + ".csr", "-days", "30", "-CA",
            "%s/%s-ca.pem" % (folder, ca), "-CAkey",
            "%s/%s-ca.key" % (folder, ca), "-CAcreateserial", "-extfile",
            base + ".ext", "-out", base + ".pem")


def mailbox(path):
    for sub in ("cur", "new", "tmp"):
        os.makedirs(path + "/" + sub)
    for i in range(5):
        write("%s/new/%d.lab" % (path, 1000 + i),
              MAIL % (i, "line of text\n" * 40 ** (i % 3)))
    for root, dirs, files in os.walk(path):
        for name in [root] + [root + "/" + f for f in files]:
            shutil.chown(name, "nobody", "nogroup")


class Servers:
    def __init__(self, folder, host):
        self.dir, self.host = folder, host
        self.running = {}
        authority(folder, "lab", "Lab")
        authority(folder, "evil", "Evil")
        certificate(folder, "lab", "server")
        certificate(folder, "evil", "evil")
        for sub in ("etc", "queue", "data", "mail", "dovecot"):
            os.mkdir(folder + "/" + sub)
        shutil.chown(folder + "/data", "postfix")
        shutil.chown(folder + "/mail", "nobody", "nogroup")
        write(folder + "/etc/main.cf", MAIN.format(dir=folder))
        write(folder + "/etc/master.cf", MASTER)
        write(folder + "/dovecot.conf", DOVECOT.format(dir=folder))
        write(folder + "/users", "".join("%s:{PLAIN}%s\n" % u
                                         for u in USERS.items()))
        for user in USERS:
            mailbox("%s/mail/%s" % (folder, user))
        self.start()

    def start(self):
        out = open(self.dir + "/servers.log", "a")
        how = {"stdout": out, "stderr": out, "stdin": subprocess.DEVNULL}
        here = os.path.dirname(os.path.abspath(__file__))
        for name, argv, ports in (
                ("greylist", ["python3", here + "/greylist.py", "10023"],
                 (10023,)),
                ("dovecot", ["dovecot", "-F", "-c",
                             self.dir + "/dovecot.conf"], IMAP_POP3),
                ("postfix", ["postfix", "-c", self.dir + "/etc", "start-fg"],
                 SMTP)):
            self.running[name] = self.host.start(argv, **how)
            self.wait(ports)

    def wait(self, ports):
        end = time.monotonic() + 60
        while not all(self.host.do(answers, port) for port in ports):
            if time.monotonic() > end:
                raise RuntimeError("the servers do not answer:\n" +
                                   self.said())
            time.sleep(0.1)

    def stop(self):
        for p in self.running.values():
            p.terminate()
        for p in self.running.values():
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()

    def said(self):
        text = ""
        for name in ("servers.log", "postfix.log", "dovecot.log"):
            try:
                with open("%s/%s" % (self.dir, name)) as f:
                    text += name + ":\n" + f.read()[-2000:]
            except OSError:
                pass
        return text


def answers(port):
    """Asked from the server itself: the sensor does not see it."""
    here = "127.0.0.1" if port == 10023 else "10.2.0.20"
    try:
        socket.create_connection((here, port), 1).close()
        return True
    except OSError:
        return False
