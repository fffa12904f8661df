/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to sieve.c (replies) and sieve_command.c (commands): ManageSieve,
 * RFC 5804. No mail, but the same server, the same passwords, and a STARTTLS
 * with the same weakness. Its greeting is a capability list.
 */
#ifndef STRIPWIRE_SIEVE_H
#define STRIPWIRE_SIEVE_H

#include "decoders/mail_core.h"

enum sieve_verb {
	SIEVE_NONE = 0,
	SIEVE_AUTHENTICATE,
	SIEVE_STARTTLS,
	SIEVE_CAPABILITY,
	SIEVE_LOGOUT,
	SIEVE_UNAUTHENTICATE,
	SIEVE_KNOWN, /* another that exists */
	SIEVE_UNKNOWN
};

void sieve_client_line(struct mail *m, const struct line *l);
void sieve_client_run_end(struct mail *m);
void sieve_show(char *buf, size_t cap, struct slice line);
bool sieve_command_is_public(struct slice partial);
bool sieve_command_is_known(struct slice line);
/* A line of the client: is it an answer in an exchange under way? */
bool sieve_is_response(const struct mail *m, struct slice line);

/* Strings without their quotes and escapes, blanks between them kept. out has
 * room for s.len bytes, or cap where that is less. */
struct slice sieve_unquote(struct slice s, uint8_t *out, size_t cap);

/* A command is in the queue: was its reply seen before it? */
void sieve_settle_owed(struct mail *m);

/* Does a server's first line look like this protocol's, on any port? */
bool sieve_greets(struct slice line);

#endif
