/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets from one process to another: all of them, in order, whatever the
 * pace; room is found again; who sleeps is woken; and who takes cannot write
 * where frames lie.
 */
#include "sensor/handout.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sensor/frame_blocks.h"
#include "tests/test.h"

#define MANY (HANDOUT_SLOTS * 5u + 7)

static struct handout *
make(void)
{
	char err[200];
	struct handout *h = handout_new(err, sizeof(err));

	CHECK(h != NULL);
	return h;
}

static void
put(struct handout *h, uint64_t ordinal)
{
	struct handed *s = handout_slot(h);

	CHECK(s != NULL);
	if (s == NULL)
		return;
	memset(s, 0, sizeof(*s));
	s->pkt.ordinal = ordinal;
	handout_add(h);
}

TEST(what_is_added_is_seen_when_it_is_shown_and_in_order)
{
	struct handout *h = make();
	struct handed *s;

	for (uint64_t i = 0; i < 100; i++)
		put(h, i);
	CHECK(handout_next(h) == NULL);
	handout_show(h, false);
	for (uint64_t i = 0; i < 100; i++) {
		s = handout_next(h);
		CHECK(s != NULL && s->pkt.ordinal == i);
	}
	CHECK(handout_next(h) == NULL);
	CHECK(!handout_is_past(h, 1)); /* all are looked at still */
	for (uint64_t i = 0; i < 99; i++)
		handout_done(h);
	CHECK(handout_next(h) == NULL); /* it is said now, at the latest */
	CHECK(handout_is_past(h, 99));
	CHECK(!handout_is_past(h, 100));
	handout_done(h);
	CHECK(handout_next(h) == NULL);
	CHECK(handout_is_past(h, 100));
	handout_free(h);
}

TEST(a_full_queue_has_no_room_until_some_are_taken)
{
	struct handout *h = make();

	for (uint64_t i = 0; i < HANDOUT_SLOTS; i++)
		put(h, i);
	CHECK(handout_slot(h) == NULL);
	handout_show(h, true);
	for (uint64_t i = 0; i < HANDOUT_SLOTS; i++)
		CHECK(handout_next(h)->pkt.ordinal == i);
	CHECK(handout_next(h) == NULL);
	CHECK(handout_slot(h) == NULL);
	handout_done(h);
	CHECK(handout_next(h) == NULL);
	CHECK(handout_slot(h) != NULL);
	CHECK_INT(handout_added(h), HANDOUT_SLOTS);
	handout_free(h);
}

static void
take_all(struct handout *h)
{
	struct handed *s;

	for (uint64_t n = 0; n < MANY;) {
		s = handout_next(h);
		if (s == NULL)
			handout_sleep(h, 3600000);
		else if (s->pkt.ordinal != n++)
			_exit(1);
		else
			handout_done(h);
	}
	(void)handout_next(h);
	_exit(0);
}

/* Neither side would go on within the time that it is ready to wait. */
TEST(both_sides_are_woken)
{
	struct handout *h = make();
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		take_all(h);
	for (uint64_t i = 0; i < MANY; i++) {
		while (handout_slot(h) == NULL) {
			handout_show(h, true);
			handout_wait(
			    h, handout_added(h) - HANDOUT_SLOTS / 2, 3600000);
		}
		put(h, i);
	}
	handout_show(h, true);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	CHECK(handout_is_past(h, MANY));
	handout_free(h);
}

TEST(frames_are_seen_by_others_who_cannot_write_there)
{
	char err[200];
	struct frame_blocks *b = frame_blocks_new(err, sizeof(err));
	uint8_t *p = b == NULL ? NULL : frame_blocks_at(b, BLOCKS - 1);
	int status = -1;
	pid_t pid;

	CHECK(p != NULL);
	if (p == NULL)
		return;
	pid = fork();
	if (pid == 0) {
		if (frame_blocks_read_only(b) == -1 ||
		    mprotect(p, BLOCK_BYTES, PROT_READ | PROT_WRITE) == 0)
			_exit(1);
		while (*(volatile uint8_t *)p != 7)
			(void)usleep(1000);
		signal(SIGSEGV, SIG_DFL);
		*(volatile uint8_t *)p = 8;
		_exit(2);
	}
	p[0] = 7; /* who made it still can */
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK_INT(p[0], 7);
	frame_blocks_free(b);
}

TEST_MAIN
