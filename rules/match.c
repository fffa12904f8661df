/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each criterion of a rule is one small function; unset ones hold. None of
 * them changes anything.
 */
#include "rules/engine_private.h"

static bool
is_about_tls(unsigned id)
{
	return id >= FIND_CERT_SELF_SIGNED &&
	       id <= FIND_TLS_FINGERPRINT_CHANGED;
}

bool
match_proto(const struct rule *r, enum proto proto)
{
	switch ((enum rule_proto)r->proto) {
	case RULE_PROTO_TCP:
	case RULE_PROTO_TLS:
		return true;
	case RULE_PROTO_MAIL:
		return proto_is_mail(proto);
	case RULE_PROTO_SMTP:
		return proto == PROTO_SMTP;
	case RULE_PROTO_IMAP:
		return proto == PROTO_IMAP;
	case RULE_PROTO_POP3:
		return proto == PROTO_POP3;
	case RULE_PROTO_SIEVE:
		return proto == PROTO_SIEVE;
	}
	return false;
}

static bool
match_evidence(const struct rule *r, const struct finding *f)
{
	return (f->tags & r->tags_need) == r->tags_need &&
	       (f->tags & r->tags_not) == 0;
}

bool
match_visibility(const struct rule *r, uint32_t vis)
{
	if (r->vis_state == RULE_VIS_COMPLETE && vis != 0)
		return false;
	if (r->vis_state == RULE_VIS_PARTIAL && vis == 0)
		return false;
	return (vis & r->vis_need) == r->vis_need && (vis & r->vis_not) == 0;
}

bool
match_finding(const struct rule *r, const struct alert *a)
{
	const struct finding *f = &a->finding;

	if (r->proto == RULE_PROTO_TLS && !is_about_tls(f->id))
		return false;
	return f->confidence >= r->conf_min && f->confidence <= r->conf_max &&
	       match_proto(r, (enum proto)a->proto) && match_evidence(r, f) &&
	       match_visibility(r, f->vis);
}

/* ---- hosts ---- */

static bool
hosts_fit(const struct rule *r, const struct obs_flow *f, bool swapped)
{
	const struct addr *src = swapped ? &f->server : &f->client;
	const struct addr *dst = swapped ? &f->client : &f->server;

	return range_set_has_port(
		   &r->dport, swapped ? f->client_port : f->server_port) &&
	       range_set_has_port(
		   &r->sport, swapped ? f->server_port : f->client_port) &&
	       range_set_has(&r->dst, dst) && range_set_has(&r->src, src);
}

/* As in Suricata a header names who sends and who receives. What flow or the
 * buffers say of the direction decides who that is; a finding, and a rule that
 * looks at both sides, goes by the connection: from client to server. */
bool
match_hosts(const struct rule *r, const struct obs_flow *f, bool from_server,
    bool *swapped)
{
	uint8_t dirs = r->flow != 0 ? r->flow : r->dirs;

	if (dirs == RULE_TO_CLIENT || dirs == RULE_TO_SERVER)
		*swapped = dirs == RULE_TO_CLIENT;
	else
		*swapped = r->nlooks == 1 && from_server;
	if (hosts_fit(r, f, *swapped))
		return true;
	if (!r->both_ways)
		return false;
	*swapped = !*swapped;
	return hosts_fit(r, f, *swapped);
}

/* ---- what is known from before ---- */

static uint32_t
of_server(const struct server_facts *s, uint8_t fact)
{
	switch ((enum history_fact)fact) {
	case HIST_SERVER:
		return s->sessions;
	case HIST_STARTTLS:
		return s->offered;
	case HIST_PLAINTEXT:
		return s->not_offered;
	case HIST_TLS:
		return s->tls_done;
	case HIST_TLS_FAILED:
		return s->tls_failed;
	case HIST_LOGINDISABLED:
		return s->logindisabled;
	case HIST_DAYS:
		return s->days;
	case HIST_CERTIFICATES:
		return s->ncerts;
	default:
		return 0;
	}
}

static uint32_t
of_pair(const struct pair_facts *p, uint8_t fact)
{
	switch ((enum history_fact)fact) {
	case HIST_PAIR:
		return p->tls + p->clear;
	case HIST_PAIR_TLS:
		return p->tls;
	case HIST_PAIR_PLAINTEXT:
		return p->clear;
	default:
		return 0;
	}
}

bool
match_history(const struct rule *r, const struct engine_about *about)
{
	for (unsigned i = 0; i < r->nhistory; i++) {
		const struct rule_history *h = &r->history[i];
		uint32_t n = 0;

		if (h->fact < HIST_PAIR && about->server != NULL)
			n = of_server(about->server, h->fact);
		else if (h->fact >= HIST_PAIR && about->pair != NULL)
			n = of_pair(about->pair, h->fact);
		if (h->negated ? n != 0 : n < h->min || n > h->max)
			return false;
	}
	return true;
}

/* The incident is what is open between the two hosts before this alert, which
 * opens one itself if it is grave enough (rules/incident.h). */
bool
match_incident(const struct rule *r, const struct alert *a)
{
	const struct rule_incident *in = &r->incident;
	bool has = a->incident != 0;

	if (!in->asked)
		return true;
	if (in->has_min && (!has || a->incident_severity < in->min))
		return false;
	if (!in->want_new && !in->want_open && !in->want_none)
		return true;
	return (in->want_none && !has) || (in->want_open && has) ||
	       (in->want_new && !has && r->severity >= SEV_MEDIUM);
}

/* ---- bits ---- */

static bool
flowbit_is_set(const struct engine *e, const struct engine_flow *f,
    const struct rule_bit *b)
{
	unsigned slot = e->slot[b->name];

	return f->bits != NULL && (f->bits[slot / 64] >> (slot % 64) & 1) != 0;
}

static bool
bit_is_set(const struct engine *e, const struct rule_bit *b,
    const struct engine_about *about, const struct sides *s)
{
	struct rule_state_key k;

	if (b->host == 0)
		return flowbit_is_set(e, about->flow, b);
	k = engine_xbit_key(e, b, s);
	return rule_xbit_is_set(e->states, &k, about->now);
}

/* isset,a|b is a run of entries, of which one is enough; isnotset,a|b wants
 * none of them. */
bool
match_bits(const struct engine *e, const struct rule *r,
    const struct engine_about *about, const struct sides *s)
{
	for (unsigned i = 0; i < r->nbits; i++) {
		bool is_not = r->bits[i].op == BIT_ISNOTSET, any = false;

		if (r->bits[i].op < BIT_ISSET)
			continue;
		for (;; i++) {
			any |= bit_is_set(e, &r->bits[i], about, s);
			if (r->bits[i].or == 0)
				break;
		}
		if (any == is_not)
			return false;
	}
	return true;
}
