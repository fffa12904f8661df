/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Private to smtp.c (replies) and smtp_command.c (commands). RFC 5321, 3207,
 * 4954, 3030; LMTP (RFC 2033) is SMTP whose messages have a reply a recipient;
 * X-ANONYMOUSTLS and X-EXPS are what Exchange servers say to each other where
 * others say STARTTLS and AUTH (MS-SMTP, MS-XLOGIN).
 */
#ifndef STRIPWIRE_SMTP_H
#define STRIPWIRE_SMTP_H

#include "decoders/mail_core.h"

enum smtp_verb {
	SMTP_NONE = 0,
	SMTP_EHLO, /* also LHLO */
	SMTP_HELO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_DOT, /* the end of a message */
	SMTP_BDAT,
	SMTP_BDAT_LAST,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_STARTTLS, /* also X-ANONYMOUSTLS */
	SMTP_AUTH, /* also X-EXPS */
	SMTP_TURN, /* also ATRN: the sides change places */
	SMTP_KNOWN, /* another that exists */
	SMTP_UNKNOWN,
	SMTP_VERB_COUNT
};

/* A line of a client taken apart. */
struct smtp_command {
	struct slice line, word, rest; /* without blanks around them */
	enum smtp_verb verb;
};

void smtp_command_read(struct smtp_command *c, struct slice line);
/* The same, where it returns true: a verb of four letters, then the end or one
 * blank, and no blanks around. */
bool smtp_command_usual(struct smtp_command *c, struct slice line);

const char *smtp_verb_name(uint8_t verb);
enum smtp_verb smtp_verb_parse(struct slice word);
const char *smtp_tls_verb(const struct mail *m); /* as asked for last */

void smtp_client_line(struct mail *m, const struct line *l);
void smtp_client_run_end(struct mail *m);
void smtp_show(char *buf, size_t cap, struct slice line);
bool smtp_command_is_public(struct slice partial);

/* A final reply to the command at the head of the queue. */
void smtp_reply(struct mail *m, uint16_t code, struct slice text);
void smtp_answer_owed(struct mail *m);
/* A command is in the queue: was its reply seen before it? */
static inline void
smtp_settle_owed(struct mail *m)
{
	if (mail_has_part(m, PART_OWED) && m->queue.n > 0)
		smtp_answer_owed(m);
}
/* The client spoke before or instead of what a mail client says. */
void smtp_not_mail(struct mail *m);
/* A greeting without the word SMTP is believed at EHLO. */
void smtp_confirm(struct mail *m);

#endif
