/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each piece of evidence is worth, on a scale where 85 and more is high
 * confidence, 50 to 84 medium, below 50 low. Pieces add up and are clamped to
 * 0..100; every alert prints them. A weight that stands alone for a finding
 * is called W_..., one that only strengthens or weakens it PLUS_... and LESS_... .
 * KNOWN(...) goes by how well the server is known: one session, some, ten
 * sessions or two days.
 */
#ifndef STRIPWIRE_WEIGHTS_H
#define STRIPWIRE_WEIGHTS_H

/* A row of KNOWN_LEVELS: nothing is known, one session, some, well. */
#define KNOWN(once, some, well)     \
	{                           \
		0, once, some, well \
	}

/* A1, A13, A16: the list lacks what earlier lists offered. One session is
 * medium by itself, ten are high. */
#define W_STRIPPED_KNOWN KNOWN(60, 70, 86)
#define W_STRIPPED_SAME_FLOW 70 /* an earlier list of this very connection */
#define W_LOGINDISABLED_GONE 60
#define PLUS_OFFERED_LATELY 6 /* minutes ago */
#define PLUS_SELECTIVE 20 /* A6: and that to another client */
#define PLUS_USED_IN_CLEAR 6 /* and the client went on in clear */
/* Some servers name a few capabilities in the greeting, all when asked. */
#define LESS_SHORT_GREETING (-55)
#define LESS_NOT_USED (-25) /* nobody went on: it may be a probe */
#define LESS_OFTEN_ABSENT (-30) /* one list in ten lacked it before */
/* These two never had TLS, and others do: a server that treats networks
 * differently. */
#define LESS_PAIR_ALWAYS_CLEAR (-45)
/* A6: nobody of this client's network was ever offered it. */
#define LESS_NETWORK_NEVER (-100)
/* Only inside clients were offered it, and this one is outside, or the other
 * way round; nothing is known of its network. */
#define LESS_OTHER_SIDE (-60)
/* Unlike machines behind one address, and this one is known. */
#define LESS_ANOTHER_MACHINE (-60)
/* A20: for everybody. Medium: a change of configuration is as likely. */
#define W_ALL_CLIENTS 72
/* A22: 530 "issue STARTTLS first" from a server whose list has none. */
#define W_DEMANDED 90

/* A3-A5 */
#define W_MASKED_OTHER 55 /* a masked word of another length */
#define W_MASKED_SAME 88 /* as long as STARTTLS or STLS */
#define W_GARBLED 88
#define W_REPLACED 78 /* the list as before, with another word in its place */
#define W_GREETING_MASKED 60
#define PLUS_MANGLED_KNOWN KNOWN(8, 12, 33)
#define LESS_NEVER_OFFERED (-30)
/* The masked word was another one, and the server never had STARTTLS. */
#define LESS_ANOTHER_WORD (-60)
/* A12 */
#define W_VERB_MASKED 55
#define W_VERB_GARBLED 45 /* a person typing does this too */
#define PLUS_STARTTLS_DUE 33 /* the server's list offered it */
#define LESS_OTHER_LENGTH (-45) /* a mask has the length of what it covers */

/* A7, A15, A16: refused after being offered, and plaintext followed */
#define W_REFUSED 55
#define W_INVALID_REPLY 88 /* A8: a code RFC 3207 does not know */
#define PLUS_REFUSED_KNOWN KNOWN(10, 20, 33)
#define PLUS_REFUSED_FOR_GOOD 6 /* 5xx to a command just offered */
#define LESS_LIST_WITHOUT (-25) /* it was not offered at all */

/* A9, A9b: agreed on, and not done */
#define W_ABORTED_TEXT 88
#define W_ABORTED_RST 58
#define W_ABORTED_ALERT 54
#define W_ABORTED_FIN 52
/* Scanners leave like this, and in TLS 1.3 a client that dislikes the
 * certificate. */
#define W_ABORTED_BY_CLIENT 42
/* An alert by which two part that have no version or suite in common. */
#define W_ABORTED_MISFIT 44
#define W_ABORTED_SILENCE 50
#define W_ABORTED_CUT 40 /* silence, and nobody tried again */
#define PLUS_FORGED_RST 32
#define PLUS_MAYBE_FORGED_RST 20 /* where that finding itself is not high */
#define PLUS_ABORTED_KNOWN KNOWN(6, 10, 14)
#define LESS_TLS_NEVER_WORKS (-30)

/* A10, A17, A18 */
#define W_EHLO_KNOWN KNOWN(60, 70, 90)
#define W_EHLO_UNKNOWN 40
#define PLUS_SAYS_ESMTP 15
#define PLUS_GREETING_MASKED 20
#define LESS_POLICY_CODE (-60) /* 501, 55x: it dislikes the client's name */
#define W_CAPABILITY_KNOWN KNOWN(58, 64, 74)
#define W_OLD_IMAP 55
#define PLUS_OLD_IMAP_KNOWN KNOWN(30, 32, 35)
#define W_OLD_SMTP 56 /* a banner may have been changed just now */
#define PLUS_OLD_SMTP_PAIR 10

/* A11: TLS was usual, and now it was not asked for. A suspicion, unless the
 * habit is a firm one and the client is not what it was. */
#define W_UNLIKE_BEFORE 25
#define W_UNLIKE_HABIT 30
#define PLUS_OTHER_EHLO 30
#define PLUS_OTHER_STACK 30
#define LESS_NO_SECOND_SIGN (-5)

/* A19 */
#define W_AUTH_LIST KNOWN(52, 60, 72)

/* A21 */
#define W_NEW_UNTRUSTED 60
#define W_NEW_OFFER 20 /* said in retrospect */

/* What the operator pinned */
#define W_PINNED_KEY 92
#define W_PINNED_ISSUER 90
#define W_PINNED_NAME 90
#define W_PINNED_VERSION 88

/* A14: LOGIN where the server said LOGINDISABLED */
#define W_LOGIN_DISABLED 90

/* A9, C9, C10: plaintext where TLS was due */
#define W_FALLBACK_FORGED 88 /* after a forged reset in the handshake */
#define W_FALLBACK_RESET 55 /* after a forged reset elsewhere */
#define W_FALLBACK_BROKEN 58 /* after a handshake that failed */
#define W_FALLBACK_REFUSED 58
#define W_FALLBACK_SIGNS 55 /* other signs of interference came before */
/* The client itself broke off: monitoring, scanners and mail programs do, but
 * seldom right before plaintext, and not in a pair that uses TLS otherwise. */
#define W_FALLBACK_LEFT 46
#define W_FALLBACK_LEFT_LONG_AGO 23
#define W_FALLBACK_TOO_OLD 20 /* no version in common, as far as is known */
#define LESS_TLS_NOT_SEEN (-15) /* nothing shows that it could be had */
#define W_FALLBACK_PORT 52 /* implicit TLS broken, then another port */
#define PLUS_FALLBACK_KNOWN KNOWN(6, 10, 16)
#define PLUS_PAIR_TLS 10 /* these two used TLS before, and only that */
#define PLUS_CREDENTIALS 5
#define PLUS_AT_ONCE 5 /* within ten seconds */

/* B */
#define W_COMMAND_INJECTED 90
#define W_RESPONSE_INJECTED 88
#define LESS_BLANK (-60) /* blank lines, nothing else */
#define W_PREAUTH 70
#define PLUS_PREAUTH_KNOWN KNOWN(18, 20, 25)
#define W_DATA_BEFORE_AUTH 88
#define W_UNSOLICITED 86
#define W_REFERRAL 86
#define W_ALERT_IN_CLEAR 55

/* C1-C6: what the sender of a lawful reset does not do. The strongest counts in
 * full, others as PLUS_MORE_GROUND; those of medium confidence become high
 * with a second sign. */
#define W_SYN_RACE 88 /* C5 */
#define W_DATA_AFTER 86 /* C1 */
#define W_ALIVE 86 /* acknowledged what came after the reset */
#define W_SEQ_CHANGE 86 /* C3 */
#define W_TRAIN 64 /* C7: numbers nobody acknowledged, in a row */
#define W_BLIND 62 /* C6 */
#define W_ACK_CHANGE 60 /* C4 */
#define W_BEHIND 56 /* C2 */
#define PLUS_MORE_GROUND 8
/* C14: TTL, IP id, a number that nobody asked for: none of them decides */
#define PLUS_SECOND_SIGN 30 /* the first one beside a medium ground */
#define PLUS_SIGN 5 /* each further one */
#define W_SIGNS 34 /* two or more and no ground; each adds PLUS_LONE_SIGN */
#define PLUS_LONE_SIGN 8
#define PLUS_TOOL 12 /* C7 */
#define PLUS_MAC 10 /* of the frame; a change of route looks like it too */
#define PLUS_RST_HANDSHAKE 8 /* C8 */
/* C11 */
#define W_CONFLICT 90
#define PLUS_ACKED 4 /* the receiver had the first version already */
#define LESS_BAD_CHECKSUM (-25) /* no host takes the second version */
#define LESS_ONE_BYTE (-20) /* could be a garbage byte */
#define LESS_IN_TLS (-20) /* the mail cannot be changed, only broken off */
#define PLUS_CONFLICT_HANDSHAKE 4
/* C12, C13 */
#define W_TWO_ANSWERS 88
#define LESS_ASKED_AGAIN (-28) /* SYN cookies, anycast */
#define W_AFTER_FIN 62
#define PLUS_OTHER_TTL 8
#define PLUS_FIN_HANDSHAKE 6

/* E: what crossed the wire is a fact; only its weight is a matter of case */
#define W_CREDENTIALS 95
#define W_CHALLENGE 45
#define PLUS_CHALLENGE_WAS_TLS 20
#define W_PLAIN_MAIL 55

#endif
