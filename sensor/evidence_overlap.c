/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payload held against what was sent before under the same numbers. Each
 * direction of a text dialogue borrows a window of its last 4 KiB, in which a
 * map says which bytes are there: segments may come in any order and cut, so
 * a true retransmission agrees byte by byte however it was cut anew. Most
 * directions say a few hundred bytes in all: a window begins small, and is
 * changed for a larger one when it would have to forget what is not yet 4 KiB
 * old.
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

#include <assert.h>
#include <string.h>

#include "sensor/evidence_mark.h"

#define KEEPALIVE_SILENCE 500000000LL /* ns; real ones wait minutes */
#define KEEPALIVE_COPY 100000000LL /* ns */
#define SPOILT_BYTES 8 /* bit errors touch no more */
#define WINDOW_SEGMENTS \
	16 /* packets remembered a window, at most: as many
			      bytes to each as a small window has room for */
#define BEFORE_DIFF 24 /* bytes shown before the first difference */
#define SHOWN 72 /* raw bytes shown of a version */

/*
 * Bytes from `solid` to `top` are all there: in order, as nearly always, the
 * map is not touched. It speaks for what lies before, down to the window's
 * size below top, once a hole was seen. Likewise for public text: the last run
 * of it is told by its ends, and what lies before by a map, which is clear
 * while the window holds none of that.
 *
 * The maps and the bytes are zero when it is lent: what was used is cleared
 * when it comes back.
 */
struct ev_window {
	struct ev_block block;
	uint32_t top; /* one past the highest number in it */
	uint32_t solid; /* from here to top nothing is missing */
	uint32_t low; /* the lowest number that was ever in it */
	uint32_t open_from, open_end; /* the last run of public numbers */
	uint32_t marked_end; /* one past the highest public one in the map */
	uint16_t size; /* bytes */
	uint8_t at, nsegs; /* next of refs[]; used ones */
	bool has_run : 1; /* open_from and open_end hold */
	bool has_marks : 1; /* some number of the window is in the map */
	bool has_marked : 1; /* ... was, since it was lent */
	bool has_map : 1; /* likewise: bits of the other map were set */
	bool turned : 1; /* bytes were written all over */
	struct ev_base base; /* of marks */
	struct ev_mark marks[]; /* the last packets */
	/* then the bytes (by number modulo their size), and the two maps: which
	 * are there, which are public */
};

struct shape {
	uint16_t size, segs, bytes_at, there_at, public_at;
};
#define MARKS_END(segs) \
	(sizeof(struct ev_window) + (segs) * sizeof(struct ev_mark))
#define SHAPE(bytes, n)                                                 \
	{                                                               \
		.size = (bytes), .segs = (n), .bytes_at = MARKS_END(n), \
		.there_at = MARKS_END(n) + (bytes),                     \
		.public_at = MARKS_END(n) + (bytes) + (bytes) / 8       \
	}

static const struct shape shapes[] = {
    [EV_WINDOW_128] = SHAPE(128, 4),
    [EV_WINDOW_256] = SHAPE(256, 9),
    [EV_WINDOW_512] = SHAPE(512, 11),
    [EV_WINDOW_1K] = SHAPE(1024, WINDOW_SEGMENTS),
    [EV_WINDOW_4K] = SHAPE(EVIDENCE_WINDOW, WINDOW_SEGMENTS),
};
static_assert(MARKS_END(4) + 128 + 32 <= 384, "EV_SIZES");
static_assert(MARKS_END(9) + 256 + 64 <= 704, "EV_SIZES");
static_assert(MARKS_END(11) + 512 + 128 <= 1088, "EV_SIZES");
static_assert(MARKS_END(16) + 1024 + 256 <= 1920, "EV_SIZES");
static_assert(MARKS_END(16) + 4096 + 1024 <= 5760, "EV_SIZES");

struct run { /* bytes from a number on */
	const uint8_t *p;
	uint32_t seq, len;
};

struct overlap { /* of one segment with the window */
	uint32_t len, diff; /* bytes compared, bytes that differ */
	uint32_t first; /* number of the first that differs */
};

static inline const struct shape *
shape_of(const struct ev_window *w)
{
	return &shapes[w->block.kind];
}

static inline uint8_t *
bytes_of(const struct ev_window *w)
{
	return (uint8_t *)w + shape_of(w)->bytes_at;
}

static inline uint8_t *
there_of(const struct ev_window *w)
{
	return (uint8_t *)w + shape_of(w)->there_at;
}

static inline uint8_t *
public_of(const struct ev_window *w)
{
	return (uint8_t *)w + shape_of(w)->public_at;
}

static inline uint32_t
place(const struct ev_window *w, uint32_t seq)
{
	return seq & (w->size - 1u);
}

/* The smallest that holds so many bytes, or the largest. */
static enum ev_kind
kind_for(uint32_t len)
{
	enum ev_kind kind = EV_WINDOW_128;

	while (kind < EV_WINDOW_4K && shapes[kind].size < len)
		kind++;
	return kind;
}

static struct ev_window *
window_lend(struct evidence_ctx *c, struct evidence_dir *d, const struct run *s,
    int64_t now)
{
	struct ev_window *w = evidence_lend(c, d, kind_for(s->len), now);

	d->window = w;
	if (w == NULL)
		return NULL;
	c->n.windows++;
	w->size = shape_of(w)->size;
	w->top = w->solid = w->low = s->seq;
	return w;
}

/* Most dialogues are short, and of a window little was touched. It stays in the
 * pool, so that no compiler takes this for needless. */
void
evidence_window_wipe(struct ev_window *w)
{
	uint32_t i = place(w, w->low), n = w->top - w->low;
	uint32_t first = w->size - i;

	if (w->turned || n >= w->size) {
		memset(bytes_of(w), 0, w->size);
	} else {
		first = n < first ? n : first;
		memset(bytes_of(w) + i, 0, first);
		if (n > first)
			memset(bytes_of(w), 0, n - first);
	}
	if (w->has_map)
		memset(there_of(w), 0, w->size / 8u);
	if (w->has_marked)
		memset(public_of(w), 0, w->size / 8u);
	w->has_run = w->has_marks = w->has_marked = w->has_map = w->turned =
	    false;
	w->at = w->nsegs = 0;
}

/* ---- the maps ---- */

static bool
map_has(const uint8_t *map, uint32_t i)
{
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

/* Likewise of the numbers [seq, seq + len), of which all or the last that the
 * window has room for. */
static void
map_fill(const struct ev_window *w, uint8_t *map, struct run r, bool on)
{
	uint32_t i, n;

	if (r.len > w->size) {
		r.seq += r.len - w->size;
		r.len = w->size;
	}
	if (r.len == 0)
		return;
	i = place(w, r.seq);
	n = w->size - i < r.len ? w->size - i : r.len;
	map_fill_run(map, i, n, on);
	if (r.len > n)
		map_fill_run(map, 0, r.len - n, on);
}

/* The window moves on, over bytes that are there. */
static void
window_advance(struct ev_window *w, uint32_t top)
{
	struct run more = {.seq = w->top, .len = top - w->top};

	if (w->has_marks)
		map_fill(w, public_of(w), more, false);
	w->has_marks &= top - w->marked_end < w->size;
	w->has_run &= top - w->open_end < w->size;
	w->top = top;
	if (top - w->solid > w->size)
		w->solid = top - w->size;
	if (top - w->open_from > w->size)
		w->open_from = top - w->size;
}

/* The window moves on, over bytes that are missing. */
static void
window_leave_hole(struct ev_window *w, uint32_t top)
{
	struct run there = {.seq = w->solid, .len = w->top - w->solid};
	struct run hole = {.seq = w->top, .len = top - w->top};

	w->has_map = true;
	map_fill(w, there_of(w), there, true);
	map_fill(w, there_of(w), hole, false);
	window_advance(w, top);
	w->solid = top;
}

/* ---- comparing and keeping ---- */

static bool
in_window(const struct ev_window *w, uint32_t seq)
{
	return w->top - seq - 1 < w->size;
}

static bool
window_has(const struct ev_window *w, uint32_t seq)
{
	if (seq - w->solid < w->top - w->solid)
		return true;
	return w->has_map && in_window(w, seq) &&
	       map_has(there_of(w), place(w, seq));
}

/* seq is in the window. */
static bool
window_is_public(const struct ev_window *w, uint32_t seq)
{
	if (w->has_run && seq - w->open_from < w->open_end - w->open_from)
		return true;
	return w->has_marks && map_has(public_of(w), place(w, seq));
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
		if (bytes_of(w)[place(w, seq)] == s->p[i])
			continue;
		if (o.diff++ == 0)
			o.first = seq;
	}
	return o;
}

/* At most a window of bytes, in one or two pieces. */
static inline void
window_copy(struct ev_window *w, const struct run *s)
{
	uint32_t i = place(w, s->seq), n = w->size - i;

	if (n > s->len)
		n = s->len;
	memcpy(bytes_of(w) + i, s->p, n);
	if (s->len > n)
		memcpy(bytes_of(w), s->p + n, s->len - n);
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
			bytes_of(w)[place(w, s->seq + i)] = s->p[i];
	w->has_map = true;
	map_fill(w, there_of(w), *s, true);
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
	if (seq_diff(s.seq, w->top - w->size) < 0)
		s = rest_of(s, w->top - w->size - s.seq);
	if (seq_diff(s.seq, w->low) < 0)
		w->low = s.seq;
	w->turned |= w->top - w->low >= w->size;
	below = seq_diff(s.seq, old) < 0 ? old - s.seq : 0;
	if (below > 0) {
		part = head_of(s, below);
		window_fill(w, &part, replace);
	}
	part = rest_of(s, below);
	window_copy(w, &part);
}

static inline __attribute__((always_inline)) void
window_note_segment(struct ev_window *w, const struct packet *pkt, uint8_t bits)
{
	const uint8_t segs = (uint8_t)shape_of(w)->segs;

	if (w->nsegs == 0)
		ev_base_begin(&w->base, pkt);
	else if (!ev_base_has(&w->base, pkt))
		ev_base_move(&w->base, pkt, w->marks, w->nsegs);
	ev_mark_set(&w->marks[w->at], &w->base, pkt, bits);
	w->at = (uint8_t)(w->at + 1 == segs ? 0 : w->at + 1);
	if (w->nsegs < segs)
		w->nsegs++;
}

/* The earliest remembered packet that carried this number. */
static struct ev_first
window_segment(const struct ev_window *w, uint32_t seq)
{
	struct ev_first first = {0};

	for (unsigned i = 0; i < w->nsegs; i++) {
		unsigned at = (w->at + i) % w->nsegs;
		const struct ev_mark *m = &w->marks[at];
		uint32_t from = m->seq + ((m->tcp_flags & TCP_SYN) != 0);

		if (seq - from >= ev_mark_len(m))
			continue;
		ev_mark_get(&first.ref, m, &w->base, w->block.owner->side);
		first.tsval = m->tsval;
		first.doubt = (ev_mark_bits(m) & MARK_DOUBT) != 0;
		first.odd = ev_mark_bits(m) & MARK_ODD;
		break;
	}
	return first;
}

/* ---- a larger one ---- */

/* Bits of the old map, for the numbers from..top, to their places. */
static void
map_take_over(uint8_t *map, const struct ev_window *w, const uint8_t *old_map,
    const struct ev_window *old)
{
	for (uint32_t seq = w->low; seq != old->top; seq++) {
		uint32_t i = place(w, seq);

		if (map_has(old_map, place(old, seq)))
			map[i >> 3] |= (uint8_t)(1 << (i & 7));
	}
}

/* What the old one holds, at its place in the new one, which is clear. */
static void
window_take_over(struct ev_window *w, const struct ev_window *old)
{
	uint32_t n = old->top - old->low;
	uint32_t first;

	n = n < old->size ? n : old->size;
	w->low = old->top - n;
	first = old->size - place(old, w->low);
	first = n < first ? n : first;
	window_copy(w,
	    &(struct run){bytes_of(old) + place(old, w->low), w->low, first});
	window_copy(w, &(struct run){bytes_of(old), w->low + first, n - first});
	w->top = old->top;
	w->solid = old->solid;
	w->open_from = old->open_from;
	w->open_end = old->open_end;
	w->marked_end = old->marked_end;
	w->has_run = old->has_run;
	w->has_marks = w->has_marked = old->has_marks;
	w->has_map = old->has_map;
	if (w->has_map)
		map_take_over(there_of(w), w, there_of(old), old);
	if (w->has_marks)
		map_take_over(public_of(w), w, public_of(old), old);
	for (unsigned i = 0; i < old->nsegs; i++) {
		unsigned at = (old->at + i) % old->nsegs;

		w->marks[i] = old->marks[at];
	}
	w->base = old->base;
	w->nsegs = old->nsegs;
	w->at = (uint8_t)(old->nsegs % shape_of(w)->segs);
}

/* If there is none, the old one forgets sooner. */
static struct ev_window *
window_grow(struct evidence_ctx *c, struct evidence_dir *d, enum ev_kind kind,
    int64_t now)
{
	struct ev_window *old = d->window, *w;

	old->block.busy = true;
	w = evidence_lend(c, d, kind, now);
	old->block.busy = false;
	if (w == NULL)
		return old;
	w->size = shape_of(w)->size;
	window_take_over(w, old);
	evidence_return(c, old);
	d->window = w;
	return w;
}

/* All that was in it is too old: it begins anew, as small as it is. */
static void
window_restart(struct ev_window *w, uint32_t seq)
{
	evidence_window_wipe(w);
	w->top = w->solid = w->low = seq;
}

/* Of packets, where a larger one has room for more. */
static inline bool
is_full(const struct ev_window *w)
{
	return w->nsegs == shape_of(w)->segs && w->block.kind < EV_WINDOW_1K;
}

/* The direction's window, with room for the segment as long as what is in it
 * has its place in 4 KiB. */
static struct ev_window *
window_for(struct evidence_ctx *c, struct evidence_dir *d, const struct run *s,
    int64_t now)
{
	struct ev_window *w = d->window;
	uint32_t end = s->seq + s->len, low, top, need;
	enum ev_kind kind = (enum ev_kind)w->block.kind;

	if (seq_diff(s->seq, w->top) >= EVIDENCE_WINDOW)
		window_restart(w, s->seq);
	if (kind == EV_WINDOW_4K)
		return w;
	low = seq_diff(s->seq, w->low) < 0 ? s->seq : w->low;
	top = seq_diff(end, w->top) > 0 ? end : w->top;
	need = top - low;
	if (need <= w->size && !is_full(w))
		return w;
	return window_grow(
	    c, d, need <= w->size ? kind + 1 : kind_for(need), now);
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
		a[n] = bytes_of(w)[place(w, seq)];
		b[n] = s->p[seq - s->seq];
		masked |= !window_is_public(w, seq);
	}
	out->masked = masked;
	show(out->first, sizeof(out->first), a, n, masked);
	show(out->second, sizeof(out->second), b, n, masked);
}

static void
tell(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, const struct overlap *o)
{
	const struct ev_window *w = ev->d[s->view->dir].window;
	struct ev_first first = window_segment(w, o->first);
	struct obs obs;

	evidence_conflict_init(&obs, ev, s, &first);
	obs.u.conflict.seq = o->first;
	obs.u.conflict.len = o->len;
	obs.u.conflict.diff = o->diff;
	obs.u.conflict.used_first |= window_is_public(w, o->first);
	show_versions(&obs.u.conflict, w, s, o->first);
	evidence_conflict(c, ev, &obs, s, &first);
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
		   (evidence_rest(d)->kept_alive != 0 &&
		       s->pkt->time - evidence_rest(d)->kept_alive <
			   KEEPALIVE_COPY));
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
	    (s->doubt || window_segment(w, o->first).doubt))
		return SPOILT;
	return CONFLICT;
}

/* The next bytes, and nothing has to go for them. */
static inline bool
window_append(struct ev_window *w, const struct packet *pkt,
    const struct run *s, uint8_t bits)
{
	const struct shape *shape = shape_of(w);
	uint32_t end = s->seq + s->len, i = place(w, s->seq);

	if (s->seq != w->top || w->turned || end - w->low >= w->size ||
	    is_full(w))
		return false;
	if (i + s->len <= w->size)
		memcpy((uint8_t *)w + shape->bytes_at + i, s->p, s->len);
	else
		window_copy(w, s);
	w->top = end;
	window_note_segment(w, pkt, bits);
	return true;
}

/* Holds the segment against the window, then keeps it there if it is text. */
static enum difference
take_in(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, bool text)
{
	struct evidence_dir *d = &ev->d[s->view->dir];
	struct run run = {s->p, s->seq, s->len};
	uint8_t bits = (uint8_t)(s->odd | (s->doubt ? MARK_DOUBT : 0));
	enum difference diff = SAME;

	if (text && s->near && window_append(d->window, s->pkt, &run, bits))
		return SAME;
	if (seq_diff(s->seq, d->window->top) < 0) {
		struct overlap o = window_compare(d->window, &run);

		diff = difference(ev, d->window, s, &o);
		c->n.compared += o.len;
		if (diff == CONFLICT)
			tell(c, ev, s, &o);
	}
	if (diff == HARMLESS) {
		evidence_rest(d)->kept_alive = s->pkt->time;
		c->n.keepalives++;
		return diff;
	}
	c->n.corrupted += diff == SPOILT;
	if (diff == SPOILT && s->doubt)
		return diff;
	if (text && s->near) {
		struct ev_window *w = window_for(c, d, &run, s->pkt->time);

		window_keep(w, run, diff == SPOILT);
		window_note_segment(w, s->pkt, bits);
	}
	return diff;
}

/* For what is to be kept of it. */
static bool
has_window(
    struct evidence_ctx *c, struct evidence_dir *d, const struct ev_segment *s)
{
	struct run run = {s->p, s->seq, s->len};

	return d->window != NULL || window_lend(c, d, &run, s->pkt->time);
}

static enum difference
hold_against(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s)
{
	struct evidence_dir *d = &ev->d[s->view->dir];
	enum ring_keep keep = evidence_keep_of(s->view);
	bool text = keep != KEEP_SAMPLE && !s->view->body;
	enum difference diff = SAME;

	if (keep == KEEP_SAMPLE && d->window != NULL)
		evidence_return(c, d->window);
	if (text ? has_window(c, d, s) : d->window != NULL)
		diff = take_in(c, ev, s, text);
	if (diff != SAME || (keep == KEEP_NONE && d->ring == NULL))
		return diff;
	return evidence_ring(c, ev, s, keep);
}

bool
evidence_is_beyond(const struct evidence_dir *d, uint32_t seq)
{
	return seq_diff(seq, d->window->top) >= 0;
}

/* The next bytes, and a larger window for them, or older ones that go. */
static __attribute__((noinline)) void
window_go_on(struct evidence_ctx *c, struct evidence_dir *d,
    const struct packet *pkt, const struct run *s, uint8_t bits)
{
	struct ev_window *w = window_for(c, d, s, pkt->time);

	window_keep(w, *s, false);
	window_note_segment(w, pkt, bits);
}

bool
evidence_text_next(struct evidence_ctx *c, struct evidence_dir *d,
    const struct packet *pkt, uint8_t odd)
{
	struct run run = {pkt->payload, pkt->seq, pkt->len};

	if (d->window == NULL && window_lend(c, d, &run, pkt->time) == NULL)
		return true;
	if (window_append(d->window, pkt, &run, odd))
		return true;
	if (run.seq != d->window->top)
		return false;
	window_go_on(c, d, pkt, &run, odd);
	return true;
}

bool
evidence_overlap(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view, bool doubt)
{
	struct evidence_dir *d = &ev->d[view->dir];
	struct ev_segment s;

	s.pkt = pkt;
	s.view = view;
	s.p = pkt->payload;
	s.seq = pkt->seq + ((pkt->tcp_flags & TCP_SYN) != 0);
	s.len = pkt->len;
	s.doubt = doubt;
	s.odd = (evidence_odd_mac(d, pkt) ? ODD_MAC : 0) |
		(evidence_odd_ts(d, &ev->d[!view->dir], pkt) ? ODD_TS : 0);
	s.near = evidence_is_next(d, s.seq, s.len) ||
		 evidence_is_near(d, &ev->d[!view->dir], s.seq + s.len);
	return hold_against(c, ev, &s) == CONFLICT;
}

/* The run so far goes into the map. */
static void
mark_run(struct ev_window *w)
{
	struct run r = {.seq = w->open_from, .len = w->open_end - w->open_from};

	map_fill(w, public_of(w), r, true);
	if (!w->has_marks || seq_diff(w->open_end, w->marked_end) > 0)
		w->marked_end = w->open_end;
	w->has_marks = w->has_marked = true;
}

void
evidence_public(
    struct evidence_flow *ev, enum dir dir, uint32_t seq, uint32_t len)
{
	struct ev_window *w = ev->d[dir].window;
	uint32_t from, end = seq + len;

	if (w == NULL)
		return;
	from = w->top - w->low < w->size ? w->low : w->top - w->size;
	if (seq_diff(seq, from) < 0)
		seq = from;
	if (seq_diff(end, w->top) > 0)
		end = w->top;
	if (seq_diff(end, seq) <= 0)
		return;
	if (w->has_run && seq - w->open_from <= w->open_end - w->open_from) {
		if (seq_diff(end, w->open_end) > 0)
			w->open_end = end;
		return;
	}
	if (w->has_run)
		mark_run(w);
	w->open_from = seq;
	w->open_end = end;
	w->has_run = true;
}
