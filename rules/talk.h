/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The mail transaction of an SMTP connection that is under way in clear: from
 * whom, to whom. Kept only if somebody asked for SMTP events; the names in it
 * are as user_names has them, because it is filled by what is left of an
 * observation after that.
 */
#ifndef STRIPWIRE_TALK_H
#define STRIPWIRE_TALK_H

#include "decoders/obs.h"

#define TALK_RCPT_BYTES 2048 /* of all recipients; the rest is counted */

struct talk {
	int64_t time; /* of its MAIL */
	char mail_from[OBS_NAME_MAX]; /* "": none is under way */
	char rcpt_to[TALK_RCPT_BYTES]; /* '\n' behind each */
	uint16_t rcpts; /* all, also those not kept */
	uint16_t used; /* bytes of rcpt_to */
};

/* Which lines it needs, for mail_env.lines: 1 << enum obs_line_what. */
#define TALK_LINES (1 << LINE_MAIL_FROM | 1 << LINE_RCPT_TO)

/* Is one under way that is over with this observation? */
bool talk_is_over(const struct talk *t, const struct obs *o);
/* An OBS_LINE; another MAIL begins anew. */
void talk_line(struct talk *t, const struct obs *o);

#endif
