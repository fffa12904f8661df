/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Verdicts are kept in a table of sets, a set of four places for each hash;
 * the one not asked for longest goes.
 */
#include "sensor/verify.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define WAYS 4
#define SETS (VERIFIER_CACHE / WAYS)
#define WAKE_MS 100 /* between calls of on_wait */

struct place {
	struct chain_verdict *verdict; /* NULL: free */
	uint64_t used;
};

struct verify {
	struct verifier *own; /* NULL: remote */
	int fd;
	uint32_t number;
	uint64_t clock, unanswered;
	struct place *places; /* SETS * WAYS */
	void (*on_wait)(void *ctx);
	void *wait_ctx;
	struct verify_answer answer;
};

struct verify *
verify_inline(struct verifier *own)
{
	struct verify *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->own = own;
	v->fd = -1;
	return v;
}

struct verify *
verify_remote(int fd)
{
	struct verify *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->fd = fd;
	v->places = calloc(SETS * WAYS, sizeof(*v->places));
	if (v->places == NULL) {
		free(v);
		return NULL;
	}
	return v;
}

void
verify_free(struct verify *v)
{
	if (v == NULL)
		return;
	for (unsigned i = 0; v->places != NULL && i < SETS * WAYS; i++)
		free(v->places[i].verdict);
	free(v->places);
	if (v->fd != -1)
		(void)close(v->fd);
	free(v);
}

void
verify_reconnect(struct verify *v, int fd)
{
	if (v->fd != -1)
		(void)close(v->fd);
	v->fd = fd;
}

void
verify_on_wait(struct verify *v, void (*fn)(void *ctx), void *ctx)
{
	v->on_wait = fn;
	v->wait_ctx = ctx;
}

void
verify_forget(struct verify *v)
{
	for (unsigned i = 0; v->places != NULL && i < SETS * WAYS; i++) {
		free(v->places[i].verdict);
		v->places[i] = (struct place){NULL, 0};
	}
}

uint64_t
verify_unanswered(const struct verify *v)
{
	return v->unanswered;
}

/* ---- what was answered before ---- */

static struct place *
set_of(const struct verify *v, const uint8_t id[32])
{
	uint32_t h;

	memcpy(&h, id, sizeof(h)); /* a hash by itself */
	return v->places + (size_t)(h % SETS) * WAYS;
}

static struct place *
find(const struct verify *v, const uint8_t id[32])
{
	struct place *p = set_of(v, id);

	for (unsigned i = 0; i < WAYS; i++)
		if (p[i].verdict != NULL &&
		    memcmp(p[i].verdict->chain_id, id, 32) == 0)
			return &p[i];
	return NULL;
}

static void
keep(struct verify *v, const struct chain_verdict *verdict)
{
	struct place *p = find(v, verdict->chain_id), *set;

	if (p == NULL) {
		p = set = set_of(v, verdict->chain_id);
		for (unsigned i = 1; i < WAYS; i++)
			if (set[i].used < p->used)
				p = &set[i];
	}
	if (p->verdict == NULL)
		p->verdict = malloc(sizeof(*p->verdict));
	if (p->verdict == NULL)
		return;
	*p->verdict = *verdict;
	p->used = ++v->clock;
}

/* ---- asking ---- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool
send_request(
    struct verify *v, struct verify_request *q, const struct slice *part)
{
	struct iovec io[1 + X509_CHAIN_MAX] = {{q, sizeof(*q)}};
	struct msghdr m = {.msg_iov = io, .msg_iovlen = 1 + q->count};
	size_t total = sizeof(*q);

	q->number = ++v->number;
	for (uint32_t i = 0; i < q->count; i++) {
		io[1 + i] = (struct iovec){(void *)part[i].p, part[i].len};
		q->len[i] = (uint32_t)part[i].len;
		total += part[i].len;
	}
	return total <= VERIFY_MESSAGE_MAX && v->fd != -1 &&
	       sendmsg(v->fd, &m, MSG_NOSIGNAL) == (ssize_t)total;
}

/* Years 0 to 9999, as X.509 can write them: spans of these do not overflow. */
static void
check_date(int64_t *seconds)
{
	const int64_t first = INT64_C(-62167219200), last = 253402300799;

	*seconds = *seconds < first ? first : *seconds > last ? last : *seconds;
}

/* Strings from a process that may have been taken over end somewhere, and so
 * do dates. */
static void
close_strings(struct chain_verdict *c)
{
	struct x509_facts *f = &c->leaf;

#define CLOSE(s) (s)[sizeof(s) - 1] = '\0'
	CLOSE(c->interceptor_name);
	CLOSE(c->error);
	CLOSE(f->subject);
	CLOSE(f->issuer);
	CLOSE(f->common_name);
	CLOSE(f->serial);
	CLOSE(f->sig_name);
	CLOSE(f->names);
#undef CLOSE
	check_date(&f->not_before);
	check_date(&f->not_after);
	check_date(&c->valid_from);
	check_date(&c->valid_to);
	if (c->count > X509_CHAIN_MAX)
		c->count = X509_CHAIN_MAX;
}

/* False: none came, or there is no verdict. */
static bool
wait_answer(struct verify *v, const struct verify_request *q)
{
	int64_t until = now_ms() + VERIFY_WAIT_MS, left;
	struct pollfd p = {.fd = v->fd, .events = POLLIN};
	struct verify_answer *a = &v->answer;

	while ((left = until - now_ms()) > 0) {
		int n = poll(&p, 1, left < WAKE_MS ? (int)left : WAKE_MS);

		if (n == 0 && v->on_wait != NULL)
			v->on_wait(v->wait_ctx);
		if (n <= 0)
			continue;
		if (recv(v->fd, a, sizeof(*a), MSG_DONTWAIT) !=
		    (ssize_t)sizeof(*a))
			break; /* it died */
		if (a->number != q->number)
			continue; /* too late for an earlier question */
		close_strings(&a->verdict);
		return a->known &&
		       memcmp(a->verdict.chain_id, q->chain_id, 32) == 0;
	}
	v->unanswered++;
	return false;
}

static void
ask(struct verify *v, struct verify_request *q, const struct slice *part)
{
	if (!send_request(v, q, part)) {
		v->unanswered++;
		return;
	}
	if (q->what != VERIFY_KNOW && wait_answer(v, q))
		keep(v, &v->answer.verdict);
}

void
verify_chain(struct verify *v, const uint8_t chain_id[32],
    const struct slice *der, unsigned n)
{
	struct verify_request q = {.what = VERIFY_CHAIN,
	    .count = n <= X509_CHAIN_MAX ? n : X509_CHAIN_MAX};

	if (v->own != NULL) {
		(void)verifier_chain(v->own, chain_id, der, n);
		return;
	}
	if (find(v, chain_id) != NULL)
		return;
	memcpy(q.chain_id, chain_id, 32);
	ask(v, &q, der);
}

void
verify_staple(struct verify *v, const uint8_t chain_id[32],
    struct slice response, int64_t seconds)
{
	struct verify_request q = {
	    .what = VERIFY_STAPLE, .seconds = seconds, .count = 1};

	if (v->own != NULL) {
		(void)verifier_staple(v->own, chain_id, response, seconds);
		return;
	}
	memcpy(q.chain_id, chain_id, 32);
	ask(v, &q, &response);
}

void
verify_know(struct verify *v, struct slice der)
{
	struct verify_request q = {.what = VERIFY_KNOW, .count = 1};

	if (v->own != NULL)
		verifier_know(v->own, der);
	else
		ask(v, &q, &der);
}

const struct chain_verdict *
verify_lookup(struct verify *v, const uint8_t chain_id[32])
{
	struct place *p;

	if (v->own != NULL)
		return verifier_lookup(v->own, chain_id);
	p = find(v, chain_id);
	if (p == NULL)
		return NULL;
	p->used = ++v->clock;
	return p->verdict;
}

struct table_use
verify_use(const struct verify *v)
{
	uint64_t held = 0;

	if (v->own != NULL)
		return verifier_verdicts(v->own);
	for (unsigned i = 0; v->places != NULL && i < SETS * WAYS; i++)
		held += v->places[i].verdict != NULL;
	return table_use(held, SETS * WAYS, sizeof(struct chain_verdict),
	    SETS * WAYS * sizeof(*v->places));
}
