/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a decoder borrows. Most connections rest between two commands, and then
 * hardly anything is borrowed. When there is no memory, the unit under way is
 * read into a part that all share, and the decoder ends before it is given
 * anything else.
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/mail_core.h"

static const struct {
	uint16_t size;
	uint16_t clear; /* bytes at its beginning that begin as zeros */
} parts[MAIL_PARTS] = {
    [PART_GREET] = {sizeof(struct greet), 0},
    [PART_CAPS] = {sizeof(struct caps_acc),
	offsetof(struct caps_acc, words) + 1},
    [PART_NAME] = {MAIL_NAME_SHORT, 0},
    [PART_LONG_NAME] = {OBS_NAME_MAX, 0},
    [PART_INJECT] = {2 * sizeof(struct inject), 2 * sizeof(struct inject)},
    [PART_CLEAR_USE] = {sizeof(struct clear_text), sizeof(struct clear_text)},
    [PART_SASL] = {sizeof(struct sasl), sizeof(struct sasl)},
    [PART_OWED] = {sizeof(struct owed), sizeof(struct owed)},
    [PART_TAGS] = {IMAP_TAGS * sizeof(struct imap_tag),
	IMAP_TAGS * sizeof(struct imap_tag)},
    [PART_STRAY] = {sizeof(struct stray), sizeof(struct stray)},
    [PART_STATUS] = {SIEVE_STATUS_TEXT, 1},
    [PART_PROXY] = {sizeof(struct proxied), sizeof(struct proxied)},
    [PART_TLS] = {sizeof(struct tls), sizeof(struct tls)},
    [PART_QUEUE] = {QUEUE_MAX * sizeof(struct queue_entry), 0},
    [PART_C2S_LINE] = {LINE_ROOM(MAIL_LINE_C2S), 0},
    [PART_S2C_LINE] = {LINE_ROOM(MAIL_LINE_S2C), 0},
};

/* One of each, because a unit may borrow several. */
static uint64_t spare[MAIL_PARTS][(sizeof(struct caps_acc) + 7) / 8];

_Static_assert(LINE_ROOM(MAIL_LINE_S2C) <= sizeof(spare[0]), "the largest");

size_t
mail_part_size(enum mail_part part)
{
	return parts[part].size;
}

static void *
lend(struct mail *m, enum mail_part part)
{
	const struct mail_lender *l = &m->env->lender;
	void *p =
	    l->lend != NULL ? l->lend(l->ctx, part) : malloc(parts[part].size);

	if (p == NULL) {
		m->starved = 1;
		p = spare[part];
	}
	m->borrowed |= (uint16_t)(1u << part);
	if (parts[part].clear == 1)
		*(char *)p = '\0';
	else if (parts[part].clear > 1)
		memset(p, 0, parts[part].clear);
	return p;
}

static void
give_back(struct mail *m, enum mail_part part, void *p)
{
	const struct mail_lender *l = &m->env->lender;

	m->borrowed &= (uint16_t) ~(1u << part);
	if (p == spare[part])
		return;
	if (l->lend != NULL)
		l->give_back(l->ctx, part, p);
	else
		free(p);
}

void *
mail_part_borrow(struct mail *m, enum mail_part part)
{
	m->part[part] = lend(m, part);
	return m->part[part];
}

void
mail_part_return(struct mail *m, enum mail_part part)
{
	give_back(m, part, m->part[part]);
	m->part[part] = NULL;
}

/* ---- lines ---- */

static enum mail_part
line_part(enum dir dir)
{
	return dir == DIR_C2S ? PART_C2S_LINE : PART_S2C_LINE;
}

void
mail_line_room(struct mail *m, enum dir dir)
{
	struct line_buf *b = &m->half[dir].line;

	if (b->buf == NULL)
		b->buf = lend(m, line_part(dir));
}

static void
line_end(struct mail *m, enum dir dir)
{
	struct line_buf *b = &m->half[dir].line;

	line_wipe(b);
	give_back(m, line_part(dir), b->buf);
	b->buf = NULL;
}

/* ---- commands that wait ---- */

static void
queue_end(struct mail *m)
{
	give_back(m, PART_QUEUE, m->queue.e);
	m->queue.e = NULL;
}

bool
mail_queue_push(struct mail *m, uint8_t verb, uint8_t mark, bool in_step)
{
	if (queue_needs_room(&m->queue))
		queue_room(&m->queue, lend(m, PART_QUEUE));
	return queue_push(&m->queue, verb, mark, in_step);
}

/* ---- all ---- */

void
mail_parts_look(struct mail *m)
{
	for (unsigned d = 0; d < 2; d++)
		if (m->half[d].line.buf != NULL && m->half[d].line.seen == 0)
			line_end(m, (enum dir)d);
	if (m->queue.n == 0 && m->queue.e != NULL)
		queue_end(m);
}

void
mail_parts_end(struct mail *m)
{
	if (m->borrowed == 0 && m->queue.n == 0)
		return;
	for (unsigned d = 0; d < 2; d++)
		if (m->half[d].line.buf != NULL)
			line_end(m, (enum dir)d);
	queue_clear(&m->queue);
	if (m->queue.e != NULL)
		queue_end(m);
	while (m->borrowed != 0)
		mail_part_return(m, (enum mail_part)__builtin_ctz(m->borrowed));
}
