/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A connection asleep is one block: struct conn, and its decoder, packed byte
 * by byte. Much of struct conn says the same again: numbers and times are
 * replaced by how far they are from what they mostly are (struct follows), so
 * that most of their bytes are zero; so is what the flow table has as well. Then what it has in common with the first
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

#define ROOM_OF(len) (offsetof(struct conn_asleep, bytes) + (len))

static_assert(ROOM_OF(ROOM_MAX) <= BLOCKS_MAX, "a block");

enum kind { KIND_HALF, KIND_SILENT, KIND_MAIL, KIND_OPAQUE, KINDS };

struct likeness { /* the first of each kind, once there was one */
	struct conn conn[KINDS]; /* as take_away() leaves it */
	struct mail *mail;
	bool has[KINDS], has_mail;
};

/* The field at .at is mostly that at .of, and that at .plus, and .add more. */
struct follows {
	uint16_t at, of, plus; /* NOTHING: 0 */
	int8_t add;
	uint8_t size;
};

#define NOTHING UINT16_MAX
#define AT(field) offsetof(struct conn, field)
#define SUM(a, b, c, more)                                            \
	{                                                             \
		.at = AT(a), .of = AT(b), .plus = (c), .add = (more), \
		.size = sizeof(((struct conn *)NULL)->a)              \
	}
#define SAME(a, b, more) SUM(a, b, NOTHING, more)
/* First what both have of each other. */
#define OF_BOTH(i)                                                          \
	SAME(ev.d[i].edge, ev.d[i].ack, 0),                                 \
	    SUM(ev.d[i].ack, norm.d[!(i)].base, AT(norm.d[!(i)].acked), 0), \
	    SUM(ev.d[i].next, norm.d[i].base, AT(norm.d[i].next), 0)
#define OF_DIR(i)                                                       \
	SAME(norm.d[i].since, last, 0), SAME(ev.d[i].last, last, 0),    \
	    SAME(norm.d[i].edge, norm.d[i].acked, 0),                   \
	    SAME(norm.d[i].acked, norm.d[i].next, 0),                   \
	    SAME(norm.d[i].done, norm.d[i].next, 0),                    \
	    SAME(norm.d[i].top, norm.d[i].next, 0),                     \
	    {AT(norm.d[i].fin_at), NOTHING, NOTHING, -1, 8},            \
	    SAME(ev.rest[i].isn, norm.d[i].base, -1),                   \
	    SAME(ev.rest[i].mark.seq, norm.d[i].base, -1),              \
	    SAME(ev.rest[i].mark.frame_no, ev.rest[i].mark.ordinal, 0), \
	    SAME(ev.rest[i].mark.time, start, 0)

/* What a row refers to is changed by none before it. */
static const struct follows rows[] = {
    OF_BOTH(0),
    OF_BOTH(1),
    OF_DIR(0),
    OF_DIR(1),
    SAME(ev.rest[DIR_S2C].mark.ack, norm.d[DIR_C2S].base, 0),
    SAME(ev.rest[1].mark.ordinal, ev.rest[0].mark.ordinal, 0),
    SAME(packets[1], packets[0], 0),
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
	uint64_t plus = f->plus == NOTHING ? 0 : load(c + f->plus, f->size);

	return of + plus + (uint64_t)(int64_t)f->add;
}

#define HEADERS 66 /* bytes: Ethernet, IPv4, TCP with timestamps */

/* What follows from several fields. While nothing is decoded any more, what
 * the client said last that was decoded was the last observation. */
static void
take_sums(struct conn *c, bool back)
{
	uint64_t sign = back ? (uint64_t)-1 : 1;

	for (unsigned i = 0; i < 2; i++)
		c->frame_bytes[i] -=
		    (c->norm.d[i].next + HEADERS * c->packets[i]) * sign;
	if (c->use == USE_OPAQUE)
		c->norm.d[DIR_C2S].since = pack_less(c->norm.d[DIR_C2S].since,
		    back ? pack_less(c->last, c->last_obs)
			 : pack_less(c->last_obs, c->last));
}

/* What is mostly like that in the flow table, or the number: how far it is from
 * that, or what is that far from it. */
static void
take_flow(struct conn *c, const struct flow *f, uint32_t slot, bool back)
{
	uint32_t sign = back ? (uint32_t)-1 : 1;
	uint32_t ports = f->key.ports;
	uint16_t a = (uint16_t)(ports >> 16), b = (uint16_t)ports;

	c->norm.slot -= slot * sign;
	c->ev.slot -= slot * sign;
	c->norm.generation -= (uint32_t)c->number * sign;
	c->port[f->client_is_b] =
	    (uint16_t)(c->port[f->client_is_b] - a * sign);
	c->port[!f->client_is_b] =
	    (uint16_t)(c->port[!f->client_is_b] - b * sign);
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

/* c: a copy. */
static size_t
pack_conn(uint8_t *room, struct likeness *like, enum kind k, struct conn *c)
{
	c->mail = NULL;
	c->number = 0;
	take_sums(c, false);
	take_away(c);
	if (!like->has[k])
		like->conn[k] = *c;
	like->has[k] = true;
	return pack_bytes(room, c, &like->conn[k], WORDS);
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
pack(struct conn_rest *r, const struct flow *f, uint32_t slot)
{
	const struct conn *c = f->conn;
	struct conn mine = *c;
	enum kind k = kind_of(c);
	uint8_t room[ROOM_MAX];
	struct conn_asleep *a;
	size_t len;

	take_flow(&mine, f, slot, false);
	len = pack_conn(room, r->like, k, &mine);
	if (c->mail != NULL)
		len += pack_mail(room + len, r->like, c->mail);
	a = blocks_get(&r->blocks, ROOM_OF(len));
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
	evidence_sleep(t->evidence, &c->ev, t->rest.always, t->now);
	a = pack(&t->rest, f, slot);
	if (a == NULL) {
		evidence_wake(&c->ev);
		return;
	}
	timers_set_tie(
	    t->timers, slot, conn_idle_deadline(c), (uint32_t)c->number);
	t->rest.asleep++;
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
	blocks_put(&t->rest.blocks, f->asleep, ROOM_OF(f->asleep->len));
	f->asleep = NULL;
	f->rests = false;
}

/* Returns false without memory for it. */
static bool
unpack(struct tracker *t, struct conn *c, uint32_t slot)
{
	const struct flow *f = flow_at(t->flows, slot);
	const struct conn_asleep *a = f->asleep;
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
	take_sums(c, true);
	take_flow(c, f, slot, true);
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
	if (c != NULL && !unpack(t, c, slot)) {
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
	blocks_init(&r->blocks);
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
	blocks_fini(&r->blocks);
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
