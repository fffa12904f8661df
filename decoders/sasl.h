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

#endif
