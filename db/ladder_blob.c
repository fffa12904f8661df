/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ladder to BLOB and back. The reader's error sticks, so that a record reads
 * as a list of fields and is tested once: the file may have been written by
 * anybody.
 */
#include "db/ladder_blob.h"

#include <string.h>

#define VERSION 1
#define KIND_NAME_MAX 31

struct writer {
	uint8_t *p;
};

struct reader {
	const uint8_t *p, *end;
	int failed;
};

static void
put(struct writer *w, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*w->p++ = (uint8_t)(v >> (8 * i));
}

static void
put_text(struct writer *w, const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	put(w, n, 1);
	memcpy(w->p, s, n);
	w->p += n;
}

static void
put_packet(struct writer *w, const struct pkt_ref *r)
{
	put(w, (uint64_t)r->time, 8);
	put(w, r->ordinal, 8);
	put(w, r->file, 4);
	put(w, r->frame_no, 4);
	put(w, r->seq, 4);
	put(w, r->ack, 4);
	put(w, r->len, 4);
	put(w, r->window, 2);
	put(w, r->ip_id, 2);
	put(w, r->ttl, 1);
	put(w, r->tcp_flags, 1);
	put(w, r->dir, 1);
}

static void
put_step(struct writer *w, const struct step *s)
{
	put(w, s->flow, 8);
	put(w, (uint64_t)s->time, 8);
	put(w, s->mark, 1);
	put(w, s->dir, 1);
	put(w, s->client_port, 2);
	put(w, s->server_port, 2);
	put_packet(w, &s->pkt);
	put_text(w, obs_kind_name((enum obs_kind)s->kind), KIND_NAME_MAX);
	put_text(w, s->text, sizeof(s->text) - 1);
}

size_t
ladder_encode(uint8_t buf[LADDER_BLOB_MAX], const struct alert *a)
{
	struct writer w = {buf};
	unsigned n = a->nsteps < LADDER_STEPS ? a->nsteps : LADDER_STEPS;

	put(&w, VERSION, 1);
	put(&w, n, 1);
	put(&w, a->finding.flow, 8);
	put_packet(&w, &a->finding.pkt);
	for (unsigned i = 0; i < n; i++)
		put_step(&w, &a->steps[i]);
	return (size_t)(w.p - buf);
}

static uint64_t
get(struct reader *r, unsigned bytes)
{
	uint64_t v = 0;

	if (r->failed || (size_t)(r->end - r->p) < bytes) {
		r->failed = 1;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)*r->p++ << (8 * i);
	return v;
}

static void
get_text(struct reader *r, char *dst, size_t cap)
{
	size_t n = get(r, 1);

	dst[0] = '\0';
	if (r->failed || (size_t)(r->end - r->p) < n || n >= cap) {
		r->failed = 1;
		return;
	}
	memcpy(dst, r->p, n);
	dst[n] = '\0';
	r->p += n;
}

static void
get_packet(struct reader *r, struct pkt_ref *p)
{
	memset(p, 0, sizeof(*p));
	p->time = (int64_t)get(r, 8);
	p->ordinal = get(r, 8);
	p->file = (uint32_t)get(r, 4);
	p->frame_no = (uint32_t)get(r, 4);
	p->seq = (uint32_t)get(r, 4);
	p->ack = (uint32_t)get(r, 4);
	p->len = (uint32_t)get(r, 4);
	p->window = (uint16_t)get(r, 2);
	p->ip_id = (uint16_t)get(r, 2);
	p->ttl = (uint8_t)get(r, 1);
	p->tcp_flags = (uint8_t)get(r, 1);
	p->dir = get(r, 1) & 1;
}

static uint16_t
kind_by_name(const char *name)
{
	for (unsigned k = 0; k < OBS_KIND_COUNT; k++)
		if (strcmp(obs_kind_name((enum obs_kind)k), name) == 0)
			return (uint16_t)k;
	return OBS_NONE;
}

static void
get_step(struct reader *r, struct step *s)
{
	char kind[KIND_NAME_MAX + 1];

	memset(s, 0, sizeof(*s));
	s->flow = get(r, 8);
	s->time = (int64_t)get(r, 8);
	s->mark = (uint8_t)get(r, 1);
	s->dir = get(r, 1) & 1;
	s->client_port = (uint16_t)get(r, 2);
	s->server_port = (uint16_t)get(r, 2);
	get_packet(r, &s->pkt);
	get_text(r, kind, sizeof(kind));
	s->kind = kind_by_name(kind);
	get_text(r, s->text, sizeof(s->text));
}

int
ladder_decode(struct alert *a, const void *blob, size_t len)
{
	struct reader r = {blob, NULL, 0};
	unsigned n;

	a->nsteps = 0;
	if (blob == NULL)
		return -1;
	r.end = r.p + len;
	if (get(&r, 1) != VERSION)
		return -1;
	n = (unsigned)get(&r, 1);
	a->finding.flow = get(&r, 8);
	get_packet(&r, &a->finding.pkt);
	for (unsigned i = 0; i < n && i < LADDER_STEPS && !r.failed; i++) {
		get_step(&r, &a->steps[i]);
		if (!r.failed)
			a->nsteps++;
	}
	return r.failed ? -1 : 0;
}
