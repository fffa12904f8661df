# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacks, who meets them, and what must be found on either side of the
attacker."""
import clients

# before the attacker, behind it; the interface on which it is seen
VANTAGES = (("client", "tapc"), ("server", "taps"))

# name, what the attacker does, the client, what must be found before the
# attacker, and behind
ATTACKS = (
    ("S1-strip-smtp", "strip-smtp", clients.opportunistic_smtp,
     ("starttls-stripped", "plaintext-credentials"),
     ("plaintext-credentials",)),
    ("S1-strip-imap", "strip-imap", clients.opportunistic_imap,
     ("starttls-stripped", "plaintext-credentials"),
     ("plaintext-credentials",)),
    ("S1-strip-pop3", "strip-pop3", clients.opportunistic_pop3,
     ("starttls-stripped", "plaintext-credentials"),
     ("plaintext-credentials",)),
    ("S2-mask-smtp", "mask-smtp", clients.opportunistic_smtp,
     ("starttls-mangled", "plaintext-credentials"),
     ("plaintext-credentials",)),
    ("S2-mask-imap", "mask-imap", clients.opportunistic_imap,
     ("starttls-mangled", "plaintext-credentials"),
     ("plaintext-credentials",)),
    ("S3-refuse-smtp", "refuse-smtp", clients.swaks_optional,
     ("starttls-refused", "plaintext-credentials"),
     ("plaintext-credentials",)),
    ("S4-command-smtp", "command-smtp", clients.submission,
     ("starttls-refused", "plaintext-credentials"),
     ("starttls-mangled", "plaintext-credentials")),
    ("S5-ehlo-smtp", "ehlo-smtp", clients.opportunistic_smtp,
     ("ehlo-refused",), ()),
    ("S6-preauth-imap", "preauth-imap", clients.opportunistic_imap,
     ("imap-preauth",), ()),
    ("S7-reset-hello-smtp", "reset-hello", clients.opportunistic_smtp,
     ("rst-injected", "plaintext-fallback"), ("plaintext-credentials",)),
    ("S7-reset-ready-imap", "reset-ready", clients.aborted_imap,
     ("rst-injected",), ("plaintext-credentials",)),
    ("S8-intercept-smtp", "intercept-smtp", clients.unwary_smtp,
     ("cert-changed", "cert-untrusted"), ()),
    ("S8-intercept-imap", "intercept-imap", clients.unwary_imap,
     ("cert-changed", "cert-untrusted"), ()),
    ("S9-response-imap", "response-imap", clients.injected_imap,
     ("starttls-response-injection",), ()),
    ("S9-command-smtp", "command-injection-smtp", clients.injected_smtp,
     (), ("starttls-command-injection",)),
    ("N-clear-imap", "", clients.clear_imap,
     ("plaintext-credentials",), ("plaintext-credentials",)),
    ("N-clear-smtp", "", clients.clear_smtp,
     ("plaintext-credentials",), ("plaintext-credentials",)),
)
# What may be said beside them: it follows from the attack.
BESIDE = set("""starttls-stripped starttls-refused starttls-ignored
plaintext-mail plaintext-credentials plaintext-fallback auth-downgrade
cert-bad-accepted cert-rejected-by-client
tls-fingerprint-changed tls-aborted-after-starttls""".split())

victims = {}                                   # attack to address
for place, attack in enumerate(ATTACKS):       # .80 up: routed
    proxied = attack[1] and not attack[1].startswith("reset")
    victims[attack[0]] = "10.1.0.%d" % ((128 if proxied else 80) + place)
