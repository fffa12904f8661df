/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Head and tail count bytes and never wrap; their place is that modulo the
 * size. A record is never split: where it would be, a filler goes before it.
 * The mark is a sequence lock: odd while it is being written.
 *
 * In batches each side looks at the other's count only when what it knew of it
 * is used up, and says seldom how far it is itself: else both would take these
 * cache lines from each other with every record.
 */
#include "sensor/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "sensor/harden.h"
#include "sensor/wake_fd.h"

#define ALIGN 8u
#define FILLER 0u /* the type of a record without a meaning */
/* in batches: in one round of the ring */
#define SAYINGS 16 /* of the reader */
#define SHOWINGS 128 /* of the writer, at least */
#define AHEAD 2048 /* bytes that are fetched before their turn, see fetch() */
#define LINE 64 /* each side writes its own cache lines */

struct shared {
	_Alignas(LINE) _Atomic uint64_t head; /* writer */
	_Atomic uint32_t writer_sleeps;
	_Atomic uint32_t mark_lock;
	struct ring_key mark;
	_Alignas(LINE) _Atomic uint64_t tail; /* reader */
	_Atomic uint32_t reader_sleeps;
	_Atomic uint64_t broken;
	_Alignas(LINE) uint8_t bytes[];
};

struct ring {
	struct shared *s;
	size_t size;
	int data_fd, room_fd;
	bool batches;
	uint64_t known_head; /* reader: of the writer */
	uint64_t known_tail; /* writer: of the reader */
	uint64_t made, shown; /* writer, in batches: its head, and as seen */
	uint64_t taken, said; /* reader, in batches: its tail, and as told */
	uint64_t fetched; /* in batches: up to here, a multiple of LINE */
	uint32_t peeked; /* bytes that ring_take() takes */
};

struct ring *
ring_new(size_t bytes, char *err, size_t errlen)
{
	struct ring *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return NULL;
	}
	r->size = bytes;
	r->data_fd = wake_fd_new();
	r->room_fd = wake_fd_new();
	r->s = mmap(NULL, sizeof(*r->s) + bytes, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->s == MAP_FAILED || r->data_fd == -1 || r->room_fd == -1) {
		(void)snprintf(err, errlen, "no shared memory for a queue: %s",
		    strerror(errno));
		if (r->s == MAP_FAILED)
			r->s = NULL;
		ring_free(r);
		return NULL;
	}
	harden_memory(r->s, sizeof(*r->s) + bytes);
	return r;
}

void
ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	if (r->s != NULL)
		(void)munmap(r->s, sizeof(*r->s) + r->size);
	if (r->data_fd != -1)
		(void)close(r->data_fd);
	if (r->room_fd != -1)
		(void)close(r->room_fd);
	free(r);
}

void
ring_in_batches(struct ring *r)
{
	r->batches = true;
}

bool
ring_is_in_batches(const struct ring *r)
{
	return r->batches;
}

int
ring_compare(const struct ring_key *a, const struct ring_key *b)
{
	if (a->era != b->era)
		return a->era < b->era ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->tie != b->tie)
		return a->tie < b->tie ? -1 : 1;
	return 0;
}

static size_t
whole(uint32_t size)
{
	return (sizeof(struct ring_record) + size + ALIGN - 1) &
	       ~(size_t)(ALIGN - 1);
}

int64_t
ring_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* In batches: what comes next was written, or read, by another processor, and
 * is in its cache. Not beyond end, where that is at work. */
static void
fetch(struct ring *r, uint64_t from, uint64_t end, bool writes)
{
	uint64_t to = from + AHEAD < end ? from + AHEAD : end;

	if (r->fetched < from)
		r->fetched = from & ~(uint64_t)(LINE - 1);
	for (; r->fetched < to; r->fetched += LINE) {
		const uint8_t *p = r->s->bytes + (r->fetched & (r->size - 1));

		if (writes)
			__builtin_prefetch(p, 1);
		else
			__builtin_prefetch(p);
	}
}

/* ---- the writer ---- */

static bool
fits(struct ring *r, uint64_t head, size_t need)
{
	if (r->batches && r->size - (head - r->known_tail) >= need)
		return true;
	r->known_tail = atomic_load_explicit(&r->s->tail, memory_order_acquire);
	return r->size - (head - r->known_tail) >= need;
}

/* Where a record of `need` bytes goes; NULL: no room. */
static uint8_t *
place(struct ring *r, size_t need, size_t reserve, uint64_t *head)
{
	size_t at = *head & (r->size - 1), left = r->size - at;
	size_t fill = left < need ? left : 0;
	struct ring_record filler = {.type = FILLER};

	if (!fits(r, *head, need + fill + reserve))
		return NULL;
	if (fill == 0)
		return r->s->bytes + at;
	if (fill >= sizeof(filler)) {
		filler.size = (uint32_t)(fill - sizeof(filler));
		memcpy(r->s->bytes + at, &filler, sizeof(filler));
	}
	*head += fill;
	return r->s->bytes;
}

void
ring_show(struct ring *r)
{
	uint64_t before = r->shown, tail;
	size_t quarter = r->size / 4;

	if (!r->batches || r->made == before)
		return;
	r->shown = r->made;
	atomic_store(&r->s->head, r->made);
	if (!atomic_load(&r->s->reader_sleeps))
		return;
	tail = atomic_load_explicit(&r->s->tail, memory_order_relaxed);
	if ((before - tail) / quarter != (r->made - tail) / quarter)
		wake_fd_signal(r->data_fd);
}

/* A whole record lies before `at`. */
static void
put_up_to(struct ring *r, uint64_t at)
{
	if (r->batches) {
		r->made = at;
		fetch(r, at, r->known_tail + r->size, true);
		if (at - r->shown >= r->size / SHOWINGS)
			ring_show(r);
		return;
	}
	atomic_store(&r->s->head, at);
	if (atomic_load(&r->s->reader_sleeps))
		wake_fd_signal(r->data_fd);
}

bool
ring_put(struct ring *r, struct ring_record *head, const struct slice *part,
    unsigned nparts, size_t reserve)
{
	uint64_t at = r->batches ? r->made
				 : atomic_load_explicit(
				       &r->s->head, memory_order_relaxed);
	size_t size = 0;
	uint8_t *to;

	for (unsigned i = 0; i < nparts; i++)
		size += part[i].len;
	if (size > RING_RECORD_MAX)
		return false;
	head->size = (uint32_t)size;
	head->put = r->batches ? 0 : ring_now_ms();
	to = place(r, whole(head->size), reserve, &at);
	if (to == NULL)
		return false;
	memcpy(to, head, sizeof(*head));
	to += sizeof(*head);
	for (unsigned i = 0; i < nparts; i++) {
		if (part[i].len > 0)
			memcpy(to, part[i].p, part[i].len);
		to += part[i].len;
	}
	put_up_to(r, at + whole(head->size));
	return true;
}

/* For a writer that had none. */
static bool
has_room(const struct ring *r)
{
	return r->batches && ring_used(r) <= r->size / 2;
}

void
ring_wake_reader(struct ring *r)
{
	ring_show(r);
	if (atomic_load(&r->s->reader_sleeps))
		wake_fd_signal(r->data_fd);
}

void
ring_wait_room(struct ring *r, int ms)
{
	ring_wake_reader(r);
	atomic_store(&r->s->writer_sleeps, 1);
	if (!has_room(r))
		wake_fd_wait(r->room_fd, ms);
	atomic_store(&r->s->writer_sleeps, 0);
	wake_fd_clear(r->room_fd);
}

void
ring_set_mark(struct ring *r, const struct ring_key *mark)
{
	struct shared *s = r->s;
	/* odd already where the writer before died in here */
	uint32_t writing = atomic_load(&s->mark_lock) | 1;

	ring_show(r);
	atomic_store(&s->mark_lock, writing);
	atomic_thread_fence(memory_order_release);
	s->mark = *mark;
	atomic_store(&s->mark_lock, writing + 1);
	if (!r->batches && atomic_load(&s->reader_sleeps))
		wake_fd_signal(r->data_fd);
}

/* ---- the reader ---- */

/* Nothing in there can be believed any more. */
static void
drop_all(struct ring *r)
{
	r->taken = r->said = atomic_load(&r->s->head);
	atomic_fetch_add(&r->s->broken, 1);
	atomic_store(&r->s->tail, r->taken);
}

/* In batches: there is room up to here. */
static void
say_taken(struct ring *r)
{
	r->said = r->taken;
	atomic_store(&r->s->tail, r->taken);
	if (atomic_load(&r->s->writer_sleeps) && has_room(r))
		wake_fd_signal(r->room_fd);
}

/* How far the writer is, or was not long ago. */
static uint64_t
end_of(struct ring *r, uint64_t tail)
{
	if (!r->batches || r->known_head == tail)
		r->known_head =
		    atomic_load_explicit(&r->s->head, memory_order_acquire);
	return r->known_head;
}

/* Fillers are stepped over. False: nothing there. */
static bool
find_next(struct ring *r, uint64_t *tail, struct ring_record *head)
{
	uint64_t end = end_of(r, *tail);

	while (*tail != end) {
		size_t at = *tail & (r->size - 1), left = r->size - at;

		if (end - *tail > r->size || (*tail & (ALIGN - 1)) != 0) {
			drop_all(r);
			return false;
		}
		if (left < sizeof(*head)) {
			*tail += left;
			continue;
		}
		memcpy(head, r->s->bytes + at, sizeof(*head));
		if (head->size > r->size || whole(head->size) > left ||
		    whole(head->size) > end - *tail ||
		    (head->type != FILLER && head->size > RING_RECORD_MAX)) {
			drop_all(r);
			return false;
		}
		if (head->type != FILLER)
			return true;
		*tail += left;
	}
	return false;
}

const uint8_t *
ring_look(struct ring *r, struct ring_record *head)
{
	uint64_t tail = r->batches ? r->taken
				   : atomic_load_explicit(
					 &r->s->tail, memory_order_relaxed);
	uint64_t start = tail;

	if (!find_next(r, &tail, head)) {
		r->known_head = r->taken; /* to be looked at again */
		if (r->batches && r->said != r->taken)
			say_taken(r);
		return NULL;
	}
	r->peeked = (uint32_t)(tail - start + whole(head->size));
	if (r->batches)
		fetch(r, tail + whole(head->size), r->known_head, false);
	return r->s->bytes + (tail & (r->size - 1)) + sizeof(*head);
}

bool
ring_peek(struct ring *r, struct ring_record *head, uint8_t *buf)
{
	const uint8_t *bytes = ring_look(r, head);

	if (bytes == NULL)
		return false;
	memcpy(buf, bytes, head->size);
	return true;
}

void
ring_take(struct ring *r)
{
	uint32_t n = r->peeked;

	r->peeked = 0;
	if (r->batches) {
		r->taken += n;
		if (r->taken - r->said >= r->size / SAYINGS)
			say_taken(r);
		return;
	}
	atomic_fetch_add(&r->s->tail, n);
	if (atomic_load(&r->s->writer_sleeps))
		wake_fd_signal(r->room_fd);
}

void
ring_mark(const struct ring *r, struct ring_key *mark)
{
	struct shared *s = r->s;
	uint32_t before;

	for (int i = 0; i < 1000; i++) {
		before = atomic_load(&s->mark_lock);
		*mark = s->mark;
		atomic_thread_fence(memory_order_acquire);
		if ((before & 1) == 0 && atomic_load(&s->mark_lock) == before)
			return;
	}
	memset(mark, 0, sizeof(*mark)); /* its writer died in it */
}

int
ring_data_fd(const struct ring *r)
{
	return r->data_fd;
}

int
ring_room_fd(const struct ring *r)
{
	return r->room_fd;
}

bool
ring_sleep(struct ring *r)
{
	atomic_store(&r->s->reader_sleeps, 1);
	return atomic_load(&r->s->head) ==
	       (r->batches ? r->taken : atomic_load(&r->s->tail));
}

void
ring_wake(struct ring *r)
{
	atomic_store(&r->s->reader_sleeps, 0);
	wake_fd_clear(r->data_fd);
}

size_t
ring_used(const struct ring *r)
{
	return (size_t)(atomic_load(&r->s->head) - atomic_load(&r->s->tail));
}

size_t
ring_size(const struct ring *r)
{
	return r->size;
}

uint64_t
ring_broken(const struct ring *r)
{
	return atomic_load(&r->s->broken);
}
