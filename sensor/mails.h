/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The decoders of all mail connections. A decoder takes 5 KiB, most of it zero
 * while nothing is under way, and most connections rest: MAILS_AWAKE of them
 * are whole, of the others the words that are not zero are kept (decoders/
 * pack.h), about 300 bytes. Nobody else has to know: mails_wake() before use.
 *
 * What a decoder holds of a line may be a secret: it is overwritten wherever
 * it moves from, and left out of core files.
 */
#ifndef STRIPWIRE_MAILS_H
#define STRIPWIRE_MAILS_H

#include "decoders/mail.h"
#include "decoders/table_use.h"

#define MAILS_AWAKE 512

struct mails;

/* In the connection, which stays where it is; all zero: none. */
struct mail_place {
	struct mail *mail; /* NULL: asleep, or none */
	uint64_t *asleep;
	uint16_t words; /* of it */
};

/* max: decoders at a time. NULL: no memory. */
struct mails *mails_new(uint32_t max);
void mails_free(struct mails *m);

/* A new decoder, not cleared: mail_init() is due. NULL: there are max already,
 * or there is no memory. */
struct mail *mails_get(struct mails *m, struct mail_place *at);
/* The decoder, awake until MAILS_AWAKE others were woken. NULL: no memory. */
struct mail *mails_wake(struct mails *m, struct mail_place *at);
/* Gives it back; nothing happens if there is none. */
void mails_put(struct mails *m, struct mail_place *at);

static inline bool
mails_have(const struct mail_place *at)
{
	return at->mail != NULL || at->asleep != NULL;
}

uint32_t mails_used(const struct mails *m);
struct table_use mails_use(const struct mails *m);

#endif
