/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection asleep is one block: struct conn, and its decoder, packed byte
 * by byte. Much of struct conn says the same again: numbers and times are
 * replaced by how far they are from what they mostly are (struct follows), so
 * that most of their bytes are zero. Then what it has in common with the first
 * of its kind that rested is left out: the same router, the same options. Both
 * are undone in reverse order; no value is lost by it, whatever it is.
 */
#include "sensor/conn_rest.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/pack.h"
#include "sensor/conn.h"

#define STEPS 64 /* of a walk over the table, at most */
#define WORDS (sizeof(struct conn) / 8)
#define ROOM_MAX (PACK_BYTES_ROOM(WORDS) + MAIL_PACKED_MAX)

static_assert(sizeof(struct conn) % 8 == 0, "words");

struct conn_asleep {
	uint64_t number; /* of the connection */
	uint16_t len; /* of bytes */
	uint8_t kind; /* enum kind */
	bool decoded; /* its decoder comes behind it */
	uint8_t bytes[];
};

enum kind { KIND_HALF, KIND_SILENT, KIND_MAIL, KIND_OPAQUE, KINDS };

struct likeness { /* the first of each kind, once there was one */
	struct conn conn[KINDS]; /* as take_away() leaves it */
	struct mail *mail;
	bool has[KINDS], has_mail;
};

struct follows { /* the field at .at is mostly that at .of, and .add more */
	uint16_t at, of; /* NOTHING: 0 */
	int8_t add;
	uint8_t size;
};

#define NOTHING UINT16_MAX
#define AT(field) offsetof(struct conn, field)
#define SAME(a, b, more)                                 \
	{                                                \
		.at = AT(a), .of = AT(b), .add = (more), \
		.size = sizeof(((struct conn *)NULL)->a) \
	}
#define OF_DIR(i)                                                    \
	SAME(norm.d[i].since, last, 0), SAME(ev.d[i].last, last, 0), \
	    SAME(norm.d[i].edge, norm.d[i].acked, 0),                \
	    SAME(norm.d[i].acked, norm.d[i].next, 0),                \
	    SAME(norm.d[i].done, norm.d[i].next, 0),                 \
	    SAME(norm.d[i].top, norm.d[i].next, 0),                  \
	    {AT(norm.d[i].fin_at), NOTHING, -1, 8},                  \
	    SAME(ev.d[i].edge, ev.d[i].ack, 0),                      \
	    SAME(ev.d[i].ack, norm.d[!(i)].base, 0),                 \
	    SAME(ev.d[i].next, norm.d[i].base, 0),                   \
	    SAME(ev.rest[i].isn, norm.d[i].base, -1),                \
	    SAME(ev.rest[i].mark.seq, norm.d[i].base, -1),           \
	    SAME(ev.rest[i].mark.ack, norm.d[!(i)].base, 0),         \
	    SAME(ev.rest[i].mark.time, start, 0)

/* What a row refers to is changed by none before it. */
static const struct follows rows[] = {
    OF_DIR(0),
    OF_DIR(1),
    SAME(ev.rest[1].mark.ordinal, ev.rest[0].mark.ordinal, 0),
    SAME(ev.rest[1].mark.frame_no, ev.rest[0].mark.frame_no, 0),
    SAME(last_obs, last, 0),
    SAME(last, start, 0),
};
#define NROWS (sizeof(rows) / sizeof(rows[0]))

static uint64_t
load(const uint8_t *p, unsigned size)
{
	uint64_t v64;
	uint32_t v32;

	if (size == 8) {
		memcpy(&v64, p, 8);
		return v64;
	}
	memcpy(&v32, p, 4);
	return v32;
}

static void
store(uint8_t *p, unsigned size, uint64_t v)
{
	uint32_t v32 = (uint32_t)v;

	if (size == 8)
		memcpy(p, &v, 8);
	else
		memcpy(p, &v32, 4);
}

static inline uint64_t
expected(const uint8_t *c, const struct follows *f)
{
	uint64_t of = f->of == NOTHING ? 0 : load(c + f->of, f->size);

	return of + (uint64_t)(int64_t)f->add;
}

static void
take_away(struct conn *conn)
{
	uint8_t *c = (uint8_t *)conn;

	for (const struct follows *f = rows; f < rows + NROWS; f++)
		store(c + f->at, f->size,
		    load(c + f->at, f->size) - expected(c, f));
}

static void
put_back(struct conn *conn)
{
	uint8_t *c = (uint8_t *)conn;

	for (const struct follows *f = rows + NROWS; f-- > rows;)
		store(c + f->at, f->size,
		    load(c + f->at, f->size) + expected(c, f));
}

/* ---- asleep and awake ---- */

static bool
may_sleep(const struct tracker *t, const struct conn *c)
{
	return c->norm.wait == NULL && c->norm.fins == NULL &&
	       c->early == NULL && c->again == NULL && !c->closed &&
	       !c->reset[0] && !c->reset[1] && !c->dead && !c->mute &&
	       evidence_may_sleep(&c->ev, t->rest.always, t->now) &&
	       (c->mail == NULL || mail_may_rest(c->mail));
}

static enum kind
kind_of(const struct conn *c)
{
	if (c->state == CONN_HALF)
		return KIND_HALF;
	if (c->use == USE_UNDECIDED)
		return KIND_SILENT;
	return c->mail != NULL ? KIND_MAIL : KIND_OPAQUE;
}

static size_t
pack_conn(uint8_t *room, struct likeness *like, enum kind k, struct conn *c)
{
	struct conn mine = *c;

	mine.mail = NULL;
	mine.number = 0;
	take_away(&mine);
	if (!like->has[k])
		like->conn[k] = mine;
	like->has[k] = true;
	return pack_bytes(room, &mine, &like->conn[k], WORDS);
}

static size_t
pack_mail(uint8_t *room, struct likeness *like, const struct mail *m)
{
	if (!like->has_mail)
		mail_like(like->mail, m);
	like->has_mail = true;
	return mail_pack(room, m, like->mail);
}

/* NULL: no memory. The connection stays as it is. */
static struct conn_asleep *
pack(struct likeness *like, struct conn *c)
{
	enum kind k = kind_of(c);
	uint8_t room[ROOM_MAX];
	struct conn_asleep *a;
	size_t len = pack_conn(room, like, k, c);

	if (c->mail != NULL)
		len += pack_mail(room + len, like, c->mail);
	a = malloc(sizeof(*a) + len);
	if (a == NULL)
		return NULL;
	*a = (struct conn_asleep){.number = c->number,
	    .len = (uint16_t)len,
	    .kind = (uint8_t)k,
	    .decoded = c->mail != NULL};
	memcpy(a->bytes, room, len);
	return a;
}

void
rest_sleep(struct tracker *t, uint32_t slot)
{
	struct flow *f = flow_at(t->flows, slot);
	struct conn *c = f->conn;
	struct conn_asleep *a;

	if (!f->used || f->rests || c == NULL || !may_sleep(t, c))
		return;
	evidence_sleep(t->evidence, &c->ev, t->rest.always);
	a = pack(t->rest.like, c);
	if (a == NULL) {
		evidence_wake(&c->ev);
		return;
	}
	timers_set_tie(
	    t->timers, slot, conn_idle_deadline(c), (uint32_t)c->number);
	t->rest.asleep++;
	t->rest.bytes += table_alloc(sizeof(*a) + a->len);
	f->asleep = a;
	f->rests = true;
	if (c->mail != NULL)
		mails_rest(t->mails, c->mail);
	pool_put(t->conns, c);
}

static void
free_asleep(struct tracker *t, struct flow *f)
{
	t->rest.asleep--;
	t->rest.bytes -= table_alloc(sizeof(*f->asleep) + f->asleep->len);
	free(f->asleep);
	f->asleep = NULL;
	f->rests = false;
}

/* Returns false without memory for it. */
static bool
unpack(struct tracker *t, struct conn *c, const struct conn_asleep *a)
{
	struct mail *mail = a->decoded ? mails_wake(t->mails) : NULL;
	const struct likeness *like = t->rest.like;
	size_t n;

	if (a->decoded && mail == NULL)
		return false;
	n = unpack_bytes(c, &like->conn[a->kind], WORDS, a->bytes);
	put_back(c);
	if (mail != NULL)
		mail_unpack(mail, t->env, like->mail, a->bytes + n);
	c->mail = mail;
	c->number = a->number;
	return true;
}

struct conn *
rest_wake(struct tracker *t, uint32_t slot)
{
	struct flow *f = flow_at(t->flows, slot);
	struct conn *c;

	if (!f->rests)
		return f->conn;
	c = pool_get(t->conns);
	if (c != NULL && !unpack(t, c, f->asleep)) {
		pool_put(t->conns, c);
		c = NULL;
	}
	free_asleep(t, f);
	f->conn = c;
	if (c == NULL) {
		t->n.evicted++;
		flow_set_age(t->flows, slot, FLOW_PASSED);
		return NULL;
	}
	evidence_wake(&c->ev);
	return c;
}

uint64_t
rest_number(const struct conn_asleep *a)
{
	return a->number;
}

bool
rest_is_decoded(const struct conn_asleep *a)
{
	return a->decoded;
}

/* ---- who rests ---- */

int
rest_init(struct conn_rest *r, int64_t after)
{
	r->few = after == 0 ? REST_FEW : 0;
	r->few_young = after == 0 ? REST_YOUNG : 0;
	r->after = after > 0 ? after : REST_AFTER;
	r->always = after == REST_ALWAYS;
	memset(r->young, 0xff, sizeof(r->young));
	r->like = calloc(1, sizeof(*r->like));
	if (r->like == NULL)
		return -1;
	r->like->mail = calloc(1, mail_size());
	return r->like->mail != NULL ? 0 : -1;
}

void
rest_fini(struct conn_rest *r)
{
	if (r->like != NULL)
		free(r->like->mail);
	free(r->like);
}

static bool
are_few(const struct tracker *t)
{
	return pool_used(t->conns) <= t->rest.few;
}

/* How far the walk goes now, to be round once in a time of rest. */
static uint32_t
stride(const struct conn_rest *r, int64_t now, uint32_t high)
{
	int64_t since = now - r->walked;

	if (since < 0 || since > r->after)
		return high; /* the clock was set, or the input is sparse */
	return (uint32_t)(since / (r->after / STEPS) * high / STEPS);
}

void
rest_walk(struct tracker *t)
{
	struct conn_rest *r = &t->rest;
	uint32_t high = flow_high(t->flows), n = stride(r, t->now, high);
	uint32_t after = (uint32_t)(r->after >> TRACKER_CLOCK_UNIT);
	uint32_t now = tracker_clock(t, t->now);

	if (n == 0)
		return;
	r->walked = t->now;
	for (; n > 0 && !are_few(t); n--) {
		const struct flow *f;

		r->hand = r->hand + 1 < high ? r->hand + 1 : 0;
		f = flow_at(t->flows, r->hand);
		if (f->used && !f->rests && f->conn != NULL &&
		    (int32_t)(now - f->last - after) >= 0)
			rest_sleep(t, r->hand);
	}
}

void
rest_add_young(struct tracker *t, uint32_t slot)
{
	struct conn_rest *r = &t->rest;
	uint32_t *turn = &r->young[r->nyoung++ % REST_YOUNG], old = *turn;
	const struct flow *f;

	*turn = slot;
	if (old == FLOW_NONE || old == slot ||
	    flow_young(t->flows) <= r->few_young)
		return;
	f = flow_at(t->flows, old);
	if (f->used && f->age == FLOW_YOUNG && !f->rests && f->conn != NULL &&
	    f->conn->state == CONN_HALF)
		rest_sleep(t, old);
}
