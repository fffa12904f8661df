/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Counts that never wrap, as in ring.c. Each side looks at the other's only
 * when what it knew is used up.
 */
#include "sensor/handout.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/harden.h"
#include "sensor/wake_fd.h"

#define LINE 64 /* each side writes its own cache lines */
#define SAY_EACH 128 /* taken, between two times that it is said */
#define WORTH_WAKING (HANDOUT_SLOTS / 8)
/* What the other side wrote, or read, is in the cache of another processor: so
 * many packets before their turn slots are fetched; what they carry when they
 * are given, which is some packets before they are looked at. */
#define SLOT_AHEAD 8
#define PAYLOAD_BYTES 512 /* the processor sees the stream by then */

struct shared {
	_Alignas(LINE) _Atomic uint64_t head; /* who hands out */
	_Atomic uint64_t wanted; /* waits until so many are taken; 0: not */
	_Alignas(LINE) _Atomic uint64_t tail; /* who takes */
	_Atomic uint32_t sleeps;
	_Alignas(LINE) struct handed slot[HANDOUT_SLOTS];
};

struct handout {
	struct shared *s;
	int data_fd, room_fd;
	uint64_t head, known_tail; /* who hands out: its own, the other's */
	/* who takes: given, done with, and as told */
	uint64_t next, tail, said, known_head;
};

struct handout *
handout_new(char *err, size_t errlen)
{
	struct handout *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	h->data_fd = wake_fd_new();
	h->room_fd = wake_fd_new();
	h->s = harden_shared(sizeof(*h->s));
	if (h->s != NULL && h->data_fd != -1 && h->room_fd != -1)
		return h;
	(void)snprintf(
	    err, errlen, "no shared memory for a queue: %s", strerror(errno));
	handout_free(h);
	return NULL;
}

void
handout_free(struct handout *h)
{
	if (h == NULL)
		return;
	if (h->s != NULL)
		(void)munmap(h->s, sizeof(*h->s));
	if (h->data_fd != -1)
		(void)close(h->data_fd);
	if (h->room_fd != -1)
		(void)close(h->room_fd);
	free(h);
}

/* ---- who hands out ---- */

/* It cannot have taken what was not handed out. Not merely acquired: whoever is
 * about to sleep said so first, and the other side looks in the other order. */
static void
look_at_tail(struct handout *h)
{
	uint64_t tail = atomic_load(&h->s->tail);

	h->known_tail = tail < h->head ? tail : h->head;
}

struct handed *
handout_slot(struct handout *h)
{
	if (h->head - h->known_tail >= HANDOUT_SLOTS) {
		look_at_tail(h);
		if (h->head - h->known_tail >= HANDOUT_SLOTS)
			return NULL;
	}
	return &h->s->slot[h->head % HANDOUT_SLOTS];
}

void
handout_add(struct handout *h)
{
	const struct handed *soon =
	    &h->s->slot[(h->head + SLOT_AHEAD) % HANDOUT_SLOTS];

	for (size_t i = 0; i < sizeof(*soon); i += LINE)
		__builtin_prefetch((const char *)soon + i, 1);
	h->head++;
}

uint64_t
handout_added(const struct handout *h)
{
	return h->head;
}

void
handout_show(struct handout *h, bool now)
{
	atomic_store(&h->s->head, h->head);
	if (!atomic_load(&h->s->sleeps))
		return;
	look_at_tail(h);
	if (h->head - h->known_tail >= (now ? 1 : WORTH_WAKING))
		wake_fd_signal(h->data_fd);
}

bool
handout_is_past(struct handout *h, uint64_t n)
{
	if (h->known_tail < n)
		look_at_tail(h);
	return h->known_tail >= n;
}

void
handout_wait(struct handout *h, uint64_t n, int ms)
{
	atomic_store(&h->s->wanted, n);
	if (!handout_is_past(h, n))
		wake_fd_wait(h->room_fd, ms);
	atomic_store(&h->s->wanted, 0);
	wake_fd_clear(h->room_fd);
}

/* ---- who takes ---- */

static void
say_taken(struct handout *h)
{
	uint64_t wanted;

	h->said = h->tail;
	atomic_store(&h->s->tail, h->tail);
	wanted = atomic_load(&h->s->wanted);
	if (wanted != 0 && h->tail >= wanted &&
	    atomic_compare_exchange_strong(&h->s->wanted, &wanted, 0))
		wake_fd_signal(h->room_fd);
}

static inline void
fetch_slot(const struct handout *h)
{
	const struct handed *s =
	    &h->s->slot[(h->next + SLOT_AHEAD) % HANDOUT_SLOTS];

	if (h->known_head - h->next <= SLOT_AHEAD)
		return;
	for (size_t i = 0; i < sizeof(*s); i += LINE)
		__builtin_prefetch((const char *)s + i);
}

static inline void
fetch_payload(const struct packet *pkt)
{
	size_t len = pkt->len < PAYLOAD_BYTES ? pkt->len : PAYLOAD_BYTES;

	for (size_t i = 0; i < len; i += LINE)
		__builtin_prefetch(pkt->payload + i);
}

struct handed *
handout_next(struct handout *h)
{
	struct handed *s;

	if (h->next == h->known_head) {
		h->known_head =
		    atomic_load_explicit(&h->s->head, memory_order_acquire);
		if (h->next == h->known_head) {
			if (h->said != h->tail)
				say_taken(h);
			return NULL;
		}
	}
	fetch_slot(h);
	s = &h->s->slot[h->next++ % HANDOUT_SLOTS];
	fetch_payload(&s->pkt);
	return s;
}

void
handout_done(struct handout *h)
{
	h->tail++;
	if (h->tail - h->said >= SAY_EACH)
		say_taken(h);
}

void
handout_sleep(struct handout *h, int ms)
{
	atomic_store(&h->s->sleeps, 1);
	if (atomic_load(&h->s->head) == h->next)
		wake_fd_wait(h->data_fd, ms);
	atomic_store(&h->s->sleeps, 0);
	wake_fd_clear(h->data_fd);
}

void
handout_fds(const struct handout *h, int fd[2])
{
	fd[0] = h->data_fd;
	fd[1] = h->room_fd;
}
