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

#include "rules/words.h"

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

static struct step *
add_step(struct ladder *l, const struct obs *o, const char *text)
{
	struct step *s = new_step(l);

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->flow = o->flow;
	s->time = o->time;
	s->kind = o->kind;
	s->dir = o->dir;
	s->pkt = o->pkt;
	(void)snprintf(
	    s->text, sizeof(s->text), "%.*s", (int)sizeof(s->text) - 1, text);
	return s;
}

/* ---- texts ---- */

static const char *
version_name(uint16_t v)
{
	switch (v) {
	case 0x0002:
		return "SSL 2.0";
	case 0x0300:
		return "SSL 3.0";
	case 0x0301:
		return "TLS 1.0";
	case 0x0302:
		return "TLS 1.1";
	case 0x0303:
		return "TLS 1.2";
	case 0x0304:
		return "TLS 1.3";
	default:
		return "TLS";
	}
}

static void
append(char *buf, size_t cap, struct slice s)
{
	size_t used = strlen(buf);

	if (used + 1 < cap)
		(void)snprintf(buf + used, cap - used, "%s%.*s",
		    used == 0 ? "" : " ", (int)s.len, (const char *)s.p);
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

	(void)snprintf(buf, cap, "%s …",
	    o->proto == PROTO_SMTP   ? "250"
	    : o->proto == PROTO_POP3 ? "+OK"
				     : "* CAPABILITY");
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
		(void)snprintf(text, sizeof(text), "%s %.80s",
		    c->source == CAPS_EHLO ? "EHLO" : "HELO", c->name);
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

	(void)snprintf(buf, cap, "%s user \"%.60s\"%s%s", a->mech_name, a->user,
	    a->secret_sent ? " password " OBS_MASK : "",
	    a->outcome < 4 ? outcome[a->outcome] : "");
}

static void
hello_text(char *buf, size_t cap, const struct obs *o)
{
	const struct obs_hello *h = &o->u.hello;

	if (o->kind == OBS_TLS_CLIENT_HELLO)
		(void)snprintf(buf, cap, "ClientHello %s%s%.64s",
		    version_name(h->version), h->has_sni ? ", SNI " : "",
		    h->sni);
	else
		(void)snprintf(buf, cap, "%s %s, suite 0x%04x",
		    h->retry ? "HelloRetryRequest" : "ServerHello",
		    version_name(h->version), h->suite);
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
	static const char *const how[] = {"?", "closed", "ended by a reset",
	    "fell silent", "no room: not followed on", "end of the capture",
	    "the ports were used again"};
	uint8_t h = o->u.end.how;

	(void)snprintf(
	    buf, cap, "(%s)", h < sizeof(how) / sizeof(how[0]) ? how[h] : "?");
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
	case OBS_TLS_ALERT:
		(void)snprintf(buf, cap, "Alert %u (level %u)",
		    o->u.alert.description, o->u.alert.level);
		break;
	case OBS_TLS_DONE:
		(void)snprintf(buf, cap, "%s established",
		    version_name(o->u.done.version));
		break;
	case OBS_TLS_APPDATA:
		(void)snprintf(buf, cap, "encrypted dialogue");
		break;
	case OBS_CONFLICT:
		(void)snprintf(buf, cap,
		    "other bytes for a place already sent: \"%.30s\" / "
		    "\"%.30s\"",
		    o->u.conflict.first, o->u.conflict.second);
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
		(void)snprintf(buf, cap, "%.*s", (int)cap - 1, o->text);
	}
}

void
ladder_add(struct ladder *l, const struct obs *o)
{
	char text[LADDER_TEXT_MAX] = "";

	if (o->kind == OBS_FLOW_OPEN || o->kind == OBS_NONE)
		return;
	if (o->kind == OBS_CAPS) {
		add_caps(l, o);
		return;
	}
	text_of(text, sizeof(text), o);
	if (text[0] == '\0' && o->kind >= OBS_TLS_ASKED &&
	    o->kind <= OBS_QUIT && o->u.verb.verb[0] != '\0')
		(void)snprintf(text, sizeof(text), "%s", o->u.verb.verb);
	(void)add_step(l, o, text);
}

/* ---- into an alert ---- */

static void
copy_steps(const struct ladder *l, struct alert *a)
{
	unsigned first = l->n < LADDER_FIRST ? l->n : LADDER_FIRST;
	unsigned last = l->n - first;

	if (first != 0)
		memcpy(a->steps, l->step, first * sizeof(a->steps[0]));
	for (unsigned i = 0; i < last; i++)
		a->steps[first + i] =
		    l->step[first +
			    (l->next + i) % (l->skipped ? LADDER_LAST : last)];
	a->nsteps = l->n;
	if (l->skipped != 0)
		a->steps[LADDER_FIRST].mark |= STEP_SKIPPED;
}

/* The packet is none of the steps (a reset not settled yet, say): it is put
 * where its time is, the last step gives way if there is no room. */
static void
insert_wrong(struct alert *a)
{
	unsigned i = a->nsteps;
	struct step *s;

	if (a->nsteps == LADDER_STEPS)
		i = --a->nsteps;
	while (i > 0 && a->steps[i - 1].time > a->finding.time)
		i--;
	s = &a->steps[i];
	memmove(s + 1, s, (a->nsteps - i) * sizeof(*s));
	memset(s, 0, sizeof(*s));
	s->flow = a->finding.flow;
	s->time = a->finding.time;
	s->dir = a->finding.pkt.dir;
	s->pkt = a->finding.pkt;
	s->mark = STEP_WRONG;
	(void)snprintf(s->text, sizeof(s->text), "%s",
	    finding_info((enum finding_id)a->finding.id)->title);
	a->nsteps++;
}

void
ladder_fill(const struct ladder *l, struct alert *a)
{
	bool found = false;

	memset(a->steps, 0, sizeof(a->steps));
	copy_steps(l, a);
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
