/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Steps from observations. A capability list becomes two: the question, whose
 * packet we do not have, and the answer with STARTTLS first. The last steps
 * are a ring behind the first ones.
 */
#include "rules/ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/tls_hello.h"
#include "rules/tls_policy.h"
#include "rules/words.h"

#define NAME_SHOWN 80 /* bytes of a name in EHLO */

void
ladder_fini(struct ladder *l)
{
	free(l->step);
	memset(l, 0, sizeof(*l));
}

static bool
grow(struct ladder *l)
{
	unsigned room = l->room == 0 ? 6 : l->room < 12 ? 12 : LADDER_STEPS;
	struct step *p;

	if (l->n < l->room)
		return true;
	p = realloc(l->step, room * sizeof(*p));
	if (p == NULL)
		return false;
	l->step = p;
	l->room = (uint8_t)room;
	return true;
}

static struct step *
new_step(struct ladder *l)
{
	struct step *s;

	if (l->n < LADDER_STEPS) {
		if (!grow(l))
			return NULL;
		return &l->step[l->n++];
	}
	s = &l->step[LADDER_FIRST + l->next];
	l->next = (uint8_t)((l->next + 1) % LADDER_LAST);
	l->skipped++;
	return s;
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

static struct step *
add_step(struct ladder *l, const struct obs *o, const char *text)
{
	struct step *s = new_step(l);

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->flow = o->flow;
	s->time = step_time(o);
	s->kind = o->kind;
	s->dir = o->dir;
	s->pkt = o->pkt;
	words_copy(s->text, sizeof(s->text), text);
	return s;
}

/* ---- texts ---- */

static void
append(char *buf, size_t cap, struct slice s)
{
	size_t used = strlen(buf);

	if (used + 1 >= cap)
		return;
	if (used > 0)
		buf[used++] = ' ';
	if (s.len > cap - used - 1)
		s.len = cap - used - 1;
	memcpy(buf + used, s.p, s.len);
	buf[used + s.len] = '\0';
}

static bool
is_tls_word(struct slice w)
{
	return words_equal(w, "STARTTLS") || words_equal(w, "STLS");
}

/* "250 … STARTTLS SIZE PIPELINING" */
static void
caps_text(char *buf, size_t cap, const struct obs *o)
{
	const struct obs_caps *c = &o->u.caps;
	const char *list = c->words;
	struct slice line, token;

	words_copy(buf, cap,
	    o->proto == PROTO_SMTP    ? "250 …"
	    : o->proto == PROTO_POP3  ? "+OK …"
	    : o->proto == PROTO_SIEVE ? "capabilities: …"
				      : "* CAPABILITY …");
	while (words_next(&list, &line, &token))
		if (is_tls_word(token))
			append(buf, cap, token);
	list = c->words;
	while (words_next(&list, &line, &token))
		if (!is_tls_word(token))
			append(buf, cap, line);
}

static void
add_caps(struct ladder *l, const struct obs *o)
{
	const struct obs_caps *c = &o->u.caps;
	char text[LADDER_TEXT_MAX] = "";
	struct obs ask;
	struct step *s;

	if (c->source == CAPS_EHLO || c->source == CAPS_HELO) {
		words_copy(text, sizeof(text),
		    c->source == CAPS_EHLO ? "EHLO " : "HELO ");
		words_copy(text + 5, NAME_SHOWN + 1, c->name);
		obs_init(&ask, OBS_CAPS);
		ask.flow = o->flow;
		ask.time = o->time;
		ask.dir = DIR_C2S;
		(void)add_step(l, &ask, text);
	}
	if (c->refused || c->source == CAPS_HELO) {
		(void)add_step(l, o, o->text);
		return;
	}
	caps_text(text, sizeof(text), o);
	s = add_step(l, o, text);
	if (s != NULL)
		s->dir = DIR_S2C;
}

static void
auth_text(char *buf, size_t cap, const struct obs *o)
{
	const struct obs_auth *a = &o->u.auth;
	static const char *const outcome[] = {
	    "", ", accepted", ", refused", ", broken off"};

	(void)snprintf(buf, cap, "%s%s%.60s%s%s%s", a->mech_name,
	    a->user[0] != '\0' ? " user \"" : "", a->user,
	    a->user[0] != '\0' ? "\"" : "",
	    a->secret_sent ? " password " OBS_MASK : "",
	    a->outcome < 4 ? outcome[a->outcome] : "");
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

static void
end_text(char *buf, size_t cap, const struct obs *o)
{
	static const char *const how[] = {[END_FIN] = "closed by the ",
	    [END_TIMEOUT] = "fell silent",
	    [END_EVICTED] = "no room: not followed on",
	    [END_INPUT] = "end of the capture",
	    [END_REUSED] = "the ports were used again"};
	uint8_t h = o->u.end.how;

	if (h >= sizeof(how) / sizeof(how[0]) || how[h] == NULL)
		return; /* a reset has its own step */
	(void)snprintf(buf, cap, "(%s%s)", how[h],
	    h != END_FIN		    ? ""
	    : o->u.end.closed_by == DIR_C2S ? "client"
					    : "server");
}

static void
text_of(char *buf, size_t cap, const struct obs *o)
{
	switch (o->kind) {
	case OBS_AUTH:
		auth_text(buf, cap, o);
		break;
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		hello_text(buf, cap, o);
		break;
	case OBS_RST:
		rst_text(buf, cap, o);
		break;
	case OBS_FLOW_END:
		end_text(buf, cap, o);
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
	case OBS_TLS_APPDATA:
		words_copy(buf, cap, "encrypted dialogue");
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
	case OBS_TWO_ANSWERS:
		words_copy(buf, cap, "SYN/ACK with another number");
		break;
	case OBS_FIN_UNDONE:
		words_copy(buf, cap, "FIN");
		break;
	case OBS_VERB_UNKNOWN:
		(void)snprintf(buf, cap, "\"%s\" refused: %.60s",
		    o->u.answer.verb, o->text);
		break;
	case OBS_MAIL_CONTENT:
		(void)snprintf(buf, cap, "message, %llu bytes, in clear",
		    (unsigned long long)o->u.content.bytes);
		break;
	default:
		words_copy(buf, cap, o->text);
	}
}

/* What nearly every handshake has, and explains nothing. */
static bool
is_usual(const struct obs *o)
{
	return o->kind == OBS_TLS_KEY_EXCHANGE &&
	       tls_grade_key_exchange(&tls_policy_default, &o->u.kex).weight ==
		   0;
}

void
ladder_add(struct ladder *l, const struct obs *o)
{
	char text[LADDER_TEXT_MAX] = "";

	if (o->kind == OBS_FLOW_OPEN || o->kind == OBS_NONE || is_usual(o))
		return;
	if (o->kind == OBS_CAPS) {
		add_caps(l, o);
		return;
	}
	text_of(text, sizeof(text), o);
	if (text[0] == '\0' && o->kind >= OBS_TLS_ASKED &&
	    o->kind <= OBS_QUIT && o->u.verb.verb[0] != '\0')
		words_copy(text, sizeof(text), o->u.verb.verb);
	if (text[0] != '\0' || o->kind != OBS_FLOW_END)
		(void)add_step(l, o, text);
}

/* ---- into an alert ---- */

static const struct step *
step_at(const struct ladder *l, unsigned i)
{
	if (i >= LADDER_FIRST && l->skipped != 0)
		i = LADDER_FIRST + (i - LADDER_FIRST + l->next) % LADDER_LAST;
	return &l->step[i];
}

static void
copy_steps(const struct ladder *l, struct alert *a)
{
	for (unsigned i = 0; i < l->n; i++)
		a->steps[i] = *step_at(l, i);
	a->nsteps = l->n;
	if (l->skipped != 0)
		a->steps[LADDER_FIRST].mark |= STEP_SKIPPED;
}

unsigned
ladder_tail(const struct ladder *l, struct step *out, unsigned max)
{
	unsigned n = l->n < max ? l->n : max;

	for (unsigned i = 0; i < n; i++)
		out[i] = *step_at(l, l->n - n + i);
	return n;
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
ladder_merge(struct alert *a, const struct step *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		*insert_step(a, s[i].time) = s[i];
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

	memset(a->steps, 0, sizeof(a->steps));
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
