/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ladder to BLOB and back. The reader's error sticks, so that a record reads
 * as a list of fields and is tested once: the file may have been written by
 * anybody.
 */
#include "db/ladder_blob.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define VERSION 3
#define VERSION_NAMES 2 /* of kinds */
#define VERSION_FIRST 1
#define KIND_NAME_MAX 31

enum step_bits {
	BIT_DIR = 1,
	BIT_FLOW = 2,
	BIT_PORTS = 4,
	BIT_PACKET = 8,
	BITS_ALL = 15
};

/* How kinds are stored: never another number for what has one, 0 none. */
static const uint8_t codes[OBS_KIND_COUNT] = {
    [OBS_FLOW_OPEN] = 1,
    [OBS_FLOW_END] = 2,
    [OBS_RST] = 3,
    [OBS_CONFLICT] = 4,
    [OBS_TWO_ANSWERS] = 5,
    [OBS_FIN_UNDONE] = 6,
    [OBS_PROXY] = 7,
    [OBS_GREETING] = 8,
    [OBS_CAPS] = 9,
    [OBS_TLS_ASKED] = 10,
    [OBS_TLS_ANSWERED] = 11,
    [OBS_TEXT_BEFORE_TLS] = 12,
    [OBS_CLEAR_USE] = 13,
    [OBS_AUTH] = 14,
    [OBS_VERB_UNKNOWN] = 15,
    [OBS_TLS_DEMANDED] = 16,
    [OBS_MAIL_CONTENT] = 17,
    [OBS_IMAP_EARLY] = 18,
    [OBS_IMAP_UNSOLICITED] = 19,
    [OBS_IMAP_CODE] = 20,
    [OBS_QUIT] = 21,
    [OBS_TLS_CLIENT_HELLO] = 22,
    [OBS_TLS_SERVER_HELLO] = 23,
    [OBS_TLS_CERT] = 24,
    [OBS_TLS_ALERT] = 25,
    [OBS_TLS_DONE] = 26,
    [OBS_TLS_APPDATA] = 27,
    [OBS_TLS_BROKEN] = 28,
    [OBS_TLS_KEY_EXCHANGE] = 29,
    [OBS_LINE] = 30,
};

/* What differences are taken from. */
struct before {
	int64_t time; /* of the step */
	uint64_t ordinal;
	uint32_t file, frame_no;
};

struct reader {
	const uint8_t *p, *end;
	int failed;
	int version;
	struct before last;
};

/* ---- out: each returns what is behind it ---- */

/* bytes: known where it is compiled, and one store then. */
static inline uint8_t *
put(uint8_t *p, uint64_t v, unsigned bytes)
{
	uint64_t le = htole64(v);

	memcpy(p, &le, bytes);
	return p + bytes;
}

static inline uint8_t *
put_var(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static inline uint8_t *
put_more(uint8_t *p, uint64_t v, uint64_t than)
{
	uint64_t d = v - than;

	return put_var(p, d << 1 ^ (0 - (d >> 63)));
}

static uint8_t *
put_text(uint8_t *p, const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	*p++ = (uint8_t)n;
	memcpy(p, s, n);
	return p + n;
}

static uint8_t *
put_packet(uint8_t *p, const struct pkt_ref *r, struct before *b)
{
	p = put_more(p, (uint64_t)r->time, (uint64_t)b->time);
	p = put_more(p, r->ordinal, b->ordinal);
	p = put_more(p, r->file, b->file);
	p = put_more(p, r->frame_no, b->frame_no);
	p = put(p, r->seq, 4);
	p = put(p, r->ack, 4);
	p = put_var(p, r->len);
	p = put(p, r->window, 2);
	p = put(p, r->ip_id, 2);
	p = put(p, r->ttl, 1);
	p = put(p, r->tcp_flags, 1);
	p = put(p, r->dir, 1);
	b->ordinal = r->ordinal;
	b->file = r->file;
	b->frame_no = r->frame_no;
	return p;
}

static bool
has_packet(const struct pkt_ref *r)
{
	return r->time != 0 || r->ordinal != 0 || r->file != 0 ||
	       r->frame_no != 0 || r->seq != 0 || r->ack != 0 || r->len != 0 ||
	       r->window != 0 || r->ip_id != 0 || r->ttl != 0 ||
	       r->tcp_flags != 0 || r->dir != 0;
}

static uint8_t
bits_of(const struct step *s, uint64_t flow)
{
	return (
	    uint8_t)((s->dir != 0 ? BIT_DIR : 0) |
		     (s->flow != flow ? BIT_FLOW : 0) |
		     ((s->client_port | s->server_port) != 0 ? BIT_PORTS : 0) |
		     (has_packet(&s->pkt) ? BIT_PACKET : 0));
}

static uint8_t *
put_step(uint8_t *p, const struct step *s, uint64_t flow, struct before *b)
{
	uint8_t bits = bits_of(s, flow);

	*p++ = bits;
	*p++ = s->mark;
	if ((bits & BIT_FLOW) != 0)
		p = put_var(p, s->flow);
	p = put_more(p, (uint64_t)s->time, (uint64_t)b->time);
	b->time = s->time;
	if ((bits & BIT_PORTS) != 0) {
		p = put_var(p, s->client_port);
		p = put_var(p, s->server_port);
	}
	if ((bits & BIT_PACKET) != 0)
		p = put_packet(p, &s->pkt, b);
	*p++ = s->kind < OBS_KIND_COUNT ? codes[s->kind] : 0;
	return put_text(p, s->text, sizeof(s->text) - 1);
}

size_t
ladder_encode(uint8_t buf[LADDER_BLOB_MAX], const struct alert *a)
{
	unsigned n = a->nsteps < LADDER_STEPS ? a->nsteps : LADDER_STEPS;
	struct before last = {0};
	uint8_t *p = buf;

	*p++ = VERSION;
	*p++ = (uint8_t)n;
	p = put_var(p, a->finding.flow);
	p = put_packet(p, &a->finding.pkt, &last);
	last.time = a->finding.pkt.time;
	for (unsigned i = 0; i < n; i++)
		p = put_step(p, &a->steps[i], a->finding.flow, &last);
	return (size_t)(p - buf);
}

/* ---- in ---- */

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

static uint64_t
get_var(struct reader *r)
{
	uint64_t v = 0, b;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		b = get(r, 1);
		v |= (b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	r->failed = 1;
	return 0;
}

static uint64_t
get_more(struct reader *r, uint64_t than)
{
	uint64_t z = get_var(r);

	return than + (z >> 1 ^ (0 - (z & 1)));
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

/* From seq on, which is the same in both versions but for len. */
static void
get_header(struct reader *r, struct pkt_ref *p, bool first)
{
	p->seq = (uint32_t)get(r, 4);
	p->ack = (uint32_t)get(r, 4);
	p->len = (uint32_t)(first ? get(r, 4) : get_var(r));
	p->window = (uint16_t)get(r, 2);
	p->ip_id = (uint16_t)get(r, 2);
	p->ttl = (uint8_t)get(r, 1);
	p->tcp_flags = (uint8_t)get(r, 1);
	p->dir = get(r, 1) & 1;
}

static void
get_first_packet(struct reader *r, struct pkt_ref *p)
{
	memset(p, 0, sizeof(*p));
	p->time = (int64_t)get(r, 8);
	p->ordinal = get(r, 8);
	p->file = (uint32_t)get(r, 4);
	p->frame_no = (uint32_t)get(r, 4);
	get_header(r, p, true);
}

static void
get_packet(struct reader *r, struct pkt_ref *p)
{
	struct before *b = &r->last;

	memset(p, 0, sizeof(*p));
	p->time = (int64_t)get_more(r, (uint64_t)b->time);
	p->ordinal = b->ordinal = get_more(r, b->ordinal);
	p->file = b->file = (uint32_t)get_more(r, b->file);
	p->frame_no = b->frame_no = (uint32_t)get_more(r, b->frame_no);
	get_header(r, p, false);
}

static uint16_t
kind_by_name(const char *name)
{
	for (unsigned k = 0; k < OBS_KIND_COUNT; k++)
		if (strcmp(obs_kind_name((enum obs_kind)k), name) == 0)
			return (uint16_t)k;
	return OBS_NONE;
}

static uint16_t
kind_by_code(unsigned code)
{
	for (unsigned k = 0; k < OBS_KIND_COUNT; k++)
		if (codes[k] == code)
			return (uint16_t)k;
	return OBS_NONE;
}

static void
get_words(struct reader *r, struct step *s)
{
	char kind[KIND_NAME_MAX + 1];

	if (r->version > VERSION_NAMES) {
		s->kind = kind_by_code((unsigned)get(r, 1));
	} else {
		get_text(r, kind, sizeof(kind));
		s->kind = kind_by_name(kind);
	}
	get_text(r, s->text, sizeof(s->text));
}

static void
get_first_step(struct reader *r, struct step *s)
{
	memset(s, 0, sizeof(*s));
	s->flow = get(r, 8);
	s->time = (int64_t)get(r, 8);
	s->mark = (uint8_t)get(r, 1);
	s->dir = get(r, 1) & 1;
	s->client_port = (uint16_t)get(r, 2);
	s->server_port = (uint16_t)get(r, 2);
	get_first_packet(r, &s->pkt);
	get_words(r, s);
}

static void
get_step(struct reader *r, struct step *s, uint64_t flow)
{
	uint8_t bits = (uint8_t)get(r, 1);

	memset(s, 0, sizeof(*s));
	if (bits > BITS_ALL)
		r->failed = 1;
	s->mark = (uint8_t)get(r, 1);
	s->dir = bits & BIT_DIR;
	s->flow = (bits & BIT_FLOW) != 0 ? get_var(r) : flow;
	s->time = (int64_t)get_more(r, (uint64_t)r->last.time);
	r->last.time = s->time;
	if ((bits & BIT_PORTS) != 0) {
		s->client_port = (uint16_t)get_var(r);
		s->server_port = (uint16_t)get_var(r);
	}
	if ((bits & BIT_PACKET) != 0)
		get_packet(r, &s->pkt);
	get_words(r, s);
}

static void
get_finding(struct reader *r, struct finding *f, bool first)
{
	f->flow = first ? get(r, 8) : get_var(r);
	if (first)
		get_first_packet(r, &f->pkt);
	else
		get_packet(r, &f->pkt);
	r->last.time = f->pkt.time;
}

int
ladder_decode(struct alert *a, const void *blob, size_t len)
{
	struct reader r = {.p = blob};
	unsigned n;

	a->nsteps = 0;
	if (blob == NULL)
		return -1;
	r.end = r.p + len;
	r.version = (int)get(&r, 1);
	if (r.version < VERSION_FIRST || r.version > VERSION)
		return -1;
	n = (unsigned)get(&r, 1);
	get_finding(&r, &a->finding, r.version == VERSION_FIRST);
	for (unsigned i = 0; i < n && i < LADDER_STEPS && !r.failed; i++) {
		if (r.version == VERSION_FIRST)
			get_first_step(&r, &a->steps[i]);
		else
			get_step(&r, &a->steps[i], a->finding.flow);
		if (!r.failed)
			a->nsteps++;
	}
	return r.failed ? -1 : 0;
}
