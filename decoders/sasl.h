/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SASL exchanges as SMTP, IMAP and POP3 carry them (RFC 4422, 4954, 3501,
 * 5034). The secret is looked at here, hashed with the process's key, and
 * overwritten; nothing past this file ever holds it.
 */
#ifndef STRIPWIRE_SASL_H
#define STRIPWIRE_SASL_H

#include "decoders/obs.h"

enum sasl_mech {
	MECH_NONE = 0,
	MECH_PLAIN,
	MECH_LOGIN,
	MECH_XOAUTH2,
	MECH_OAUTHBEARER,
	MECH_CRAM_MD5,
	MECH_DIGEST_MD5,
	MECH_NTLM,
	MECH_APOP,
	MECH_SCRAM, /* all of the family, also -PLUS */
	MECH_GSSAPI, /* also GSS-SPNEGO, KERBEROS_V4 */
	MECH_EXTERNAL,
	MECH_ANONYMOUS,
	MECH_USERPASS, /* POP3 USER/PASS */
	MECH_IMAP_LOGIN, /* the IMAP LOGIN command */
	MECH_OTHER,
	MECH_COUNT
};

/* The secret itself crosses the wire, readable by anyone. */
#define MECHS_CLEAR                                                       \
	((1u << MECH_PLAIN) | (1u << MECH_LOGIN) | (1u << MECH_XOAUTH2) | \
	    (1u << MECH_OAUTHBEARER) | (1u << MECH_USERPASS) |            \
	    (1u << MECH_IMAP_LOGIN))
/* A proof crosses it that can be attacked offline. */
#define MECHS_CHALLENGE                                                        \
	((1u << MECH_CRAM_MD5) | (1u << MECH_DIGEST_MD5) | (1u << MECH_NTLM) | \
	    (1u << MECH_APOP))

enum sasl_mech sasl_mech_parse(struct slice name); /* any case */
const char *sasl_mech_name(enum sasl_mech mech);

/*
 * One exchange as it goes by. What it holds may leave the decoder: the secret
 * itself is never in it.
 */
struct sasl {
	struct obs_auth auth;
	uint8_t active; /* begun, and no outcome yet */
	uint8_t step; /* responses of the client so far */
	uint8_t challenged; /* the server asked, and no response yet */
	uint8_t cancelled; /* the client sent "*" */
};

/* Begins an exchange. name is the mechanism as the client wrote it; key is
 * the process's (mail_env.secret_key). */
void sasl_start(struct sasl *s, struct slice name);
void sasl_start_as(struct sasl *s, enum sasl_mech mech, const char *name);

/* One response of the client, base64 as on the wire, also the initial one
 * ("=" is the empty one, "*" gives up). total is the length of the whole line
 * where it was longer than what is kept. */
void sasl_response(
    struct sasl *s, struct slice line, uint64_t total, const uint8_t key[16]);

/* Is the next line of the client a response, asked for or sent ahead? */
bool sasl_takes_line(const struct sasl *s);

/* Parts that commands carry without base64 (IMAP LOGIN, POP3 USER/PASS). */
void sasl_user(struct sasl *s, struct slice user);
void sasl_secret(
    struct sasl *s, struct slice secret, uint64_t total, const uint8_t key[16]);

/* The outcome that a final reply means; ends the exchange. */
void sasl_finish(struct sasl *s, bool ok, uint16_t code);

/* Did enough of it go by to be worth an observation? */
bool sasl_happened(const struct sasl *s);

#endif
