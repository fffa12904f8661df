/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One mail connection: cuts the bytes of each direction into lines, bodies,
 * counted runs and TLS records, and hands each to whom it belongs. Decisions
 * are made on complete lines or on a few held bytes only, never on where a
 * segment happened to end.
 *
 * Where a TLS record may begin (at the start of any line; anywhere between
 * asking for TLS and the records) bytes that could be its header are held
 * back until five of them decide.
 */
#include "decoders/mail.h"

#include <string.h>

#include "decoders/mail_core.h"

size_t
mail_size(void)
{
	return sizeof(struct mail);
}

void
mail_init(struct mail *m, struct mail_env *env, const struct mail_flow *flow)
{
	size_t size = sizeof(*m);

	__asm__("" : "+r"(size)); /* see obs.c: the library clears faster */
	memset(m, 0, size);
	m->env = env;
	m->flow = flow->flow;
	m->vis = flow->vis;
	m->client_port = flow->client_port;
	m->server_port = flow->server_port;
	m->phase = PHASE_TEXT;
	line_init(&m->half[DIR_C2S].line, NULL, MAIL_LINE_C2S);
	line_init(&m->half[DIR_S2C].line, NULL, MAIL_LINE_S2C);
}

const struct pkt_ref *
mail_now(const struct mail *m)
{
	return m->pkt != NULL ? m->pkt : &m->last_pkt;
}

bool
mail_is_whole(const struct mail *m)
{
	return (m->vis & (VIS_MIDSTREAM | VIS_ONE_WAY | VIS_GAP_C2S |
			     VIS_GAP_S2C | VIS_TRUNCATED)) == 0;
}

static enum phase
phase_of(const struct mail *m)
{
	if (m->tls_up && m->phase == PHASE_TLS_HELLO)
		return tls_phase(m->part[PART_TLS]);
	return (enum phase)m->phase;
}

void
mail_emit(struct mail *m, struct obs *o, enum dir dir)
{
	o->dir = (uint8_t)dir;
	o->proto = m->proto;
	o->phase = (uint8_t)phase_of(m);
	o->implicit_tls = m->implicit_tls;
	o->vis = m->vis;
	o->oddities = m->oddities;
	o->flow = m->flow;
	o->time = m->time;
	if (o->pkt.ordinal == 0)
		o->pkt = *mail_now(m);
	m->env->sink.emit(m->env->sink.ctx, o);
}

/* ---- the modes of a direction ---- */

void
mail_stop(struct mail *m, enum phase phase)
{
	for (unsigned d = 0; d < 2; d++) {
		line_wipe(&m->half[d].line);
		m->half[d].mode = HALF_OFF;
		m->half[d].nheld = 0;
	}
	m->phase = (uint8_t)phase;
}

void
mail_set_secret(struct mail *m, enum dir dir)
{
	m->half[dir].is_public = 0;
}

void
mail_body_begin(struct mail *m, enum dir dir, bool bare_lf)
{
	struct half *h = &m->half[dir];

	body_start(&h->body, bare_lf);
	h->body.strict = dir == DIR_C2S;
	line_wipe(&h->line);
	h->mode = HALF_DOT;
	h->torn = 0;
	m->env->n.bodies++;
}

void
mail_count_begin(struct mail *m, enum dir dir, uint64_t n, bool is_body)
{
	struct half *h = &m->half[dir];

	line_wipe(&h->line);
	h->is_body = is_body;
	h->count = n;
	if (n > 0)
		h->mode = HALF_COUNT;
}

void
mail_keep_begin(struct mail *m, enum dir dir, uint64_t n)
{
	struct half *h = &m->half[dir];

	line_wipe(&h->line);
	h->count = n;
	h->mode = HALF_KEEP;
}

void
mail_run_abort(struct mail *m, enum dir dir)
{
	struct half *h = &m->half[dir];
	bool fresh = h->mode != HALF_DOT || body_at_line_start(&h->body);

	if (h->mode != HALF_DOT && h->mode != HALF_COUNT &&
	    h->mode != HALF_KEEP)
		return;
	line_wipe(&h->line);
	if (!fresh)
		line_lose(&h->line);
	h->mode = HALF_LINE;
}

/* ---- text ---- */

/* A line while the protocol is unknown. */
static __attribute__((noinline)) enum proto
find_proto(struct mail *m, enum dir dir, const struct line *l)
{
	enum proto p = mail_detect(m, dir, l);
	const struct mail_ops *ops = mail_ops_of(p);

	if (p == PROTO_OTHER)
		mail_stop(m, PHASE_OPAQUE);
	if (p != PROTO_UNKNOWN)
		m->env->n.flows[p]++;
	m->proto = (uint8_t)p;
	if (ops != NULL) {
		if (m->part[PART_PROXY] != NULL)
			proxy_emit(m);
		ops->start(m);
	}
	return p;
}

static inline void
line_to_proto(struct mail *m, enum dir dir, const struct line *l)
{
	const struct mail_ops *ops;
	enum proto p = (enum proto)m->proto;

	if (p == PROTO_UNKNOWN) {
		if (dir == DIR_C2S && proxy_line(m, l)) {
			mail_set_secret(m, dir);
			return;
		}
		p = find_proto(m, dir, l);
	}
	m->half[dir].spoke = 1;
	ops = mail_ops_of(p);
	if (ops == NULL) {
		mail_set_secret(m, dir);
		return;
	}
	if (m->env->lines[p] != 0)
		mail_tell_line(m, dir, l);
	ops->line(m, dir, l);
}

/* Behind a hole: does the dialogue go on with this line? Most holes are
 * segments, and most segments of a dialogue end with a line: often it is the
 * first one. The rest of a line, of a message or of a record is passed by. */
static bool
mends(struct mail *m, enum dir dir, const struct line *l)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);

	if (ops != NULL)
		return ops->is_whole(dir, l->text);
	m->half[dir].torn = 0; /* from the next line on */
	return false;
}

static void
note_odd(struct mail *m, const struct line *l)
{
	m->env->n.overlong_lines += l->overlong;
	m->env->n.bare_lf += l->bare_lf;
	m->env->n.nul_bytes += l->has_nul;
	m->oddities |=
	    (l->bare_lf ? ODD_BARE_LF : 0) | (l->has_nul ? ODD_NUL : 0);
}

static inline void
count_line(struct mail *m, const struct line *l)
{
	m->env->n.lines++;
	if (l->overlong || l->bare_lf || l->has_nul)
		note_odd(m, l);
}

/* in goes up to the first LF in it, if there is one. */
static size_t
read_line(struct mail *m, enum dir dir, struct slice in)
{
	struct half *h = &m->half[dir];
	struct line l;

	if (in.p[in.len - 1] != '\n')
		mail_line_room(m, dir);
	if (!line_take(&h->line, in, &l))
		return in.len;
	count_line(m, &l);
	if (h->torn && !mends(m, dir, &l)) {
		mail_set_secret(m, dir);
	} else {
		h->torn = 0;
		line_to_proto(m, dir, &l);
	}
	return in.len;
}

static void
end_run(struct mail *m, enum dir dir)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);
	struct half *h = &m->half[dir];

	h->mode = HALF_LINE;
	if (dir == DIR_C2S && proxy_is_under_way(m))
		proxy_run_end(m);
	else if (ops != NULL)
		ops->run_end(m, dir);
	line_wipe(&h->line);
}

static size_t
read_body(struct mail *m, enum dir dir, struct slice in)
{
	struct half *h = &m->half[dir];
	bool end;
	size_t n;

	if (body_reads_lines(&h->body))
		mail_line_room(m, dir);
	n = body_dotted(&h->body, &h->line, in, &end);
	h->is_public = 0;
	m->env->n.body_bytes += n;
	if (h->body.odd_dot && h->body.strict) { /* who ends it where? */
		m->oddities |= ODD_DOT;
		m->vis |= VIS_AMBIGUOUS;
	}
	if (end)
		end_run(m, dir);
	return n;
}

static size_t
read_counted(struct mail *m, enum dir dir, struct slice in)
{
	struct half *h = &m->half[dir];

	if (in.len > h->count)
		in.len = (size_t)h->count;
	h->is_public = 0;
	h->count -= in.len;
	if (h->mode == HALF_KEEP || (h->is_body && body_reads_lines(&h->body)))
		mail_line_room(m, dir);
	if (h->mode == HALF_KEEP) {
		line_store(&h->line, in);
	} else if (h->is_body) {
		body_counted(&h->body, &h->line, in);
		m->env->n.body_bytes += in.len;
	}
	if (h->count == 0)
		end_run(m, dir);
	return in.len;
}

/* Of a body or a run; returns bytes taken, at least 1. */
static size_t
read_run(struct mail *m, enum dir dir, struct slice in)
{
	switch (m->half[dir].mode) {
	case HALF_DOT:
		return read_body(m, dir, in);
	case HALF_COUNT:
	case HALF_KEEP:
		return read_counted(m, dir, in);
	default:
		return in.len;
	}
}

/* Text of one unit at most; returns bytes taken, at least 1. */
static size_t
take_text(struct mail *m, enum dir dir, struct slice in)
{
	const uint8_t *lf;
	size_t n;

	if (m->half[dir].mode != HALF_LINE) {
		n = read_run(m, dir, in);
		if (m->phase != PHASE_TEXT)
			starttls_count(m, dir, n);
		return n;
	}
	/* One line at a time, so that what a line changes counts at once. */
	lf = memchr(in.p, '\n', in.len);
	if (lf != NULL)
		in.len = (size_t)(lf - in.p) + 1;
	if (m->phase != PHASE_TEXT)
		starttls_count(m, dir, in.len);
	return read_line(m, dir, in);
}

/* ---- TLS ---- */

static void
feed_tls(struct mail *m, enum dir dir, struct slice in)
{
	struct tls_head head = {m->flow, m->vis, m->proto, m->implicit_tls};
	struct tls *t = m->part[PART_TLS];

	m->half[dir].is_public = 0;
	t->head = head;
	starttls_count(m, dir, in.len);
	tls_data(t, dir, in, mail_now(m));
	if (tls_broken(t))
		mail_stop(m, PHASE_OPAQUE);
	else if (!tls_wants(t, DIR_C2S) && !tls_wants(t, DIR_S2C))
		mail_stop(m, tls_phase(t));
}

/* The first record of a direction. */
static void
begin_tls(struct mail *m, enum dir dir)
{
	struct half *h = &m->half[dir];
	struct tls_head head;

	if (m->proto == PROTO_UNKNOWN) {
		m->proto = (uint8_t)mail_port_proto(m->server_port);
		if (m->proto == PROTO_UNKNOWN)
			m->proto = PROTO_OTHER;
		m->env->n.flows[m->proto]++;
		m->implicit_tls = !m->half[0].spoke && !m->half[1].spoke &&
				  ((m->vis & VIS_MIDSTREAM) == 0 ||
				      mail_port_is_tls(m->server_port));
		if (m->proto == PROTO_OTHER) {
			mail_stop(m, PHASE_OPAQUE);
			return;
		}
	}
	if (!m->tls_up) {
		head = (struct tls_head){
		    m->flow, m->vis, m->proto, m->implicit_tls};
		tls_init(mail_part(m, PART_TLS), m->env, &head);
		proxy_emit(m);
	}
	m->tls_up = 1;
	starttls_record(m, dir);
	line_wipe(&h->line);
	h->mode = HALF_TLS;
	h->spoke = 1;
}

static bool
may_begin_record(uint8_t c)
{
	return (c >= 0x14 && c <= 0x17) || c >= 0x80;
}

/* Place of the first byte that may begin a record, or in.len. */
static size_t
find_record(const struct mail *m, enum dir dir, struct slice in)
{
	const struct half *h = &m->half[dir];
	const uint8_t *p;

	if (h->mode == HALF_LINE && line_is_fresh(&h->line) &&
	    may_begin_record(in.p[0]))
		return 0;
	if (!starttls_watches(m, dir))
		return in.len;
	p = memchr(in.p, 0x16, in.len);
	return p != NULL ? (size_t)(p - in.p) : in.len;
}

/* Held bytes are no record: the first is text, look again at the others. */
static void
release_held(struct mail *m, enum dir dir, bool all)
{
	struct half *h = &m->half[dir];
	uint8_t held[MAIL_HELD];
	struct slice in = {held, h->nheld}, first;

	memcpy(held, h->held, sizeof(held));
	h->nheld = 0;
	while (in.len > 0 && h->mode != HALF_OFF) {
		first = (struct slice){in.p, 1};
		take_text(m, dir, first);
		in = slice_from(in, 1);
		if (all || in.len == 0 || h->mode == HALF_OFF)
			continue;
		if (find_record(m, dir, in) == 0)
			break;
	}
	if (h->mode == HALF_OFF)
		return;
	memcpy(h->held, in.p, in.len);
	h->nheld = (uint8_t)in.len;
}

static void
hold(struct mail *m, enum dir dir, uint8_t c)
{
	struct half *h = &m->half[dir];

	h->held[h->nheld++] = c;
	h->is_public = 0;
	for (;;) {
		struct slice s = {h->held, h->nheld};
		enum tls_looks looks =
		    s.len > 0 ? tls_looks_like_record(s) : TLS_LOOKS_MAYBE;

		if (looks == TLS_LOOKS_YES) {
			h->nheld = 0;
			begin_tls(m, dir);
			if (h->mode == HALF_TLS)
				feed_tls(m, dir, s);
			return;
		}
		if (looks == TLS_LOOKS_MAYBE && h->nheld < MAIL_HELD)
			return;
		release_held(m, dir, false);
	}
}

/* The first record, all of its header: nothing has to be held back. */
static bool
is_record(const struct half *h, struct slice in)
{
	if (h->nheld > 0 || in.len < TLS_RECORD_HEAD)
		return false;
	in.len = TLS_RECORD_HEAD;
	return tls_looks_like_record(in) == TLS_LOOKS_YES;
}

static size_t
step(struct mail *m, enum dir dir, struct slice in)
{
	struct half *h = &m->half[dir];
	size_t at;

	if (h->mode == HALF_OFF)
		return in.len;
	if (h->mode == HALF_TLS) {
		feed_tls(m, dir, in);
		return in.len;
	}
	at = h->nheld > 0 ? 0 : find_record(m, dir, in);
	if (at == 0 && is_record(h, in)) {
		begin_tls(m, dir);
		if (h->mode == HALF_TLS)
			feed_tls(m, dir, in);
		return in.len;
	}
	if (at == 0) {
		hold(m, dir, in.p[0]);
		return 1;
	}
	return take_text(m, dir, (struct slice){in.p, at});
}

static __attribute__((noinline)) unsigned
take_bytes(struct mail *m, enum dir dir, struct slice in)
{
	while (in.len > 0)
		in = slice_from(in, step(m, dir, in));
	return MAIL_CHANGED | (mail_text_is_public(m, dir) ? MAIL_PUBLIC : 0u);
}

/* ---- the door ---- */

static inline void
set_now(struct mail *m, const struct pkt_ref *pkt)
{
	m->pkt = pkt;
	if (pkt->time > m->time)
		m->time = pkt->time;
}

static void
starve(struct mail *m)
{
	m->vis |= VIS_CUT;
	mail_stop(m, PHASE_OPAQUE);
	mail_drop(m);
}

/* What was borrowed and is empty goes back; without memory it all ends. */
static inline void
unset_now(struct mail *m)
{
	m->last_pkt = *m->pkt;
	m->pkt = NULL;
	mail_parts_idle(m);
	if (m->starved)
		starve(m);
}

/* Text, in which no record may begin but at the start of a line. */
static inline bool
is_plain(const struct mail *m, const struct half *h)
{
	return m->phase == PHASE_TEXT && !h->nheld && !h->torn && !h->line.lost;
}

/* The usual packet of a message: all of it is body. */
static inline bool
is_within_body(struct mail *m, enum dir dir, struct slice *in)
{
	const struct half *h = &m->half[dir];

	if (h->mode != HALF_DOT || !is_plain(m, h))
		return false;
	*in = slice_from(*in, read_body(m, dir, *in));
	return in->len == 0 && h->mode == HALF_DOT && h->body.bytes > 0 &&
	       !m->starved;
}

/* The usual packet of a dialogue. */
static inline bool
is_one_line(
    const struct mail *m, const struct half *h, struct slice in, struct line *l)
{
	if (h->mode != HALF_LINE || h->line.seen != 0 || !is_plain(m, h) ||
	    may_begin_record(in.p[0]))
		return false;
	if (line_is_usual(in)) {
		line_usual(in, l);
		return true;
	}
	if (memchr(in.p, '\n', in.len) != in.p + in.len - 1)
		return false;
	line_whole(&h->line, in, l);
	return true;
}

/* What mail_state() tells but the modes, and a little more. */
static inline uint64_t
state_word(const struct mail *m)
{
	uint64_t word;

	_Static_assert(
	    offsetof(struct mail, ended) + 1 - offsetof(struct mail, proto) ==
		sizeof(word),
	    "proto, phase, implicit_tls, quit, starved are in it");
	memcpy(&word, &m->proto, sizeof(word));
	return word;
}

static inline bool
is_in_exchange(const struct mail *m, enum dir dir)
{
	return dir == DIR_C2S && mail_sasl(m)->active;
}

/* Nothing was held back or missing before it, and so it is still. */
static inline unsigned
take_line(struct mail *m, enum dir dir, const struct line *l)
{
	const struct half *h = &m->half[dir], *peer = &m->half[!dir];
	uint64_t told = state_word(m);
	uint8_t mode = peer->mode;
	unsigned fed = 0;

	count_line(m, l);
	line_to_proto(m, dir, l);
	if (state_word(m) != told || h->mode != HALF_LINE || peer->mode != mode)
		fed |= MAIL_CHANGED;
	if (h->is_public && h->mode == HALF_LINE && !is_in_exchange(m, dir))
		fed |= MAIL_PUBLIC;
	return fed;
}

unsigned
mail_data(
    struct mail *m, enum dir dir, struct slice in, const struct pkt_ref *pkt)
{
	struct half *h = &m->half[dir];
	unsigned fed = 0;
	struct line l;

	if (h->mode == HALF_OFF || in.len == 0)
		return MAIL_CHANGED;
	set_now(m, pkt);
	h->is_public = 1;
	if (is_one_line(m, h, in, &l))
		fed = take_line(m, dir, &l);
	else if (!is_within_body(m, dir, &in))
		fed = take_bytes(m, dir, in);
	unset_now(m);
	return m->starved ? MAIL_CHANGED : fed;
}

/* A run whose length is known goes on behind the hole. */
static void
gap_counted(struct mail *m, enum dir dir, uint64_t n)
{
	struct half *h = &m->half[dir];

	h->count -= n;
	if (h->is_body)
		body_gap(&h->body, &h->line, n);
	if (h->count == 0)
		end_run(m, dir);
}

static void
gap_text(struct mail *m, enum dir dir, uint64_t n)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);
	struct half *h = &m->half[dir];

	h->nheld = 0;
	if (h->mode == HALF_DOT) {
		body_gap(&h->body, &h->line, n);
	} else if (h->mode == HALF_COUNT && h->count >= n) {
		gap_counted(m, dir, n);
	} else {
		h->mode = HALF_LINE;
		h->torn = 1;
		line_wipe(&h->line);
		m->env->n.resyncs++;
	}
	if (ops != NULL)
		ops->gap(m, dir);
}

void
mail_gap(struct mail *m, enum dir dir, uint64_t n, const struct pkt_ref *pkt)
{
	struct half *h = &m->half[dir];

	if (h->mode == HALF_OFF || n == 0)
		return;
	set_now(m, pkt);
	m->env->n.gaps++;
	m->vis |= dir == DIR_C2S ? VIS_GAP_C2S : VIS_GAP_S2C;
	h->is_public = 0;
	if (h->mode == HALF_TLS)
		tls_gap(m->part[PART_TLS], dir, n);
	else
		gap_text(m, dir, n);
	unset_now(m);
}

bool
mail_eof(struct mail *m, enum dir dir, const struct pkt_ref *pkt)
{
	struct half *h = &m->half[dir];
	bool changed = h->mode == HALF_TLS || h->nheld > 0;

	if (h->mode == HALF_OFF)
		return true;
	set_now(m, pkt);
	if (h->mode == HALF_TLS)
		tls_eof(m->part[PART_TLS], dir);
	else if (h->nheld > 0)
		release_held(m, dir, true);
	unset_now(m);
	return changed;
}

void
mail_end(struct mail *m, int64_t time)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);

	if (m->ended)
		return;
	m->ended = 1;
	if (time > m->time)
		m->time = time;
	for (unsigned d = 0; d < 2; d++)
		if (m->half[d].nheld > 0)
			release_held(m, (enum dir)d, true);
	if (ops != NULL && m->phase != PHASE_OPAQUE) {
		ops->flush(m);
		starttls_end(m, DIR_C2S);
		starttls_end(m, DIR_S2C);
	}
	mail_stop(m, phase_of(m));
	mail_drop(m);
}

void
mail_drop(struct mail *m)
{
	if (m->part[PART_TLS] != NULL)
		tls_fini(m->part[PART_TLS]);
	m->tls_up = 0;
	mail_parts_end(m);
}

static inline enum mail_want
wants(const struct mail *m, enum dir dir)
{
	uint8_t mode = m->half[dir].mode;

	if (mode == HALF_TLS)
		return tls_wants(m->part[PART_TLS], dir) ? MAIL_BYTES
							 : MAIL_NOTHING;
	return mode == HALF_OFF ? MAIL_NOTHING : MAIL_BYTES;
}

enum mail_want
mail_wants(const struct mail *m, enum dir dir)
{
	return wants(m, dir);
}

void
mail_add_vis(struct mail *m, uint32_t vis)
{
	m->vis |= vis;
}

static inline bool
is_in_body(const struct half *h)
{
	return h->mode == HALF_DOT || (h->mode == HALF_COUNT && h->is_body);
}

void
mail_state(const struct mail *m, struct mail_state *out)
{
	out->proto = m->proto;
	out->phase = (uint8_t)phase_of(m);
	out->implicit_tls = m->implicit_tls;
	out->quit = m->quit;
	out->starved = m->starved;
	out->wants[0] = out->wants[1] = MAIL_BYTES;
	out->in_body[0] = out->in_body[1] = false;
	if ((m->half[0].mode | m->half[1].mode) == HALF_LINE)
		return;
	for (unsigned d = 0; d < 2; d++) {
		out->wants[d] = (uint8_t)wants(m, (enum dir)d);
		out->in_body[d] = is_in_body(&m->half[d]);
	}
}

bool
mail_text_is_public(const struct mail *m, enum dir dir)
{
	const struct mail_ops *ops = mail_ops_of((enum proto)m->proto);
	const struct half *h = &m->half[dir];

	if (ops == NULL || h->mode != HALF_LINE || !h->is_public || h->torn ||
	    h->nheld > 0 || h->line.lost || is_in_exchange(m, dir))
		return false;
	return h->line.len == 0 ||
	       ops->partial_is_public(dir, line_partial(&h->line));
}
