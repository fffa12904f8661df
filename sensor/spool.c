/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two rows of chunk numbers, one each way; counts that never wrap, as in
 * ring.c. Neither row can overflow: there are no more chunks than places.
 */
#include "sensor/spool.h"

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
#define PAGE 4096
#define ALIGN 8u
#define WORTH_WAKING 8 /* part of the chunks, for a writer without any */
#define AHEAD 2048 /* bytes that are fetched before their turn */

struct filled {
	uint32_t chunk, len;
};

struct shared {
	_Alignas(LINE) _Atomic uint64_t filled; /* writer */
	_Atomic uint32_t writer_sleeps;
	_Alignas(LINE) _Atomic uint64_t freed; /* reader */
	_Atomic uint32_t reader_sleeps;
	_Alignas(LINE) struct filled row[SPOOL_CHUNKS];
	_Alignas(LINE) uint32_t back[SPOOL_CHUNKS];
	_Alignas(PAGE) uint8_t chunk[][SPOOL_CHUNK];
};

struct spool {
	struct shared *s;
	size_t size; /* of *s */
	uint32_t chunks;
	int data_fd, room_fd;
	/* writer */
	uint32_t at, used; /* chunk that is being filled */
	bool has_chunk;
	uint32_t free[SPOOL_CHUNKS], nfree, fresh; /* never used: from there */
	uint64_t filled, taken_back;
	/* reader */
	const uint8_t *p;
	uint32_t chunk, left; /* of the chunk at hand */
	uint32_t peeked;
	uint64_t read, freed;
	bool open, broken;
};

struct spool *
spool_new(uint32_t chunks, char *err, size_t errlen)
{
	struct spool *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	s->data_fd = wake_fd_new();
	s->room_fd = wake_fd_new();
	s->chunks = chunks < SPOOL_CHUNKS ? chunks : SPOOL_CHUNKS;
	s->size = sizeof(*s->s) + (size_t)s->chunks * SPOOL_CHUNK;
	s->s = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->s == MAP_FAILED || s->data_fd == -1 || s->room_fd == -1) {
		(void)snprintf(err, errlen, "no shared memory for a queue: %s",
		    strerror(errno));
		if (s->s == MAP_FAILED)
			s->s = NULL;
		spool_free(s);
		return NULL;
	}
	harden_memory(s->s, s->size);
	return s;
}

void
spool_free(struct spool *s)
{
	if (s == NULL)
		return;
	if (s->s != NULL)
		(void)munmap(s->s, s->size);
	if (s->data_fd != -1)
		(void)close(s->data_fd);
	if (s->room_fd != -1)
		(void)close(s->room_fd);
	free(s);
}

void
spool_fds(const struct spool *s, int fd[2])
{
	fd[0] = s->data_fd;
	fd[1] = s->room_fd;
}

static size_t
whole(size_t size)
{
	return (sizeof(struct spool_record) + size + ALIGN - 1) &
	       ~(size_t)(ALIGN - 1);
}

/* ---- the writer ---- */

static void
take_back(struct spool *s)
{
	uint64_t freed =
	    atomic_load_explicit(&s->s->freed, memory_order_acquire);

	while (s->taken_back != freed && s->nfree < SPOOL_CHUNKS)
		s->free[s->nfree++] =
		    s->s->back[s->taken_back++ % SPOOL_CHUNKS];
}

/* Its pages are made at once: one by one, when they are first touched, they
 * cost more. An old kernel cannot, and nothing is lost. */
static uint32_t
fresh_chunk(struct spool *s)
{
	(void)madvise(s->s->chunk[s->fresh], SPOOL_CHUNK, MADV_POPULATE_WRITE);
	return s->fresh++;
}

static bool
next_chunk(struct spool *s)
{
	take_back(s);
	if (s->nfree > 0)
		s->at = s->free[--s->nfree];
	else if (s->fresh < s->chunks)
		s->at = fresh_chunk(s);
	else
		return false;
	s->used = 0;
	s->has_chunk = true;
	return true;
}

void
spool_show(struct spool *s)
{
	if (!s->has_chunk || s->used == 0)
		return;
	s->s->row[s->filled % SPOOL_CHUNKS] = (struct filled){s->at, s->used};
	atomic_store(&s->s->filled, ++s->filled);
	s->has_chunk = false;
	if (atomic_load(&s->s->reader_sleeps))
		wake_fd_signal(s->data_fd);
}

bool
spool_put(
    struct spool *s, uint32_t type, const struct slice *part, unsigned nparts)
{
	struct spool_record head = {.type = type};
	size_t size = 0;
	uint8_t *to;

	for (unsigned i = 0; i < nparts; i++)
		size += part[i].len;
	if (size > SPOOL_RECORD_MAX)
		return false;
	if (s->has_chunk && SPOOL_CHUNK - s->used < whole(size))
		spool_show(s);
	if (!s->has_chunk && !next_chunk(s))
		return false;
	head.size = (uint32_t)size;
	to = s->s->chunk[s->at] + s->used;
	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	for (unsigned i = 0; i < nparts; i++) {
		if (part[i].len > 0)
			memcpy(to, part[i].p, part[i].len);
		to += part[i].len;
	}
	s->used += (uint32_t)whole(size);
	return true;
}

static bool
has_room(const struct spool *s, uint32_t chunks)
{
	return atomic_load(&s->s->freed) - s->taken_back >= chunks;
}

void
spool_wait_room(struct spool *s, int ms)
{
	spool_show(s);
	atomic_store(&s->s->writer_sleeps, 1);
	if (!has_room(s, s->chunks / WORTH_WAKING + 1))
		wake_fd_wait(s->room_fd, ms);
	atomic_store(&s->s->writer_sleeps, 0);
	wake_fd_clear(s->room_fd);
}

/* ---- the reader ---- */

static void
give_back(struct spool *s)
{
	s->s->back[s->freed % SPOOL_CHUNKS] = s->chunk;
	atomic_store(&s->s->freed, ++s->freed);
	s->open = false;
	if (atomic_load(&s->s->writer_sleeps) &&
	    s->freed % (s->chunks / WORTH_WAKING + 1) == 0)
		wake_fd_signal(s->room_fd);
}

static bool
open_chunk(struct spool *s)
{
	struct filled f;

	if (s->broken || atomic_load_explicit(
			     &s->s->filled, memory_order_acquire) == s->read)
		return false;
	memcpy(&f, &s->s->row[s->read++ % SPOOL_CHUNKS], sizeof(f));
	if (f.chunk >= s->chunks || f.len > SPOOL_CHUNK) {
		s->broken = true;
		return false;
	}
	s->chunk = f.chunk;
	s->p = s->s->chunk[f.chunk];
	s->left = f.len;
	s->open = true;
	return true;
}

const uint8_t *
spool_look(struct spool *s, struct spool_record *head)
{
	if (s->open && s->left == 0)
		give_back(s);
	if (!s->open && !open_chunk(s))
		return NULL;
	if (s->left >= sizeof(*head)) {
		memcpy(head, s->p, sizeof(*head));
		if (head->size <= s->left && whole(head->size) <= s->left) {
			s->peeked = (uint32_t)whole(head->size);
			if (s->left > s->peeked + AHEAD)
				__builtin_prefetch(s->p + s->peeked + AHEAD);
			return s->p + sizeof(*head);
		}
	}
	s->broken = true;
	s->open = false;
	return NULL;
}

void
spool_take(struct spool *s)
{
	s->p += s->peeked;
	s->left -= s->peeked;
	s->peeked = 0;
}

void
spool_wait(struct spool *s, int ms)
{
	atomic_store(&s->s->reader_sleeps, 1);
	if (atomic_load(&s->s->filled) == s->read)
		wake_fd_wait(s->data_fd, ms);
	atomic_store(&s->s->reader_sleeps, 0);
	wake_fd_clear(s->data_fd);
	/* a writer without room is not to wait for more than there is */
	if (atomic_load(&s->s->writer_sleeps))
		wake_fd_signal(s->room_fd);
}

bool
spool_is_broken(const struct spool *s)
{
	return s->broken;
}
