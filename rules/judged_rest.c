/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A flow at rest is an image of fixed places packed byte by byte, and its
 * texts, of each what is not as in the model's. Before that what says the same
 * again goes: packets follow from each other (ladder_rest.c), and a moment
 * mostly is the packet of a step.
 */
#include "rules/judged_rest.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/pack.h"
#include "rules/facts_rest.h"
#include "rules/ladder_rest.h"

struct flow_image {
	struct facts_image facts;
	int64_t incident;
	uint32_t alerts;
	uint8_t passed, skipped, pad[2];
	struct step_image steps[LADDER_STEPS];
};

#define TEXTS (FACTS_TEXTS + LADDER_STEPS)
#define TEXT_ROOM (FACTS_TEXT_ROOM + LADDER_STEPS * (LADDER_TEXT_MAX + 1))
#define WORDS (sizeof(struct flow_image) / 8)
#define PACKED_ROOM                                             \
	(PACK_BYTES_ROOM(WORDS) + (TEXTS + 7) / 8 + TEXT_ROOM + \
	    TEXTS * PACK_TEXT_HEAD)

_Static_assert(sizeof(struct flow_image) % 8 == 0, "words");
_Static_assert(PACKED_ROOM <= UINT16_MAX, "struct packed.len");
_Static_assert(JUDGED_MODELS < UINT16_MAX, "struct packed.model");

struct picture { /* of a flow, not packed */
	struct flow_image i; /* of steps that there are none of all is 0 */
	unsigned nsteps;
	struct slice texts[TEXTS]; /* of steps there are none of: empty */
	uint8_t room[TEXT_ROOM]; /* of texts that were packed */
};

struct packed {
	uint16_t len; /* of bytes */
	uint16_t model; /* its place + 1; 0: the first */
	uint8_t nsteps;
	uint8_t bytes[];
};

struct asleep {
	struct judged_link link;
	struct packed p;
};

struct model {
	uint32_t refs; /* flows that need it */
	uint16_t parts;
	struct packed p; /* as it differs from the first */
};

struct judged_rest {
	struct picture mine, like, first;
	bool has_first;
	uint8_t packed[PACKED_ROOM];
	struct model *models[JUDGED_MODELS];
};

static void
no_texts(struct picture *p)
{
	for (unsigned i = 0; i < TEXTS; i++)
		p->texts[i] = (struct slice){(const uint8_t *)"", 0};
}

struct judged_rest *
judged_rest_new(void)
{
	struct judged_rest *r = calloc(1, sizeof(*r));

	if (r != NULL)
		no_texts(&r->first);
	return r;
}

void
judged_rest_free(struct judged_rest *r)
{
	free(r);
}

uint64_t
judged_rest_held(void)
{
	return sizeof(struct judged_rest);
}

uint64_t
judged_rest_bytes(void)
{
	return judged_rest_held() + (uint64_t)JUDGED_MODELS * BLOCKS_MAX;
}

static size_t
words_of(unsigned nsteps)
{
	return offsetof(struct flow_image, steps) / 8 +
	       nsteps * (sizeof(struct step_image) / 8);
}

/* ---- texts ---- */

static bool
is_same(struct slice a, struct slice b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* A bit for each that is not as in the other, and then these. */
static uint8_t *
pack_texts(uint8_t *out, const struct picture *p, const struct picture *like)
{
	unsigned n = FACTS_TEXTS + p->nsteps;
	uint8_t *other = out;

	memset(other, 0, (n + 7) / 8);
	out += (n + 7) / 8;
	for (unsigned i = 0; i < n; i++) {
		if (is_same(p->texts[i], like->texts[i]))
			continue;
		other[i / 8] |= (uint8_t)(1u << i % 8);
		out = pack_text(out, p->texts[i], like->texts[i]);
	}
	return out;
}

static void
unpack_texts(struct picture *p, const struct picture *like, const uint8_t *in)
{
	unsigned n = FACTS_TEXTS + p->nsteps;
	const uint8_t *other = in;
	uint8_t *room = p->room;

	in += (n + 7) / 8;
	no_texts(p);
	for (unsigned i = 0; i < n; i++) {
		p->texts[i] = like->texts[i];
		if ((other[i / 8] >> i % 8 & 1) != 0)
			in = unpack_text(
			    &room, in, like->texts[i], &p->texts[i]);
	}
}

/* Returns bytes. */
static size_t
pack(uint8_t *dst, const struct picture *p, const struct picture *like)
{
	size_t n = pack_bytes(dst, &p->i, &like->i, words_of(p->nsteps));

	return (size_t)(pack_texts(dst + n, p, like) - dst);
}

static void
unpack(struct picture *p, const struct packed *from, const struct picture *like)
{
	size_t n, words = words_of(from->nsteps);

	p->nsteps = from->nsteps;
	n = unpack_bytes(&p->i, &like->i, words, from->bytes);
	memset((uint8_t *)&p->i + words * 8, 0, sizeof(p->i) - words * 8);
	unpack_texts(p, like, from->bytes + n);
}

/* ---- what says the same again ---- */

static bool
is_same_packet(const struct pkt_ref *a, const struct pkt_ref *b)
{
	return a->ordinal == b->ordinal && a->time == b->time &&
	       a->file == b->file && a->frame_no == b->frame_no &&
	       a->seq == b->seq && a->ack == b->ack && a->len == b->len &&
	       a->window == b->window && a->ip_id == b->ip_id &&
	       a->ttl == b->ttl && a->tcp_flags == b->tcp_flags &&
	       a->dir == b->dir && a->pad == b->pad;
}

/* The step of that packet, counted from 1; 0: none. */
static unsigned
step_of(const struct picture *p, const struct pkt_ref *pkt)
{
	for (unsigned i = 0; i < p->nsteps; i++)
		if (p->i.steps[i].has_pkt &&
		    is_same_packet(&p->i.steps[i].pkt, pkt))
			return i + 1;
	return 0;
}

/* The step of that time, likewise. */
static unsigned
step_at(const struct picture *p, int64_t time)
{
	for (unsigned i = 0; i < p->nsteps; i++)
		if (p->i.steps[i].time == time)
			return i + 1;
	return 0;
}

static void
fold_moments(struct picture *p)
{
	uint8_t *of = p->i.facts.of;

	for (unsigned i = 0; i < FACTS_MOMENTS; i++, of++) {
		struct moment *m = facts_image_moment(&p->i.facts, i);

		m->time = pack_less(m->time, m->pkt.time);
		if (m->pkt.ordinal == 0)
			continue;
		*of = (uint8_t)step_of(p, &m->pkt);
		if (*of != 0)
			memset(&m->pkt, 0, sizeof(m->pkt));
	}
	for (unsigned i = 0; i < FACTS_INSTANTS; i++, of++) {
		struct instant *at = facts_image_instant(&p->i.facts, i);

		if (at->time == 0)
			continue;
		*of = (uint8_t)step_at(p, at->time);
		if (*of != 0)
			at->time = 0;
	}
}

static void
unfold_moments(struct picture *p)
{
	const uint8_t *of = p->i.facts.of;

	for (unsigned i = 0; i < FACTS_MOMENTS; i++, of++) {
		struct moment *m = facts_image_moment(&p->i.facts, i);

		if (*of != 0)
			m->pkt = p->i.steps[*of - 1].pkt;
		m->time = pack_more(m->time, m->pkt.time);
	}
	for (unsigned i = 0; i < FACTS_INSTANTS; i++, of++)
		if (*of != 0)
			facts_image_instant(&p->i.facts, i)->time =
			    p->i.steps[*of - 1].time;
}

/* Of its last step, or its begin. */
static int64_t
late(const struct picture *p)
{
	return p->nsteps > 0 ? p->i.steps[p->nsteps - 1].time
			     : p->i.facts.f.who.start;
}

static void
take_picture(struct picture *p, const struct judged *w)
{
	struct facts_image *f = &p->i.facts;

	no_texts(p);
	facts_take_image(f, p->texts, &w->f);
	f->f.flow = 0; /* the link's */
	if (f->f.who.public_id == obs_flow_id(&f->f.who))
		f->f.who.public_id = 0; /* made again when asked for */
	p->i.incident = w->incident;
	p->i.alerts = w->alerts;
	p->i.skipped = w->ladder.skipped;
	p->i.passed = w->rules.passed;
	p->nsteps =
	    ladder_take_image(p->i.steps, p->texts + FACTS_TEXTS, &w->ladder);
	memset(p->i.steps + p->nsteps, 0,
	    (LADDER_STEPS - p->nsteps) * sizeof(p->i.steps[0]));
	fold_moments(p);
	f->f.last = pack_less(f->f.last, late(p));
	ladder_image_fold(p->i.steps, p->nsteps, f->f.who.start);
}

/* The first one of all is there for as long as the table is. */
static void
keep_first(struct judged_rest *r, const struct picture *p)
{
	struct picture *to = &r->first;
	uint8_t *room = to->room;

	if (r->has_first)
		return;
	r->has_first = true;
	to->i = p->i;
	to->nsteps = p->nsteps;
	for (unsigned i = 0; i < TEXTS; i++) {
		size_t len = p->texts[i].len;

		memcpy(room, p->texts[i].p, len);
		to->texts[i] = (struct slice){room, len};
		room[len] = '\0';
		room += len + 1;
	}
}

/* Returns false without memory. */
static bool
from_picture(struct judged_table *t, struct judged *w, struct picture *p)
{
	struct facts_image *f = &p->i.facts;

	ladder_image_unfold(p->i.steps, p->nsteps, f->f.who.start);
	f->f.last = pack_more(f->f.last, late(p));
	unfold_moments(p);
	memset(w, 0, sizeof(*w));
	if (!facts_from_image(&w->f, &t->blocks, f, p->texts))
		return false;
	if (!ladder_from_image(&w->ladder, &t->blocks, p->i.steps,
		p->texts + FACTS_TEXTS, p->nsteps)) {
		facts_fini(&w->f, &t->blocks);
		return false;
	}
	w->ladder.skipped = p->i.skipped != 0;
	w->incident = p->i.incident;
	w->alerts = p->i.alerts;
	w->rules.passed = p->i.passed;
	return true;
}

/* ---- models ---- */

/* FNV-1a: of the server, and of what is known. */
static uint32_t
place_of(const struct picture *p)
{
	const struct obs_flow *who = &p->i.facts.f.who;
	const struct facts_tls *tls = &p->i.facts.tls;
	uint32_t h = 2166136261u;

	for (unsigned i = 0; i < sizeof(who->server); i++)
		h = (h ^ who->server.b[i]) * 16777619u;
	h = (h ^ who->server_port) * 16777619u;
	h = (h ^ p->i.facts.parts) * 16777619u;
	h = (h ^ tls->version) * 16777619u;
	h = (h ^ tls->has_chain ^ tls->resumed << 1) * 16777619u;
	h = (h ^ p->nsteps) * 16777619u;
	return (h ^ h >> 16) % JUDGED_MODELS;
}

static size_t
model_size(const struct model *m)
{
	return offsetof(struct model, p.bytes) + m->p.len;
}

static size_t
asleep_size(const struct asleep *a)
{
	return offsetof(struct asleep, p.bytes) + a->p.len;
}

/* Out of the picture itself. NULL: no memory, or too much is known. */
static struct model *
new_model(struct judged_table *t, const struct picture *p)
{
	struct judged_rest *r = t->rest;
	size_t len = pack(r->packed, p, &r->first);
	size_t size = offsetof(struct model, p.bytes) + len;
	struct model *m;

	m = size <= BLOCKS_MAX ? blocks_get(&t->blocks, size) : NULL;
	if (m == NULL)
		return NULL;
	m->refs = 0;
	m->parts = p->i.facts.parts;
	m->p.len = (uint16_t)len;
	m->p.model = 0;
	m->p.nsteps = (uint8_t)p->nsteps;
	memcpy(m->p.bytes, r->packed, len);
	return m;
}

/* The place + 1 of one that it is like, or becomes; 0: none. */
static unsigned
find_model(struct judged_table *t, const struct picture *p)
{
	unsigned place = place_of(p);
	struct model **m = &t->rest->models[place];

	if (*m == NULL)
		*m = new_model(t, p);
	return *m != NULL && (*m)->parts == p->i.facts.parts ? place + 1 : 0;
}

static const struct picture *
picture_of(struct judged_rest *r, unsigned model)
{
	if (model == 0)
		return &r->first;
	unpack(&r->like, &r->models[model - 1]->p, &r->first);
	return &r->like;
}

/* Of those that are needed one less is, perhaps. */
static void
leave_model(struct judged_table *t, unsigned model, bool was_needed)
{
	struct model **m;

	if (model == 0)
		return;
	m = &t->rest->models[model - 1];
	(*m)->refs -= was_needed;
	if ((*m)->refs > 0)
		return;
	blocks_put(&t->blocks, *m, model_size(*m));
	*m = NULL;
}

/* ---- asleep and awake ---- */

static struct asleep *
new_asleep(struct judged_table *t, size_t len)
{
	size_t size = offsetof(struct asleep, p.bytes) + len;
	struct asleep *a;

	a = size <= BLOCKS_MAX ? blocks_get(&t->blocks, size) : NULL;
	if (a != NULL) {
		a->p.len = (uint16_t)len;
		memcpy(a->p.bytes, t->rest->packed, len);
	}
	return a;
}

/* What rules noted of it, and what is being said, are no part of a picture. */
static bool
may_rest(const struct judged *w)
{
	return w->talk == NULL && w->rules.parts == NULL &&
	       w->rules.bits == NULL;
}

struct judged_link *
judged_pack(struct judged_table *t, const struct judged *w)
{
	struct judged_rest *r = t->rest;
	struct asleep *a;
	unsigned model;

	if (!may_rest(w))
		return NULL;
	take_picture(&r->mine, w);
	keep_first(r, &r->mine);
	model = find_model(t, &r->mine);
	a = new_asleep(t, pack(r->packed, &r->mine, picture_of(r, model)));
	if (a == NULL) {
		leave_model(t, model, false);
		return NULL;
	}
	a->p.model = (uint16_t)model;
	a->p.nsteps = (uint8_t)r->mine.nsteps;
	if (model != 0)
		r->models[model - 1]->refs++;
	a->link = w->link;
	a->link.flow |= JUDGED_RESTS;
	return &a->link;
}

struct judged *
judged_unpack(struct judged_table *t, const struct judged_link *asleep)
{
	const struct asleep *a = (const struct asleep *)asleep;
	struct judged *w = blocks_get(&t->blocks, sizeof(*w));
	struct judged_rest *r = t->rest;

	if (w == NULL)
		return NULL;
	unpack(&r->mine, &a->p, picture_of(r, a->p.model));
	if (!from_picture(t, w, &r->mine)) {
		blocks_put(&t->blocks, w, sizeof(*w));
		return NULL;
	}
	w->f.flow = judged_number(asleep);
	return w;
}

void
judged_drop(struct judged_table *t, struct judged_link *asleep)
{
	struct asleep *a = (struct asleep *)asleep;

	leave_model(t, a->p.model, true);
	blocks_put(&t->blocks, a, asleep_size(a));
}
