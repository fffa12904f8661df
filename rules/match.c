/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which rules select a finding. Rules are indexed by the finding they name;
 * among those each criterion is one small function, the cheap ones first.
 */
#include "rules/ruleset.h"

#include <stdlib.h>

#include "rules/words.h"

static bool
names_finding(const struct rule *r, unsigned id)
{
	return r->any_finding ||
	       (r->findings[id / 64] & (UINT64_C(1) << (id % 64))) != 0;
}

int
ruleset_index(struct ruleset *r)
{
	size_t n = 0;

	for (unsigned id = FIND_NONE; id < FIND_COUNT; id++)
		for (unsigned i = 0; i < r->n; i++)
			n += names_finding(&r->rules[i], id);
	r->of = calloc(n + 1, sizeof(*r->of));
	if (r->of == NULL)
		return -1;
	n = 0;
	for (unsigned id = FIND_NONE; id < FIND_COUNT; id++) {
		r->first[id] = (unsigned)n;
		for (unsigned i = 0; i < r->n; i++)
			if (names_finding(&r->rules[i], id))
				r->of[n++] = i;
	}
	r->first[FIND_COUNT] = (unsigned)n;
	return 0;
}

static bool
is_about_tls(unsigned id)
{
	return id >= FIND_CERT_SELF_SIGNED &&
	       id <= FIND_TLS_FINGERPRINT_CHANGED;
}

static bool
proto_matches(const struct rule *r, const struct alert *a)
{
	switch ((enum rule_proto)r->proto) {
	case RULE_PROTO_TCP:
		return true;
	case RULE_PROTO_TLS:
		return is_about_tls(a->finding.id);
	case RULE_PROTO_MAIL:
		return proto_is_mail((enum proto)a->proto);
	case RULE_PROTO_SMTP:
		return a->proto == PROTO_SMTP;
	case RULE_PROTO_IMAP:
		return a->proto == PROTO_IMAP;
	case RULE_PROTO_POP3:
		return a->proto == PROTO_POP3;
	case RULE_PROTO_SIEVE:
		return a->proto == PROTO_SIEVE;
	}
	return false;
}

static bool
evidence_matches(const struct rule *r, const struct finding *f)
{
	return (f->tags & r->tags_need) == r->tags_need &&
	       (f->tags & r->tags_not) == 0;
}

static bool
visibility_matches(const struct rule *r, const struct finding *f)
{
	if (r->vis_state == RULE_VIS_COMPLETE && f->vis != 0)
		return false;
	if (r->vis_state == RULE_VIS_PARTIAL && f->vis == 0)
		return false;
	return (f->vis & r->vis_need) == r->vis_need &&
	       (f->vis & r->vis_not) == 0;
}

static bool
hosts_match(const struct rule *r, const struct obs_flow *f)
{
	return range_set_has_port(&r->dport, f->server_port) &&
	       range_set_has_port(&r->sport, f->client_port) &&
	       range_set_has(&r->dst, &f->server) &&
	       range_set_has(&r->src, &f->client);
}

static bool
hosts_match_swapped(const struct rule *r, const struct obs_flow *f)
{
	return range_set_has_port(&r->dport, f->client_port) &&
	       range_set_has_port(&r->sport, f->server_port) &&
	       range_set_has(&r->dst, &f->client) &&
	       range_set_has(&r->src, &f->server);
}

static bool
rule_matches(const struct rule *r, const struct alert *a)
{
	const struct finding *f = &a->finding;

	return f->confidence >= r->conf_min && f->confidence <= r->conf_max &&
	       proto_matches(r, a) && evidence_matches(r, f) &&
	       visibility_matches(r, f) &&
	       (hosts_match(r, &a->flow) ||
		   (r->both_ways && hosts_match_swapped(r, &a->flow)));
}

static void
fill(struct alert *a, const struct rule *r)
{
	const char *msg = r->msg;

	if (msg[0] == '\0')
		msg = finding_info(a->finding.id)->title;
	a->sid = r->sid;
	a->gid = r->gid;
	a->rev = r->rev;
	a->severity = r->severity;
	words_copy(a->msg, sizeof(a->msg), msg);
	words_copy(a->classtype, sizeof(a->classtype), r->classtype);
	words_copy(a->reference, sizeof(a->reference), r->reference);
	words_copy(a->metadata, sizeof(a->metadata), r->metadata);
}

unsigned
ruleset_match(const struct ruleset *r, struct alert *a,
    void (*fn)(void *ctx, const struct alert *a), void *ctx)
{
	unsigned id = a->finding.id, n = 0;

	if (id >= FIND_COUNT)
		return 0;
	for (unsigned i = r->first[id]; i < r->first[id + 1]; i++) {
		const struct rule *rule = &r->rules[r->of[i]];

		if (!rule_matches(rule, a))
			continue;
		fill(a, rule);
		fn(ctx, a);
		n++;
	}
	return n;
}
