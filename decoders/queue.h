/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that wait for their replies, in order (SMTP and POP3 answer in
 * order, RFC 2920). A run of one command (RCPT RCPT RCPT) takes one place.
 * When a direction has a hole, or too many wait, the queue is unsure: it
 * matches nothing until a command follows a reply, which is how both sides
 * show that they are in step.
 */
#ifndef STRIPWIRE_QUEUE_H
#define STRIPWIRE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAX 32

struct queue_entry {
	uint8_t verb; /* the protocol's own number, never 0 */
	uint8_t mark; /* the protocol's own */
	uint16_t count;
};

struct queue {
	uint8_t head, n;
	uint8_t unsure;
	uint8_t turned; /* unsure: a reply came since the last command */
	struct queue_entry one; /* the first while e is NULL */
	/* the owner's, QUEUE_MAX of them; may be taken away while n is 0, and
	 * has to be there for queue_push() where queue_needs_room() */
	struct queue_entry *e;
};

/* Is there one, and no room for another? */
static inline bool
queue_needs_room(const struct queue *q)
{
	return q->e == NULL && q->n > 0;
}
void queue_room(struct queue *q, struct queue_entry *e);

/* in_step: a command that a client only sends when all before is answered.
 * Returns false if the command will not be matched. */
bool queue_push(struct queue *q, uint8_t verb, uint8_t mark, bool in_step);
/* Replies that the command at the head will get (LMTP: one a recipient). */
void queue_set_head_count(struct queue *q, uint16_t count);
struct queue_entry queue_pop(struct queue *q); /* one of the run */
/* A reply that only this verb can have: drops what is before it. */
bool queue_seek(struct queue *q, uint8_t verb);
void queue_clear(struct queue *q);
void queue_unsure(struct queue *q);

/* The command that is to be answered next; .verb 0: none. */
static inline struct queue_entry
queue_head(const struct queue *q)
{
	if (q->n == 0)
		return (struct queue_entry){0, 0, 0};
	return q->e != NULL ? q->e[q->head] : q->one;
}

/* A final reply went by. */
static inline void
queue_reply(struct queue *q)
{
	q->turned = 1;
}

#endif
