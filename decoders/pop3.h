/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to pop3.c (replies) and pop3_command.c (commands). RFC 1939, 2449
 * (CAPA), 2595 (STLS), 5034 (AUTH).
 */
#ifndef STRIPWIRE_POP3_H
#define STRIPWIRE_POP3_H

#include "decoders/mail_core.h"

enum pop3_verb {
	POP3_NONE = 0,
	POP3_CAPA,
	POP3_STLS,
	POP3_USER,
	POP3_PASS,
	POP3_APOP,
	POP3_AUTH,
	POP3_RETR,
	POP3_MULTI, /* another whose reply goes on to the dot */
	POP3_QUIT,
	POP3_KNOWN, /* another that exists */
	POP3_UNKNOWN
};

const char *pop3_verb_name(uint8_t verb);
void pop3_client_line(struct mail *m, const struct line *l);
void pop3_show(char *buf, size_t cap, struct slice line);
bool pop3_command_is_public(struct slice partial);
bool pop3_command_is_known(struct slice line);
/* A command is in the queue: was its reply seen before it? */
void pop3_settle_owed(struct mail *m);

#endif
