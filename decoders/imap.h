/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to imap.c (replies) and imap_command.c (commands). RFC 3501, 9051,
 * 4959 (initial response), 7888 (literals without waiting), 4978 (COMPRESS).
 */
#ifndef STRIPWIRE_IMAP_H
#define STRIPWIRE_IMAP_H

#include "decoders/mail_core.h"

enum imap_verb {
	IMAP_NONE = 0,
	IMAP_LOGIN,
	IMAP_AUTHENTICATE,
	IMAP_STARTTLS,
	IMAP_CAPABILITY,
	IMAP_LOGOUT,
	IMAP_COMPRESS,
	IMAP_APPEND,
	IMAP_UNAUTHENTICATE,
	IMAP_KNOWN, /* another that exists */
	IMAP_UNKNOWN
};

/* Keyed hash of a tag, never 0. */
uint32_t imap_tag_id(const struct mail *m, struct slice tag);

void imap_client_line(struct mail *m, const struct line *l);
void imap_client_run_end(struct mail *m);
void imap_show(char *buf, size_t cap, struct slice line);
bool imap_command_is_public(struct slice partial);
bool imap_command_is_known(struct slice line);
bool imap_is_tagged_reply(struct slice line);
bool imap_old_greeting(struct slice line);

/* A command with this tag begins: was its reply seen before it? */
void imap_settle_stray(struct mail *m, uint32_t id);
/* Does a command wait for its reply? of: 1 << enum imap_verb of those meant */
bool imap_is_pending(const struct mail *m, uint32_t of);
bool imap_login_pending(const struct mail *m);
/* Of the command that has this tag; IMAP_NONE: there is none. */
enum imap_verb imap_verb_of(const struct mail *m, uint32_t id);
/* Its reply is here. False: there is none. */
bool imap_tag_take(struct mail *m, uint32_t id, struct imap_tag *out);

#endif
