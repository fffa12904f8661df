/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps from observations. A capability list becomes two: the question, whose
 * packet we do not have, and the answer with STARTTLS first. They are kept one
 * behind the other, each as long as its text.
 */
#include "rules/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/tls_hello.h"
#include "rules/ladder_kept.h"
#include "rules/tls_policy.h"
#include "rules/words.h"

#define NAME_SHOWN 80 /* bytes of a name in EHLO */
#define USER_SHOWN 60

#define ROOM_FIRST 64 /* bytes: a greeting, which is all of many */
#define ROOM_NEXT 288 /* a list besides */
#define ROOM_MORE 64 /* a step; there is a block for nearly each so far */

_Static_assert(
    LADDER_HEAD + LADDER_PKT_MAX + LADDER_TEXT_MAX <= sizeof(struct step),
    "no larger");
_Static_assert(LADDER_BYTES_MAX <= UINT16_MAX, "used, room");
_Static_assert(LADDER_BYTES_MAX <= BLOCKS_MAX, "a block");

/* Where the i-th begins. */
static size_t
offset_of(const struct ladder *l, unsigned i)
{
	size_t at = 0;

	while (i-- > 0)
		at += ladder_size_at(l, at);
	return at;
}

void
ladder_fini(struct ladder *l, struct blocks *b)
{
	blocks_put(b, l->bytes, l->room);
	memset(l, 0, sizeof(*l));
}

bool
ladder_set_room(struct ladder *l, struct blocks *b, size_t room)
{
	uint8_t *p;

	room = blocks_room(b, room);
	p = blocks_get(b, room);
	if (p == NULL)
		return false;
	if (l->room > 0) {
		memcpy(p, l->bytes, l->used);
		blocks_put(b, l->bytes, l->room);
	}
	l->bytes = p;
	l->room = (uint16_t)room;
	return true;
}

static bool
grow(struct ladder *l, struct blocks *b, size_t more)
{
	size_t room = ROOM_FIRST;

	if (l->room != 0)
		room = l->room +
		       (l->room < 8 * ROOM_MORE ? ROOM_MORE : l->room / 8u);
	if (l->room != 0 && room < ROOM_NEXT)
		room = ROOM_NEXT;
	if (room < l->used + more)
		room = l->used + more;
	if (room > LADDER_BYTES_MAX)
		room = LADDER_BYTES_MAX;
	return ladder_set_room(l, b, room);
}

/* The first behind the head goes. */
static void
skip_one(struct ladder *l)
{
	size_t at = offset_of(l, LADDER_FIRST);
	size_t size = ladder_size_at(l, at);

	memmove(l->bytes + at, l->bytes + at + size, l->used - at - size);
	l->used -= (uint16_t)size;
	l->n--;
	l->skipped = true;
}

static inline bool
has_room(const struct ladder *l, size_t size)
{
	return l->n < LADDER_STEPS && l->used + size <= l->room;
}

/* For one more of that size. False: there is no memory. */
static __attribute__((noinline)) bool
make_room(struct ladder *l, struct blocks *b, size_t size)
{
	if (l->n == LADDER_STEPS)
		skip_one(l);
	return l->used + size <= l->room || grow(l, b, size);
}

/* When it happened; some things are told only once they are certain. */
static int64_t
step_time(const struct obs *o)
{
	if ((o->kind == OBS_RST || o->kind == OBS_FIN_UNDONE) &&
	    o->pkt.ordinal != 0)
		return o->pkt.time;
	if (o->kind == OBS_FLOW_END && o->u.end.last != 0)
		return o->u.end.last;
	return o->time;
}

struct adding {
	struct ladder *l;
	struct blocks *b;
	const struct obs *o;
	int64_t time;
};

static void
add_step(const struct adding *to, enum dir dir, const struct pkt_ref *pkt,
    struct slice text)
{
	struct kept k = {.time = to->time,
	    .kind = (uint8_t)to->o->kind,
	    .bits = (uint8_t)ladder_kept_bits(pkt, to->time, dir),
	    .len = (uint8_t)text.len};
	size_t size = ladder_kept_size(k.len, k.bits);

	if (has_room(to->l, size) || make_room(to->l, to->b, size))
		ladder_put(to->l, &k, size, pkt, text.p);
}

/* As much of it as is kept. */
static void
add_text(const struct adding *to, const char *text)
{
	add_step(to, (enum dir)to->o->dir, &to->o->pkt,
	    (struct slice){
		(const uint8_t *)text, strnlen(text, LADDER_TEXT_MAX - 1)});
}

/* ---- texts ---- */

struct text {
	size_t len;
	char bytes[LADDER_TEXT_MAX];
};

/* Cut where it does not fit. */
static void
join(struct text *t, const void *p, size_t len)
{
	if (len > LADDER_TEXT_MAX - 1 - t->len)
		len = LADDER_TEXT_MAX - 1 - t->len;
	memcpy(t->bytes + t->len, p, len);
	t->len += len;
}

static void
join_text(struct text *t, const char *s)
{
	join(t, s, strlen(s));
}

static void
join_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	join(t, digits + at, sizeof(digits) - at);
}

/* With a blank before it, but at the beginning. */
static void
append(struct text *t, const void *p, size_t len)
{
	if (t->len > 0)
		join(t, " ", 1);
	join(t, p, len);
}

static void
append_text(struct text *t, const char *s)
{
	append(t, s, strlen(s));
}

/* The word that stands for TLS, if the line begins with it; else empty. */
static struct slice
tls_word(struct slice line)
{
	struct slice w = {line.p, 0};

	if ((line.p[0] | 0x20) != 's')
		return w;
	while (w.len < line.len && w.p[w.len] != ' ' && w.p[w.len] != '=')
		w.len++;
	if (!words_equal(w, "STARTTLS") && !words_equal(w, "STLS"))
		w.len = 0;
	return w;
}

static const char *
caps_head(const struct obs *o)
{
	return o->proto == PROTO_SMTP	 ? "250 …"
	       : o->proto == PROTO_POP3	 ? "+OK …"
	       : o->proto == PROTO_SIEVE ? "capabilities: …"
					 : "* CAPABILITY …";
}

/* "250 … STARTTLS SIZE PIPELINING" */
static void
caps_text(struct text *t, const struct obs *o)
{
	const char *list = o->u.caps.words;
	struct slice line, word;
	struct text others;

	others.len = 0;
	append_text(t, caps_head(o));
	while (words_next_line(&list, &line)) {
		word = tls_word(line);
		if (word.len > 0)
			append(t, word.p, word.len);
		else
			append(&others, line.p, line.len);
	}
	if (others.len > 0)
		append(t, others.bytes, others.len);
}

static void
add_question(const struct adding *to)
{
	const struct obs_caps *c = &to->o->u.caps;
	struct text t;

	memcpy(t.bytes, c->source == CAPS_EHLO ? "EHLO " : "HELO ", 5);
	t.len = 5 + strnlen(c->name, NAME_SHOWN);
	memcpy(t.bytes + 5, c->name, t.len - 5);
	add_step(
	    to, DIR_C2S, NULL, (struct slice){(const uint8_t *)t.bytes, t.len});
}

__attribute__((noinline)) static void
add_caps(const struct adding *to)
{
	const struct obs *o = to->o;
	const struct obs_caps *c = &o->u.caps;
	const char *text;
	struct text t;

	if (c->source == CAPS_EHLO || c->source == CAPS_HELO)
		add_question(to);
	if (c->refused || c->source == CAPS_HELO) {
		add_text(to, o->text);
		return;
	}
	if (c->words[0] == '\0') {
		text = caps_head(o);
		add_step(to, DIR_S2C, &o->pkt,
		    (struct slice){(const uint8_t *)text, strlen(text)});
		return;
	}
	t.len = 0;
	caps_text(&t, o);
	add_step(to, DIR_S2C, &o->pkt,
	    (struct slice){(const uint8_t *)t.bytes, t.len});
}

static void
auth_text(struct text *t, const struct obs *o)
{
	const struct obs_auth *a = &o->u.auth;
	static const char *const outcome[] = {
	    "", ", accepted", ", refused", ", broken off"};

	join_text(t, a->mech_name);
	if (a->user[0] != '\0') {
		join_text(t, " user \"");
		join(t, a->user, strnlen(a->user, USER_SHOWN));
		join_text(t, "\"");
	}
	if (a->secret_sent)
		join_text(t, " password " OBS_MASK);
	if (a->outcome < 4)
		join_text(t, outcome[a->outcome]);
}

static void
content_text(struct text *t, const struct obs *o)
{
	join_text(t, "message, ");
	join_number(t, o->u.content.bytes);
	join_text(t, " bytes, in clear");
}

static void
hello_text(char *buf, size_t cap, const struct obs *o)
{
	const struct obs_hello *h = &o->u.hello;

	if (o->kind == OBS_TLS_CLIENT_HELLO)
		(void)snprintf(buf, cap, "ClientHello %s%s%.64s",
		    tls_version_name(h->version), h->has_sni ? ", SNI " : "",
		    h->sni);
	else
		(void)snprintf(buf, cap, "%s %s, suite 0x%04x",
		    h->retry ? "HelloRetryRequest" : "ServerHello",
		    tls_version_name(h->version), h->suite);
}

/* What of the server's certificate can be seen, where that is nothing. */
static void
done_text(char *buf, size_t cap, const struct obs *o)
{
	const struct obs_done *d = &o->u.done;
	const char *name = tls_version_name(d->version);

	if (d->resumed)
		(void)snprintf(buf, cap,
		    "%s resumed: the certificate was sent in an earlier "
		    "session",
		    name);
	else if (d->version == TLS_13)
		(void)snprintf(buf, cap,
		    "%s established: the certificate is encrypted", name);
	else
		(void)snprintf(buf, cap, "%s established", name);
}

static void
rst_text(char *buf, size_t cap, const struct obs *o)
{
	const struct obs_rst *r = &o->u.rst;
	size_t used;

	(void)snprintf(
	    buf, cap, r->count > 1 ? "RST (%u times)" : "RST", r->count);
	used = strlen(buf);
	if (r->ttl_base != 0 && r->ttl_base != r->ttl_rst)
		(void)snprintf(buf + used, cap - used,
		    "  ttl %u where this host has %u", r->ttl_rst, r->ttl_base);
}

/* NULL: a reset has its own step. */
static const char *
end_text(const struct obs *o)
{
	switch (o->u.end.how) {
	case END_FIN:
		return o->u.end.closed_by == DIR_C2S ? "(closed by the client)"
						     : "(closed by the server)";
	case END_TIMEOUT:
		return "(fell silent)";
	case END_EVICTED:
		return "(no room: not followed on)";
	case END_INPUT:
		return "(end of the capture)";
	case END_REUSED:
		return "(the ports were used again)";
	default:
		return NULL;
	}
}

/* Texts that stand somewhere; NULL: there is none, or make_text() makes one. */
static const char *
plain_text(const struct obs *o)
{
	switch (o->kind) {
	case OBS_FLOW_END:
		return end_text(o);
	case OBS_TLS_APPDATA:
		return "encrypted dialogue";
	case OBS_TWO_ANSWERS:
		return "SYN/ACK with another number";
	case OBS_FIN_UNDONE:
		return "FIN";
	case OBS_AUTH:
	case OBS_RST:
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
	case OBS_TLS_CERT:
	case OBS_TLS_KEY_EXCHANGE:
	case OBS_TLS_ALERT:
	case OBS_TLS_DONE:
	case OBS_CONFLICT:
	case OBS_VERB_UNKNOWN:
	case OBS_MAIL_CONTENT:
		return NULL;
	default:
		return o->text;
	}
}

static void
print_text(char *buf, size_t cap, const struct obs *o)
{
	switch (o->kind) {
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		hello_text(buf, cap, o);
		break;
	case OBS_RST:
		rst_text(buf, cap, o);
		break;
	case OBS_TLS_CERT:
		(void)snprintf(
		    buf, cap, "Certificate, %u in the chain", o->u.cert.count);
		break;
	case OBS_TLS_KEY_EXCHANGE:
		(void)snprintf(
		    buf, cap, "ServerKeyExchange, %u bits", o->u.kex.bits);
		break;
	case OBS_TLS_ALERT:
		(void)snprintf(buf, cap, "Alert %u (level %u)",
		    o->u.alert.description, o->u.alert.level);
		break;
	case OBS_TLS_DONE:
		done_text(buf, cap, o);
		break;
	case OBS_CONFLICT:
		if (o->u.conflict.hashed)
			words_copy(
			    buf, cap, "other bytes for a place already sent");
		else
			(void)snprintf(buf, cap,
			    "other bytes for a place already sent: "
			    "\"%.30s\" / \"%.30s\"",
			    o->u.conflict.first, o->u.conflict.second);
		break;
	case OBS_VERB_UNKNOWN:
		(void)snprintf(buf, cap, "\"%s\" refused: %.60s",
		    o->u.answer.verb, o->text);
		break;
	default:
		break;
	}
}

/* What every second session says is put together without a printf. */
static void
make_text(char buf[LADDER_TEXT_MAX], const struct obs *o)
{
	struct text t;

	t.len = 0;
	if (o->kind == OBS_AUTH) {
		auth_text(&t, o);
	} else if (o->kind == OBS_MAIL_CONTENT) {
		content_text(&t, o);
	} else {
		print_text(buf, LADDER_TEXT_MAX, o);
		return;
	}
	memcpy(buf, t.bytes, t.len);
	buf[t.len] = '\0';
}

/* What nearly every handshake has, and explains nothing. */
static bool
is_usual(const struct obs *o)
{
	return o->kind == OBS_TLS_KEY_EXCHANGE &&
	       tls_grade_key_exchange(&tls_policy_default, &o->u.kex).weight ==
		   0;
}

static void
add_plain(const struct adding *to, const char *text)
{
	const struct obs *o = to->o;

	if (text[0] == '\0' && o->kind >= OBS_TLS_ASKED && o->kind <= OBS_QUIT)
		text = o->u.verb.verb;
	if (text[0] != '\0' || o->kind != OBS_FLOW_END)
		add_text(to, text);
}

__attribute__((noinline)) static void
add_made(const struct adding *to)
{
	char made[LADDER_TEXT_MAX] = "";

	make_text(made, to->o);
	add_plain(to, made);
}

void
ladder_add(struct ladder *l, struct blocks *b, const struct obs *o)
{
	struct adding to = {l, b, o, step_time(o)};
	const char *text;

	if (o->kind == OBS_FLOW_OPEN || o->kind == OBS_NONE || is_usual(o))
		return;
	if (o->kind == OBS_CAPS) {
		add_caps(&to);
		return;
	}
	text = plain_text(o);
	if (text == NULL)
		add_made(&to);
	else
		add_plain(&to, text);
}

void
ladder_tail(
    struct ladder *to, struct blocks *b, const struct ladder *l, unsigned max)
{
	size_t at = offset_of(l, l->n > max ? l->n - max : 0);
	size_t used = l->used - at;

	to->n = 0;
	to->used = 0;
	if (used > to->room && !ladder_set_room(to, b, used))
		return;
	if (used > 0)
		memcpy(to->bytes, l->bytes + at, used);
	to->n = l->n < max ? l->n : (uint8_t)max;
	to->used = (uint16_t)used;
}

/* ---- into an alert ---- */

static void
unfold(struct step *s, const struct kept *k)
{
	const char *text;

	memset(s, 0, sizeof(*s));
	s->time = k->time;
	s->kind = k->kind;
	s->dir = (k->bits & KEPT_DIR) != 0;
	text = ladder_get_pkt(k, &s->pkt);
	memcpy(s->text, text, k->len);
}

static void
copy_steps(const struct ladder *l, struct alert *a)
{
	struct kept k;
	size_t at = 0;

	for (unsigned i = 0; i < l->n; i++) {
		at = ladder_get(l, at, &k);
		unfold(&a->steps[i], &k);
		a->steps[i].flow = a->finding.flow;
	}
	a->nsteps = l->n;
	if (l->skipped)
		a->steps[LADDER_FIRST].mark |= STEP_SKIPPED;
}

/* Makes room for one more: the first step behind the head goes that is not the
 * wrong one. */
static void
drop_step(struct alert *a)
{
	unsigned i = LADDER_FIRST;

	while (i + 1 < a->nsteps && (a->steps[i].mark & STEP_WRONG) != 0)
		i++;
	a->nsteps--;
	memmove(&a->steps[i], &a->steps[i + 1],
	    (a->nsteps - i) * sizeof(a->steps[0]));
	if (i < a->nsteps)
		a->steps[i].mark |= STEP_SKIPPED;
}

/* A new step at its time; what is there already stays before it. */
static struct step *
insert_step(struct alert *a, int64_t time)
{
	unsigned i;

	if (a->nsteps == LADDER_STEPS)
		drop_step(a);
	i = a->nsteps;
	while (i > 0 && a->steps[i - 1].time > time)
		i--;
	memmove(&a->steps[i + 1], &a->steps[i],
	    (a->nsteps - i) * sizeof(a->steps[0]));
	a->nsteps++;
	memset(&a->steps[i], 0, sizeof(a->steps[i]));
	return &a->steps[i];
}

void
ladder_merge(struct alert *a, const struct ladder *l, const struct step *like)
{
	struct kept k;
	struct step *s;
	size_t at = 0;

	for (unsigned i = 0; i < l->n; i++) {
		at = ladder_get(l, at, &k);
		s = insert_step(a, k.time);
		unfold(s, &k);
		s->flow = like->flow;
		s->mark = like->mark;
		s->client_port = like->client_port;
		s->server_port = like->server_port;
	}
}

/* The packet is none of the steps (it was settled later, say). */
static void
insert_wrong(struct alert *a)
{
	struct step *s = insert_step(a, a->finding.time);

	s->flow = a->finding.flow;
	s->time = a->finding.time;
	s->dir = a->finding.pkt.dir;
	s->pkt = a->finding.pkt;
	s->mark = STEP_WRONG;
	words_copy(s->text, sizeof(s->text),
	    a->finding.id == FIND_NONE && a->finding.nevidence > 0
		? a->finding.evidence[0].text
		: finding_info((enum finding_id)a->finding.id)->title);
}

/* By time; they are nearly sorted, and equal ones keep their order. */
static void
sort_steps(struct alert *a)
{
	struct step s;
	unsigned j;

	for (unsigned i = 1; i < a->nsteps; i++) {
		s = a->steps[i];
		for (j = i; j > 0 && a->steps[j - 1].time > s.time; j--)
			a->steps[j] = a->steps[j - 1];
		a->steps[j] = s;
	}
}

void
ladder_fill(const struct ladder *l, struct alert *a)
{
	bool found = false;

	copy_steps(l, a);
	sort_steps(a);
	if (a->finding.pkt.ordinal == 0)
		return;
	for (unsigned i = 0; i < a->nsteps; i++) {
		if (a->steps[i].pkt.ordinal != a->finding.pkt.ordinal)
			continue;
		a->steps[i].mark |= STEP_WRONG;
		found = true;
	}
	if (!found)
		insert_wrong(a);
}
