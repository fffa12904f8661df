/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payload held against what was sent before under the same numbers. Each
 * direction of a text dialogue borrows a window of its last 4 KiB, in which a
 * map says which bytes are there: segments may come in any order and cut, so
 * a true retransmission agrees byte by byte however it was cut anew.
 *
 * What differs and is no conflict:
 *  - a keep-alive with one byte of garbage just below the next number, after
 *    silence, long since acknowledged (RFC 9293 3.8.4);
 *  - a segment spoilt on the wire: its checksum is wrong where its sender's
 *    are right, and few bytes differ. An insertion that a host drops also has
 *    a wrong checksum, but other bytes all over.
 *
 * The first version stays in the window: it is what was delivered.
 */
#include "sensor/evidence.h"

#include <string.h>

#include "sensor/evidence_private.h"

#define KEEPALIVE_SILENCE 500000000LL /* ns; real ones wait minutes */
#define KEEPALIVE_COPY 100000000LL /* ns */
#define SPOILT_BYTES 8 /* bit errors touch no more */
#define WINDOW_SEGMENTS 16 /* packets remembered a window */
#define BEFORE_DIFF 24 /* bytes shown before the first difference */
#define SHOWN 72 /* raw bytes shown of a version */
#define MAP_BYTES (EVIDENCE_WINDOW / 8)

/*
 * Bytes from `solid` to `top` are all there: in order, as nearly always, the
 * map is not touched. It speaks for what lies before, down to the window's
 * size below top, once a hole was seen. Likewise for the map of public text:
 * it is clear below `top` while the window holds none.
 *
 * All but its head is zero when it is lent: what was used is cleared when it
 * comes back.
 */
struct ev_window {
	struct ev_block block;
	uint32_t top; /* one past the highest number in it */
	uint32_t solid; /* from here to top nothing is missing */
	uint32_t open_end; /* one past the highest public number */
	uint32_t low; /* the lowest number that was ever in it */
	bool has_open; /* some number of the window is public */
	bool has_opened; /* ... was, since it was lent */
	bool has_map; /* likewise: bits of have[] were set */
	bool turned; /* data was written all over */
	uint8_t at, nsegs; /* next of segs[]; used ones */
	uint8_t have[MAP_BYTES], open[MAP_BYTES]; /* there; public */
	struct {
		struct ev_first first;
		uint32_t seq; /* of its first payload byte */
	} segs[WINDOW_SEGMENTS];
	uint8_t data[EVIDENCE_WINDOW]; /* by number modulo its size */
};

struct run { /* bytes from a number on */
	const uint8_t *p;
	uint32_t seq, len;
};

struct overlap { /* of one segment with the window */
	uint32_t len, diff; /* bytes compared, bytes that differ */
	uint32_t first; /* number of the first that differs */
};

static struct ev_window *
window_lend(
    struct evidence_ctx *c, struct evidence_dir *d, const struct ev_segment *s)
{
	struct ev_window *w =
	    evidence_lend(c, d, sizeof(*w), false, s->pkt->time);

	d->window = w;
	if (w != NULL)
		w->top = w->solid = w->low = s->seq;
	return w;
}

/* Most dialogues are short, and of a window little was touched. */
void
evidence_window_wipe(struct ev_window *w)
{
	uint32_t i = w->low % EVIDENCE_WINDOW, n = w->top - w->low;
	uint32_t first = EVIDENCE_WINDOW - i;

	if (w->turned || n >= EVIDENCE_WINDOW) {
		explicit_bzero(w->data, sizeof(w->data));
	} else {
		first = n < first ? n : first;
		explicit_bzero(w->data + i, first);
		explicit_bzero(w->data, n - first);
	}
	if (w->has_map)
		memset(w->have, 0, sizeof(w->have));
	if (w->has_opened)
		memset(w->open, 0, sizeof(w->open));
	w->has_open = w->has_opened = w->has_map = w->turned = false;
	w->at = w->nsegs = 0;
}

/* ---- the maps ---- */

static bool
map_has(const uint8_t *map, uint32_t seq)
{
	uint32_t i = seq % EVIDENCE_WINDOW;

	return (map[i >> 3] >> (i & 7) & 1) != 0;
}

/* Sets or clears the bits of [i, i + n), which does not wrap. */
static void
map_fill_run(uint8_t *map, uint32_t i, uint32_t n, bool on)
{
	uint32_t last = i + n - 1;
	uint8_t head = (uint8_t)(0xff << (i & 7));
	uint8_t tail = (uint8_t)(0xff >> (7 - (last & 7)));
	uint8_t *p = map + (i >> 3), *q = map + (last >> 3);

	if (p == q)
		head &= tail;
	*p = (uint8_t)(on ? *p | head : *p & ~head);
	if (p == q)
		return;
	memset(p + 1, on ? 0xff : 0, (size_t)(q - p - 1));
	*q = (uint8_t)(on ? *q | tail : *q & ~tail);
}

/* Likewise of [seq, seq + len), at most a window of them. */
static void
map_fill(uint8_t *map, uint32_t seq, uint32_t len, bool on)
{
	uint32_t i = seq % EVIDENCE_WINDOW, n = EVIDENCE_WINDOW - i;

	if (len == 0)
		return;
	if (n > len)
		n = len;
	map_fill_run(map, i, n, on);
	if (len > n)
		map_fill_run(map, 0, len - n, on);
}

/* Bits of the numbers between two tops are cleared. */
static void
map_clear(uint8_t map[MAP_BYTES], uint32_t from, uint32_t to)
{
	if (to - from >= EVIDENCE_WINDOW)
		memset(map, 0, MAP_BYTES);
	else
		map_fill(map, from, to - from, false);
}

/* The window moves on, over bytes that are there. */
static void
window_advance(struct ev_window *w, uint32_t top)
{
	if (w->has_open)
		map_clear(w->open, w->top, top);
	w->has_open &= top - w->open_end < EVIDENCE_WINDOW;
	w->top = top;
	if (top - w->solid > EVIDENCE_WINDOW)
		w->solid = top - EVIDENCE_WINDOW;
}

/* The window moves on, over bytes that are missing. */
static void
window_leave_hole(struct ev_window *w, uint32_t top)
{
	w->has_map = true;
	map_fill(w->have, w->solid, w->top - w->solid, true);
	map_clear(w->have, w->top, top);
	window_advance(w, top);
	w->solid = top;
}

/* ---- comparing and keeping ---- */

static bool
in_window(const struct ev_window *w, uint32_t seq)
{
	return w->top - seq - 1 < EVIDENCE_WINDOW;
}

static bool
window_has(const struct ev_window *w, uint32_t seq)
{
	if (seq - w->solid < w->top - w->solid)
		return true;
	return in_window(w, seq) && map_has(w->have, seq);
}

static struct overlap
window_compare(const struct ev_window *w, const struct run *s)
{
	struct overlap o = {0};

	if (seq_diff(s->seq, w->top) >= 0)
		return o;
	for (uint32_t i = 0; i < s->len; i++) {
		uint32_t seq = s->seq + i;

		if (!window_has(w, seq))
			continue;
		o.len++;
		if (w->data[seq % EVIDENCE_WINDOW] == s->p[i])
			continue;
		if (o.diff++ == 0)
			o.first = seq;
	}
	return o;
}

/* At most a window of bytes, in one or two pieces. */
static void
window_copy(struct ev_window *w, const struct run *s)
{
	uint32_t i = s->seq % EVIDENCE_WINDOW, n = EVIDENCE_WINDOW - i;

	if (n > s->len)
		n = s->len;
	memcpy(w->data + i, s->p, n);
	memcpy(w->data, s->p + n, s->len - n);
}

/* The segment's first n bytes. */
static struct run
head_of(struct run s, uint32_t n)
{
	s.len = n < s.len ? n : s.len;
	return s;
}

static struct run
rest_of(struct run s, uint32_t n)
{
	n = n < s.len ? n : s.len;
	s.seq += n;
	s.p += n;
	s.len -= n;
	return s;
}

/* Bytes below the old top: what is there already stays, unless `replace`: the
 * earlier bytes were spoilt. */
static void
window_fill(struct ev_window *w, const struct run *s, bool replace)
{
	for (uint32_t i = 0; i < s->len; i++)
		if (replace || !window_has(w, s->seq + i))
			w->data[(s->seq + i) % EVIDENCE_WINDOW] = s->p[i];
	w->has_map = true;
	map_fill(w->have, s->seq, s->len, true);
}

/* Moves the window on and keeps what is in it. */
static void
window_keep(struct ev_window *w, struct run s, bool replace)
{
	uint32_t end = s.seq + s.len, old, below;
	struct run part;

	if (seq_diff(s.seq, w->top) > 0)
		window_leave_hole(w, s.seq);
	old = w->top;
	if (seq_diff(end, old) > 0)
		window_advance(w, end);
	if (seq_diff(s.seq, w->top - EVIDENCE_WINDOW) < 0)
		s = rest_of(s, w->top - EVIDENCE_WINDOW - s.seq);
	if (seq_diff(s.seq, w->low) < 0)
		w->low = s.seq;
	w->turned |= w->top - w->low >= EVIDENCE_WINDOW;
	below = seq_diff(s.seq, old) < 0 ? old - s.seq : 0;
	if (below > 0) {
		part = head_of(s, below);
		window_fill(w, &part, replace);
	}
	part = rest_of(s, below);
	window_copy(w, &part);
}

static void
window_note_segment(struct ev_window *w, const struct ev_segment *s)
{
	evidence_ref(&w->segs[w->at].first.ref, s->pkt, s->view);
	w->segs[w->at].first.tsval = s->pkt->tsval;
	w->segs[w->at].first.doubt = s->doubt;
	w->segs[w->at].first.odd = s->odd;
	w->segs[w->at].seq = s->seq;
	w->at = (uint8_t)((w->at + 1) % WINDOW_SEGMENTS);
	if (w->nsegs < WINDOW_SEGMENTS)
		w->nsegs++;
}

/* The earliest remembered packet that carried this number. */
static const struct ev_first *
window_segment(const struct ev_window *w, uint32_t seq)
{
	static const struct ev_first none;

	for (unsigned i = 0; i < w->nsegs; i++) {
		unsigned at = (w->at + i) % w->nsegs;
		const struct ev_first *f = &w->segs[at].first;

		if (f->ref.ordinal != 0 && seq - w->segs[at].seq < f->ref.len)
			return f;
	}
	return &none;
}

/* ---- telling ---- */

static uint8_t
mask_byte(uint8_t b)
{
	if ((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b >= 0x80)
		return 'x';
	return b >= '0' && b <= '9' ? '0' : b;
}

static void
show(char *dst, size_t cap, uint8_t *bytes, uint32_t len, bool masked)
{
	for (uint32_t i = 0; masked && i < len; i++)
		bytes[i] = mask_byte(bytes[i]);
	(void)obs_copy_string(dst, cap, (struct slice){bytes, len});
}

/* Both versions around the first difference. Text of clients is never shown
 * in clear: what the second version holds has passed no decoder, and clients
 * send the secrets. */
static void
show_versions(struct obs_conflict *out, const struct ev_window *w,
    const struct ev_segment *s, uint32_t first)
{
	uint32_t seq = first, end = s->seq + s->len, n = 0;
	uint8_t a[SHOWN], b[SHOWN];
	bool masked = s->view->dir == DIR_C2S;

	while (seq != s->seq && first - seq < BEFORE_DIFF &&
	       window_has(w, seq - 1))
		seq--;
	for (; n < SHOWN && seq != end && window_has(w, seq); n++, seq++) {
		a[n] = w->data[seq % EVIDENCE_WINDOW];
		b[n] = s->p[seq - s->seq];
		masked |= !map_has(w->open, seq);
	}
	out->masked = masked;
	show(out->first, sizeof(out->first), a, n, masked);
	show(out->second, sizeof(out->second), b, n, masked);
}

/* Which version is odd, if one of them is. */
static uint8_t
odd_one(unsigned first, unsigned second)
{
	return (first != 0) == (second != 0) ? 0 : first != 0 ? 1 : 2;
}

void
evidence_conflict_init(struct obs *o, const struct evidence_flow *ev,
    const struct ev_segment *s, const struct ev_first *first)
{
	const struct evidence_dir *peer = &ev->d[!s->view->dir];
	struct obs_conflict *r = &o->u.conflict;

	obs_init(o, OBS_CONFLICT);
	o->dir = s->view->dir;
	o->phase = s->view->phase;
	o->time = s->pkt->time;
	o->pkt = first->ref;
	r->seq = s->seq;
	r->used_first = !first->doubt;
	r->acked_between = (peer->flags & EVD_ACKED) != 0;
	r->csum_bad = s->doubt;
	r->odd_mac = odd_one(first->odd & ODD_MAC, s->odd & ODD_MAC);
	r->odd_ts = odd_one(first->odd & ODD_TS, s->odd & ODD_TS);
	evidence_ref(&r->other, s->pkt, s->view);
}

static void
tell(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, const struct overlap *o)
{
	const struct ev_window *w = ev->d[s->view->dir].window;
	const struct ev_first *first = window_segment(w, o->first);
	struct obs obs;

	evidence_conflict_init(&obs, ev, s, first);
	obs.u.conflict.seq = o->first;
	obs.u.conflict.len = o->len;
	obs.u.conflict.diff = o->diff;
	obs.u.conflict.used_first |= map_has(w->open, o->first);
	show_versions(&obs.u.conflict, w, s, o->first);
	evidence_conflict(c, ev, &obs, s, first);
}

/* ---- judging a difference ---- */

bool
evidence_is_keepalive(
    const struct evidence_flow *ev, const struct ev_segment *s)
{
	const struct evidence_dir *d = &ev->d[s->view->dir];
	const struct evidence_dir *peer = &ev->d[!s->view->dir];

	return s->pkt->wire_len == 1 && s->seq + 1 == d->next &&
	       (peer->flags & EVD_ACKED) != 0 &&
	       seq_diff(peer->ack, d->next) >= 0 &&
	       (s->pkt->time - d->last >= KEEPALIVE_SILENCE ||
		   (d->kept_alive != 0 &&
		       s->pkt->time - d->kept_alive < KEEPALIVE_COPY));
}

static enum difference
difference(const struct evidence_flow *ev, const struct ev_window *w,
    const struct ev_segment *s, const struct overlap *o)
{
	if (o->diff == 0)
		return SAME;
	if (evidence_is_keepalive(ev, s))
		return HARMLESS;
	if (o->diff <= SPOILT_BYTES &&
	    (s->doubt || window_segment(w, o->first)->doubt))
		return SPOILT;
	return CONFLICT;
}

/* Holds the segment against the window, then keeps it there if it is text. */
static enum difference
take_in(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, bool text)
{
	struct ev_window *w = ev->d[s->view->dir].window;
	struct run run = {s->p, s->seq, s->len};
	struct overlap o = window_compare(w, &run);
	enum difference diff = difference(ev, w, s, &o);

	c->n.compared += o.len;
	if (diff == HARMLESS) {
		ev->d[s->view->dir].kept_alive = s->pkt->time;
		c->n.keepalives++;
		return diff;
	}
	if (diff == CONFLICT)
		tell(c, ev, s, &o);
	c->n.corrupted += diff == SPOILT;
	if (diff == SPOILT && s->doubt)
		return diff;
	if (text && s->near) {
		window_keep(w, run, diff == SPOILT);
		window_note_segment(w, s);
	}
	return diff;
}

/* Byte by byte where there is text, and by hash where there is more than a
 * window holds: in bodies and within TLS. A handshake is both. */
static enum difference
hold_against(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s)
{
	const struct evidence_view *view = s->view;
	struct evidence_dir *d = &ev->d[view->dir];
	bool opaque = view->opaque || view->phase == PHASE_TLS_DONE ||
		      view->phase == PHASE_OPAQUE;
	bool text = !opaque && !view->body;
	bool bulk = !text || view->phase == PHASE_TLS_HELLO;
	enum ring_keep keep = opaque ? KEEP_SAMPLE
			      : bulk ? KEEP_ALL
				     : KEEP_NONE;
	enum difference diff = SAME;

	if (opaque)
		evidence_return(c, d->window);
	if (d->window != NULL || (text && window_lend(c, d, s) != NULL))
		diff = take_in(c, ev, s, text);
	return diff == SAME ? evidence_ring(c, ev, s, keep) : diff;
}

bool
evidence_overlap(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view, bool doubt)
{
	struct evidence_dir *d = &ev->d[view->dir];
	struct ev_segment s;

	if (pkt->len == 0)
		return false;
	s.pkt = pkt;
	s.view = view;
	s.p = pkt->payload;
	s.seq = pkt->seq + ((pkt->tcp_flags & TCP_SYN) != 0);
	s.len = pkt->len;
	s.doubt = doubt;
	s.odd = (evidence_odd_mac(d, pkt) ? ODD_MAC : 0) |
		(evidence_odd_ts(d, &ev->d[!view->dir], pkt) ? ODD_TS : 0);
	s.near = evidence_is_near(d, &ev->d[!view->dir], s.seq + s.len);
	return hold_against(c, ev, &s) == CONFLICT;
}

void
evidence_public(
    struct evidence_flow *ev, enum dir dir, uint32_t seq, uint32_t len)
{
	struct ev_window *w = ev->d[dir].window;

	if (w == NULL)
		return;
	if (len > EVIDENCE_WINDOW) {
		seq += len - EVIDENCE_WINDOW;
		len = EVIDENCE_WINDOW;
	}
	for (; len > 0 && !in_window(w, seq); len--)
		seq++;
	if (len > 0 && !in_window(w, seq + len - 1))
		len = w->top - seq;
	if (len == 0)
		return;
	map_fill(w->open, seq, len, true);
	if (!w->has_open || seq_diff(seq + len, w->open_end) > 0)
		w->open_end = seq + len;
	w->has_open = w->has_opened = true;
}
