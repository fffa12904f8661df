/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decoders of all mail connections, and what they borrow. A decoder takes
 * a few hundred bytes while its connection rests; the buffers of a line that
 * was cut, of a list or of an exchange it has only meanwhile.
 *
 * What a decoder holds of a line may be a secret: the decoder overwrites it
 * before it goes back, and all of it is left out of core files.
 */
#ifndef STRIPWIRE_MAILS_H
#define STRIPWIRE_MAILS_H

#include "decoders/mail.h"
#include "decoders/table_use.h"

struct mails;

/* max: decoders at a time. NULL: no memory. */
struct mails *mails_new(uint32_t max);
void mails_free(struct mails *m);

/* For mail_env.lender, as long as m lives. */
struct mail_lender mails_lender(struct mails *m);

/* A new decoder, not cleared: mail_init() is due. NULL: there are max already,
 * or there is no memory. */
struct mail *mails_get(struct mails *m);
/* Gives it back, and what it borrowed. NULL: nothing happens. */
void mails_put(struct mails *m, struct mail *mail);

/* A decoder that is kept elsewhere for a while: its place is still taken. Room
 * for it again, not cleared; NULL: no memory, and its place is free. */
void mails_rest(struct mails *m, struct mail *mail);
struct mail *mails_wake(struct mails *m);

uint32_t mails_used(const struct mails *m);
struct table_use mails_use(const struct mails *m);

#endif
