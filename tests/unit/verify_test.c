/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's end of the socket to a verifier: answers, and none. */
#include "sensor/verify.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/test.h"

static const uint8_t id[32] = {1, 2, 3};
static const struct slice der[1] = {{(const uint8_t *)"x", 1}};

struct ends {
	int other;
	unsigned calls;
};

/* What must not wait is called while there is no answer; then the verifier
 * dies. */
static void
hang_up(void *ctx)
{
	struct ends *e = ctx;

	if (++e->calls == 3)
		(void)shutdown(e->other, SHUT_RDWR);
}

TEST(a_verifier_that_hangs_stops_nothing_else)
{
	struct ends e = {-1, 0};
	struct verify *v;
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	e.other = pair[1];
	v = verify_remote(pair[0]);
	verify_on_wait(v, hang_up, &e);
	verify_chain(v, id, der, 1);
	CHECK_INT(e.calls, 3);
	CHECK(verify_lookup(v, id) == NULL);
	CHECK_INT(verify_unanswered(v), 1);
	verify_free(v);
	close(pair[1]);
}

/* The answer waits already: question 1 is the first. */
TEST(an_answer_is_kept_and_counted)
{
	static struct verify_answer a = {.number = 1, .known = 1};
	struct ends e = {-1, 0};
	struct verify *v;
	uint64_t empty;
	int pair[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	v = verify_remote(pair[0]);
	verify_on_wait(v, hang_up, &e);
	empty = verify_use(v).bytes;
	memcpy(a.verdict.chain_id, id, sizeof(id));
	CHECK_INT(send(pair[1], &a, sizeof(a), 0), sizeof(a));
	verify_chain(v, id, der, 1);
	CHECK(verify_lookup(v, id) != NULL);
	CHECK_INT(e.calls, 0);
	CHECK_INT(verify_use(v).entries, 1);
	CHECK_INT(verify_use(v).max_entries, VERIFIER_CACHE);
	CHECK(verify_use(v).bytes > empty &&
	      verify_use(v).bytes < verify_use(v).max_bytes);
	verify_forget(v);
	CHECK_INT(verify_use(v).bytes, empty);
	verify_free(v);
	close(pair[1]);
}

TEST_MAIN
