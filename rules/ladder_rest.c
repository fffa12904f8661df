/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of one connection follow from each other: what one side sends begins
 * where it ended, or where the other says that it has come to. No value is lost
 * by it, whatever it is: all of it is arithmetic that wraps.
 */
#include "rules/ladder_rest.h"

#include <string.h>

#include "decoders/pack.h"
#include "rules/ladder_kept.h"

_Static_assert(sizeof(struct step_image) % 8 == 0, "words");

struct track { /* of the packets so far */
	struct pkt_ref last[2]; /* by enum dir of their sender */
	unsigned latest;
	int64_t time; /* of the last step */
};

static void
track_begin(struct track *t, int64_t start)
{
	memset(t, 0, sizeof(*t));
	t->last[0].time = t->time = start;
}

static void
track_note(struct track *t, const struct step_image *s)
{
	t->time = s->time;
	if (!s->has_pkt)
		return;
	t->latest = s->pkt.dir & 1;
	t->last[t->latest] = s->pkt;
}

/* What the next of that side is mostly like. */
static void
track_expect(const struct track *t, struct pkt_ref *e, unsigned dir)
{
	const struct pkt_ref *late = &t->last[t->latest];
	const struct pkt_ref *own = &t->last[dir], *other = &t->last[!dir];

	memset(e, 0, sizeof(*e));
	e->time = late->time;
	e->ordinal = late->ordinal;
	e->file = late->file;
	e->frame_no = late->frame_no - (uint32_t)late->ordinal;
	e->seq = own->ordinal != 0 ? own->seq + own->len : other->ack;
	e->ack = t->latest == dir ? own->ack : other->seq + other->len;
	e->window = own->window;
	e->ip_id = own->ip_id;
	e->ttl = own->ttl;
}

static void
pkt_fold(struct pkt_ref *p, const struct pkt_ref *e)
{
	p->frame_no -= (uint32_t)p->ordinal + e->frame_no;
	p->time = pack_less(p->time, e->time);
	p->ordinal -= e->ordinal;
	p->file -= e->file;
	p->seq -= e->seq;
	p->ack -= e->ack;
	p->window = (uint16_t)(p->window - e->window);
	p->ip_id = (uint16_t)(p->ip_id - e->ip_id);
	p->ttl = (uint8_t)(p->ttl - e->ttl);
}

static void
pkt_unfold(struct pkt_ref *p, const struct pkt_ref *e)
{
	p->time = pack_more(p->time, e->time);
	p->ordinal += e->ordinal;
	p->file += e->file;
	p->seq += e->seq;
	p->ack += e->ack;
	p->window = (uint16_t)(p->window + e->window);
	p->ip_id = (uint16_t)(p->ip_id + e->ip_id);
	p->ttl = (uint8_t)(p->ttl + e->ttl);
	p->frame_no += (uint32_t)p->ordinal + e->frame_no;
}

void
ladder_image_fold(struct step_image *steps, unsigned n, int64_t start)
{
	struct pkt_ref expected;
	struct track t;

	track_begin(&t, start);
	for (struct step_image *s = steps; s < steps + n; s++) {
		const struct step_image was = *s;

		if (s->has_pkt) {
			track_expect(&t, &expected, s->pkt.dir & 1);
			s->time = pack_less(s->time, s->pkt.time);
			pkt_fold(&s->pkt, &expected);
		} else {
			s->time = pack_less(s->time, t.time);
		}
		track_note(&t, &was);
	}
}

void
ladder_image_unfold(struct step_image *steps, unsigned n, int64_t start)
{
	struct pkt_ref expected;
	struct track t;

	track_begin(&t, start);
	for (struct step_image *s = steps; s < steps + n; s++) {
		if (s->has_pkt) {
			track_expect(&t, &expected, s->pkt.dir & 1);
			pkt_unfold(&s->pkt, &expected);
			s->time = pack_more(s->time, s->pkt.time);
		} else {
			s->time = pack_more(s->time, t.time);
		}
		track_note(&t, s);
	}
}

unsigned
ladder_take_image(struct step_image steps[LADDER_STEPS],
    struct slice texts[LADDER_STEPS], const struct ladder *l)
{
	size_t at = 0;

	memset(steps, 0, l->n * sizeof(*steps));
	for (unsigned i = 0; i < l->n; i++) {
		struct step_image *s = &steps[i];
		struct kept k;
		const char *text;

		at = ladder_get(l, at, &k);
		text = ladder_get_pkt(&k, &s->pkt);
		s->time = k.time;
		s->kind = k.kind;
		s->dir = (k.bits & KEPT_DIR) != 0;
		s->has_pkt = (k.bits & KEPT_PKT) != 0;
		texts[i] = (struct slice){(const uint8_t *)text, k.len};
	}
	return l->n;
}

static unsigned
kept_bits(const struct step_image *s)
{
	return ladder_kept_bits(&s->pkt, s->time, s->dir);
}

bool
ladder_from_image(struct ladder *l, struct blocks *b,
    const struct step_image *steps, const struct slice *texts, unsigned n)
{
	struct kept k;
	size_t all = 0, size;

	memset(l, 0, sizeof(*l));
	for (unsigned i = 0; i < n; i++)
		all += ladder_kept_size(texts[i].len, kept_bits(&steps[i]));
	if (all != 0 && !ladder_set_room(l, b, all))
		return false;
	for (unsigned i = 0; i < n; i++) {
		k.time = steps[i].time;
		k.kind = steps[i].kind;
		k.bits = (uint8_t)kept_bits(&steps[i]);
		k.len = (uint8_t)texts[i].len;
		size = ladder_kept_size(k.len, k.bits);
		ladder_put(l, &k, size, &steps[i].pkt, texts[i].p);
	}
	return true;
}
