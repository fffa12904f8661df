/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request, one answer, in the order in which they come: what completes a
 * chain depends on the chains before it.
 */
#include "sensor/verifier_process.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sensor/verify.h"

/* Lengths come from the judge, and are not believed either. */
static unsigned
parts_of(const struct verify_request *q, const uint8_t *p, size_t len,
    struct slice part[X509_CHAIN_MAX])
{
	if (q->count > X509_CHAIN_MAX)
		return 0;
	for (uint32_t i = 0; i < q->count; i++) {
		if (q->len[i] > len)
			return 0;
		part[i] = (struct slice){p, q->len[i]};
		p += q->len[i];
		len -= q->len[i];
	}
	return q->count;
}

static const struct chain_verdict *
answer(struct verifier *v, const struct verify_request *q,
    const struct slice *part, unsigned n)
{
	switch (q->what) {
	case VERIFY_CHAIN:
		return verifier_chain(v, q->chain_id, part, n);
	case VERIFY_STAPLE:
		if (n == 1)
			(void)verifier_staple(
			    v, q->chain_id, part[0], q->seconds);
		return verifier_lookup(v, q->chain_id);
	case VERIFY_KNOW:
		if (n == 1)
			verifier_know(v, part[0]);
		return NULL;
	default:
		return NULL;
	}
}

/* All that is not the verdicts is OpenSSL's. */
static void
publish(const struct verifier *v, struct verifier_board *b)
{
	struct table_use known = verifier_known(v);

	if (b == NULL)
		return;
	b->memory[MEM_VERDICTS] = verifier_verdicts(v);
	known.bytes = memory_heap() - b->memory[MEM_VERDICTS].bytes;
	b->memory[MEM_TRUST] = known;
	b->memory[MEM_HEAP_FREE] = memory_heap_free();
}

void
verifier_process_serve(struct verifier *v, int fd, struct verifier_board *board)
{
	static uint8_t buf[VERIFY_MESSAGE_MAX];
	static struct verify_answer a;
	struct slice part[X509_CHAIN_MAX];
	struct verify_request q;
	const struct chain_verdict *found;
	ssize_t got;

	publish(v, board);
	for (;;) {
		got = recv(fd, buf, sizeof(buf), 0);
		if (got == -1 && errno == EINTR)
			continue;
		if (got < (ssize_t)sizeof(q))
			return;
		memcpy(&q, buf, sizeof(q));
		found = answer(v, &q, part,
		    parts_of(
			&q, buf + sizeof(q), (size_t)got - sizeof(q), part));
		if (q.what == VERIFY_KNOW)
			continue;
		memset(&a, 0, sizeof(a));
		a.number = q.number;
		a.known = found != NULL;
		if (found != NULL)
			a.verdict = *found;
		if (send(fd, &a, sizeof(a), MSG_NOSIGNAL) != (ssize_t)sizeof(a))
			return;
		publish(v, board);
	}
}
